"""What every test may ask for: real servers (one of each a session), roots of every kind, and a home that is nobody's.

Rule 1: no test reads or writes the person's own ``~/.flowreg``, ``~/.prefect``, ``~/.aws``, or sees their credentials.
Rule 2: a server starts when the first test asks for it; what is missing skips with its install line (``servers.need``).
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.servers.azurite_server import AzureServer
from tests.servers.azurite_server import azurite as an_azurite
from tests.servers.chromium import browser_page as a_browser_page
from tests.servers.counting_proxy import CountingProxy, counting_proxy
from tests.servers.fake_gcs import GcsServer
from tests.servers.fake_gcs import fake_gcs as a_fake_gcs
from tests.servers.moto_server import moto as a_moto
from tests.servers.prefect_server import QUIET, PrefectServer
from tests.servers.prefect_server import prefect_server as a_prefect_server
from tests.servers.s3 import S3Server
from tests.servers.seaweed import seaweed as a_seaweed
from tests.servers.sshd import SftpServer
from tests.servers.sshd import sshd as an_sshd

ODD_NAME = "Größe & more/50% off #1 ünï 模型"
GIT_SETTINGS = {"safe.directory": "*", "user.name": "Test", "user.email": "test@localhost"}  # instead of a person's own
OURS = ("FLOWREG_", "AWS_", "PREFECT_", "XDG_")
KEPT = {"FLOWREG_REQUIRE_ALL"}


GIT = {"GIT_CONFIG_COUNT": str(len(GIT_SETTINGS))} | {
    f"GIT_CONFIG_{part}_{number}": text
    for number, pair in enumerate(GIT_SETTINGS.items())
    for part, text in zip(("KEY", "VALUE"), pair, strict=True)
}


class Root(NamedTuple):
    """Where a registry may lie: ``url, storage_options = root``."""

    url: str
    storage_options: dict[str, Any]


# ---- a home that is nobody's ----


def pytest_configure(config: pytest.Config) -> None:
    # Prefect reads its home once, when it is first imported, which may be while tests are collected.
    home = tempfile.TemporaryDirectory(prefix="flowreg-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(home.cleanup)
    os.environ.update(QUIET, PREFECT_HOME=f"{home.name}/prefect")


@pytest.fixture(autouse=True)
def a_home_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty HOME, no registry root, no cloud credentials: each test starts from nothing."""
    home = Path(tempfile.mkdtemp(prefix="home-", dir=tmp_path_factory.getbasetemp()))
    for name in list(os.environ):
        if name.startswith(OURS) and name not in KEPT:
            monkeypatch.delenv(name)
    ours = {"HOME": str(home), "PREFECT_HOME": str(home / "prefect"), "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in {**QUIET, **GIT, **ours}.items():
        monkeypatch.setenv(name, value)
    return home


# ---- servers, one of each a session ----


@pytest.fixture(scope="session")
def seaweed() -> Iterator[S3Server]:
    """A real S3 server."""
    with a_seaweed() as server:
        yield server


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Server]:
    """An S3 server with AWS's own error texts."""
    with a_moto() as server:
        yield server


@pytest.fixture(scope="session")
def azurite() -> Iterator[AzureServer]:
    """Azure Blob Storage."""
    with an_azurite() as server:
        yield server


@pytest.fixture(scope="session")
def fake_gcs() -> Iterator[GcsServer]:
    """Google Cloud Storage."""
    with a_fake_gcs() as server:
        yield server


@pytest.fixture(scope="session")
def sshd() -> Iterator[SftpServer]:
    """A server of SFTP."""
    with an_sshd() as server:
        yield server


@pytest.fixture
def counted_s3(seaweed: S3Server) -> Iterator[tuple[S3Server, CountingProxy]]:
    """The real S3 server behind a proxy that counts the requests of this test."""
    with counting_proxy(seaweed.endpoint_url) as proxy:
        yield seaweed.behind(proxy.endpoint_url), proxy


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[PrefectServer]:
    """A real Prefect server; ``prefect_server.env`` is for processes, the fixture ``prefect_env`` for flows in this one."""
    with a_prefect_server() as server:
        yield server


@pytest.fixture
def prefect_env(prefect_server: PrefectServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrefectServer]:
    """Flows that are called in this test run against the session's Prefect server."""
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_LOGGING_TO_API_ENABLED,
        PREFECT_UI_URL,
        temporary_settings,
    )

    for name, value in prefect_server.env.items():
        monkeypatch.setenv(name, value)
    settings = {
        PREFECT_API_URL: prefect_server.api_url,
        PREFECT_UI_URL: prefect_server.ui_url,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,  # its thread delays the end of every flow by a second
        PREFECT_LOGGING_TO_API_ENABLED: False,
    }
    with temporary_settings(settings):
        yield prefect_server


@pytest.fixture
def browser_page() -> Iterator[Any]:
    """A page in a headless Chromium. Call no Prefect flow in a test that holds one: run flows before, in another fixture."""
    with a_browser_page() as page:
        yield page


# ---- roots ----


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root on a local folder that does not exist yet."""
    return Root(str(tmp_path / "registry"), {})


@pytest.fixture
def s3_root(seaweed: S3Server) -> Root:
    """A root of its own on the real S3 server."""
    return Root(f"{seaweed.new_prefix()}/registry", seaweed.storage_options)


@pytest.fixture(params=["local", "local-odd-name", "memory", pytest.param("s3", marks=pytest.mark.s3)])
def any_root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Root]:
    """A fresh root of each kind in turn: local folders (one with spaces, ``#``, ``%``, Unicode), memory, S3."""
    match request.param:
        case "local":
            yield Root(str(tmp_path / "registry"), {})
        case "local-odd-name":
            yield Root(str(tmp_path / ODD_NAME), {})
        case "memory":
            yield from _memory_root()
        case "s3":
            yield request.getfixturevalue("s3_root")


def _memory_root() -> Iterator[Root]:
    import fsspec

    name = f"/flowreg-{uuid.uuid4().hex}"
    yield Root(f"memory:/{name}", {})
    # Not rm(): a head may still be on its way, and fsspec's own removal fails on what comes and goes meanwhile.
    files = fsspec.filesystem("memory")
    for path in [path for path in list(files.store) if path.startswith(f"{name}/")]:
        files.store.pop(path, None)
    files.pseudo_dirs[:] = [path for path in files.pseudo_dirs if not f"{path}/".startswith(f"{name}/")]
