"""moto: an S3 server that starts fast and answers errors exactly as AWS words them."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .need import need_module
from .process import free_ports, running
from .s3 import S3Server, bucket_is_ready, new_credentials

INSTALL = "pip install 'moto[s3,server]'"
PROGRAM = Path(__file__).with_name("moto_locked.py")


@contextmanager
def moto() -> Iterator[S3Server]:
    """A moto server with one empty bucket. It takes any credentials; conditional puts are atomic (``moto_locked``)."""
    need_module("moto.server", INSTALL)
    need_module("s3fs", "pip install s3fs")
    (port,) = free_ports(1)
    server = S3Server(f"http://127.0.0.1:{port}", *new_credentials())
    with tempfile.TemporaryDirectory(prefix="flowreg-moto-") as home:
        command = [sys.executable, "-P", str(PROGRAM), str(port)]
        with running(command, folder=Path(home), env={}, ready=lambda: bucket_is_ready(server), timeout_s=120):
            yield server
