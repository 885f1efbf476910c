"""The filesystems that the contract runs on, each with a fresh root."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowreg.storage.opening import Opened
from flowreg.storage.store import FsspecStore, Store, open_store
from tests.conftest import ODD_NAME, Root

SERVERS = {"seaweed": "s3", "moto": "s3", "azurite": "az", "fake_gcs": "gs", "sshd": "sftp"}
PLACES = ("ext4", "tmpfs", "umask-077", "odd-name", "memory", *SERVERS)


@pytest.fixture(params=[pytest.param(p, marks=pytest.mark.s3) if SERVERS.get(p) == "s3" else p for p in PLACES])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Root]:
    """A root that does not exist yet, on each writable filesystem in turn."""
    match request.param:
        case "ext4":
            yield Root(str(tmp_path / "registry"), {})
        case "tmpfs":
            if not Path("/dev/shm").is_dir():
                pytest.skip("there is no /dev/shm here")
            with tempfile.TemporaryDirectory(prefix="flowreg-", dir="/dev/shm") as folder:
                yield Root(f"{folder}/registry", {})
        case "umask-077":
            before = os.umask(0o077)
            yield Root(str(tmp_path / "registry"), {})
            os.umask(before)
        case "odd-name":
            yield Root(str(tmp_path / ODD_NAME), {})
        case "memory":
            yield Root(f"memory://flowreg-{uuid.uuid4().hex}", {})
        case server:
            running = request.getfixturevalue(server)
            yield Root(f"{running.new_prefix()}/registry", running.storage_options)


@pytest.fixture(scope="session")
def connected() -> dict[str, Opened]:
    """The filesystem of each server, by the bucket or folder that tests have their roots in."""
    return {}


@pytest.fixture
def store(place: Root, connected: dict[str, Opened]) -> Store:
    """A store there. To connect takes longer than most tests, so those of a server do it once; whoever needs another client opens one."""
    store = open_store(*place)
    if isinstance(store, FsspecStore) and not place.url.startswith("memory:"):
        above, *own = place.url.rsplit("/", 2)
        key = f"{above} {sorted(place.storage_options.items())}"
        if key not in connected:
            connected[key] = store._opened()
        known = connected[key]
        store._of_process[os.getpid()] = known._replace(base="/".join([known.base.rsplit("/", 2)[0], *own]))
    return store
