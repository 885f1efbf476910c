"""Azurite: Microsoft's own emulator of Azure Blob Storage."""

from __future__ import annotations

import base64
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec

from .need import need_module, need_program
from .process import free_ports, listens, running

INSTALL = 'npm install --prefix "$VIRTUAL_ENV" azurite'
ACCOUNT, CONTAINER = "flowregtests", "flowreg-tests"


@dataclass(frozen=True)
class AzureServer:
    """A container on loopback."""

    port: int
    key: str = field(repr=False)

    @property
    def storage_options(self) -> dict[str, Any]:
        endpoint = f"http://127.0.0.1:{self.port}/{ACCOUNT}"
        text = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={self.key};BlobEndpoint={endpoint};"
        return {"connection_string": text}

    def new_prefix(self) -> str:
        """A URL in the container that no other test uses."""
        return f"az://{CONTAINER}/{secrets.token_hex(6)}"


@contextmanager
def azurite() -> Iterator[AzureServer]:
    """An Azurite with one empty container."""
    program = need_program("azurite-blob", INSTALL)
    need_module("adlfs", "pip install adlfs")
    (port,) = free_ports(1)
    server = AzureServer(port, base64.b64encode(secrets.token_bytes(32)).decode())
    with tempfile.TemporaryDirectory(prefix="flowreg-azurite-") as home:
        place = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "-l", home]
        command = [program, "--silent", *place, "--skipApiVersionCheck", "--loose", "--disableTelemetry"]
        env = {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{server.key}"}
        with running(command, folder=Path(home), env=env, ready=lambda: listens(port), timeout_s=90):
            fsspec.filesystem("az", **server.storage_options, skip_instance_cache=True).mkdir(CONTAINER)
            yield server
