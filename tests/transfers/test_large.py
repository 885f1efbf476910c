"""Files above the size of one request: sent in parts, gone on with after a death, and never another file than was hashed."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from flowreg import Registry
from flowreg.errors import BadInput
from flowreg.storage.parts import part_bytes_for
from tests.servers.counting_proxy import CountingProxy, Fault, Request
from tests.servers.s3 import S3Server

pytestmark = pytest.mark.s3
MIB = 1 << 20
CODE = "import sys, flowreg; flowreg.Registry(sys.argv[1]).register('churn', sys.argv[2], key='one')"


def written(path: Path, size_bytes: int) -> Path:
    source = random.Random(7)
    with path.open("wb") as file:
        for _ in range(size_bytes // (4 * MIB)):
            file.write(source.randbytes(4 * MIB))
    return path


def sent(proxy: CountingProxy) -> int:
    return sum(r.bytes_up for r in proxy.requests if r.method == "PUT" and r.status == 200)


def part_number(request: Request) -> int:
    return int(parse_qs(request.query).get("partNumber", ["0"])[0])


@pytest.mark.parametrize("size_bytes", [1024 * MIB, pytest.param(10240 * MIB, marks=pytest.mark.slow)])
def test_an_upload_that_is_killed_goes_on_where_it_was(size_bytes: int, counted_s3: tuple[S3Server, CountingProxy], tmp_path: Path) -> None:
    """Killed at 80 %, and started again by another process: less than a quarter is sent again, and it is one version."""
    server, proxy = counted_s3
    root, model = server.new_prefix(), written(tmp_path / "model.bin", size_bytes)
    command = [sys.executable, "-c", CODE, root, str(model)]
    last = math.ceil(0.8 * size_bytes / part_bytes_for(size_bytes))
    proxy.spoil(lambda request: part_number(request) > last, Fault(stalls=True), times=32)  # so that it is killed there, and not later
    with subprocess.Popen(command, env={**os.environ, **server.env}) as process:
        while sent(proxy) < 0.8 * size_bytes:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    proxy.heal()
    before = sent(proxy)

    subprocess.run(command, env={**os.environ, **server.env}, check=True, timeout=600)

    assert sent(proxy) - before < 0.25 * size_bytes
    registry = Registry(root, storage_options=server.storage_options)
    assert [v.key for v in registry.versions("churn")] == ["one"]
    assert registry.check(read_data=True).faults == ()


def test_a_file_that_is_there_is_not_sent_again(counted_s3: tuple[S3Server, CountingProxy], tmp_path: Path) -> None:
    """The same bytes under another model cost one question."""
    server, proxy = counted_s3
    model = written(tmp_path / "model.bin", 32 * MIB)
    registry = Registry(server.new_prefix(), storage_options=server.storage_options)
    registry.register("churn", model)
    before = sent(proxy)

    registry.register("flights", model)

    assert sent(proxy) - before < MIB


def test_a_file_that_changes_while_it_is_sent_is_refused(
    counted_s3: tuple[S3Server, CountingProxy], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is completed is what was hashed: a part with other bytes ends the upload, and nothing of it stays."""
    server, proxy = counted_s3
    model = written(tmp_path / "model.bin", 64 * MIB)
    registry = Registry(server.new_prefix(), storage_options=server.storage_options)
    from flowreg.storage import fsspec_store

    real = fsspec_store.upload

    def upload(fs, target, source, parts, **more):
        with model.open("r+b") as file:
            file.seek(50 * MIB)
            file.write(b"other bytes")
        real(fs, target, source, parts, **more)

    monkeypatch.setattr(fsspec_store, "upload", upload)
    with pytest.raises(BadInput, match="changed while it was read"):
        registry.register("churn", model)
    monkeypatch.undo()

    assert registry.models() == ()
    files = server.filesystem()
    bucket, _, prefix = registry.root.removeprefix("s3://").partition("/")
    assert not [p for p in files.find(f"{bucket}/{prefix}") if "/blobs/sha256/" in p and files.info(p)["size"] > MIB]
    assert [r.status for r in proxy.requests if r.method == "DELETE" and "uploadId" in r.query] == [204]


def test_a_large_artifact_comes_back_with_few_requests(counted_s3: tuple[S3Server, CountingProxy], tmp_path: Path) -> None:
    """In ranges, without asking for its size first: the manifest knows it."""
    server, proxy = counted_s3
    model = written(tmp_path / "model.bin", 64 * MIB)
    registry = Registry(server.new_prefix(), storage_options=server.storage_options)
    registry.register("churn", model)

    with proxy.counting() as seen:
        fetched = registry.fetch("churn@1", tmp_path / "out")

    assert (fetched / "model.bin").read_bytes() == model.read_bytes()
    assert [r.method for r in seen if "/blobs/" in r.path].count("HEAD") == 0
    assert len([r for r in seen if r.bytes_down >= 8 * MIB]) == 4
