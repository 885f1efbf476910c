"""A connection that dies is replaced, and nothing is lost with it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from flowreg import Registry
from flowreg.storage.store import open_store
from tests.servers.sshd import SftpServer


def cut(store: Any) -> None:
    """What a firewall or a restarted server does: the connection is gone, and nobody has said goodbye."""
    transport = store._opened().files._files.client.get_transport()
    transport.sock.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def root(sshd: SftpServer) -> str:
    return f"{sshd.new_prefix()}/registry"


def test_reading_goes_on_over_a_new_connection(root: str, sshd: SftpServer, tmp_path: Path) -> None:
    """Each kind of look, right after the connection died."""
    store = open_store(root, sshd.storage_options)
    store.create("a/1", b"one")
    looks = {
        "read": lambda: store.read("a/1"),
        "several": lambda: store.read_many(["a/1", "a/2"]),
        "names": lambda: store.names("a"),
        "size": lambda: store.size("a/1"),
    }
    seen = {}
    for name, look in looks.items():
        cut(store)
        seen[name] = look()

    assert seen == {"read": b"one", "several": [b"one", None], "names": ["1"], "size": 3}


def test_writing_goes_on_and_makes_no_twin(root: str, sshd: SftpServer, tmp_path: Path) -> None:
    """A registry in use: every request after a death lands once."""
    registry = Registry(root, storage_options=sshd.storage_options)
    model = tmp_path / "model"
    for number in range(4):
        model.write_bytes(b"%d" % number)
        registry.register("churn", model, key=str(number))
        registry.flush()
        cut(registry._store)

    again = Registry(root, storage_options=sshd.storage_options)
    assert [version.key for version in again.versions("churn")] == ["0", "1", "2", "3"]
    assert again.check(read_data=True).faults == ()
