"""Bytes to a real S3 server on loopback and back, hashed and verified, against clients that do neither.

The floor of a large file is the faster of boto3's transfer manager and s3fs; that of many files is s3fs's own parallel put and get.
Every pair has a prefix of its own, which is emptied after it, so that no side finds what another has sent.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flowreg import Registry
from tests.servers.s3 import S3Server

from .ratio import Benchmark, stopwatch
from .registering import random_file, shown_size

AT_ONCE = 32  # files of s3fs's own parallel put and get
TARGET = 1 / 0.9


def large_file_up(folder: Path, server: S3Server, *, size_bytes: int = 1 << 30) -> Benchmark:
    """Register one file against sending it."""
    source = random_file(folder / "large" / "model.bin", size_bytes)
    clients = (_boto3_up(server, source), _s3fs_up(server, source))

    def ours() -> float:
        return _registered(server, source)

    return Benchmark(f"S3 up: 1 file of {shown_size(size_bytes)}", TARGET, lambda: min(_timed(server, one) for one in clients), ours)


def large_file_down(folder: Path, server: S3Server, *, size_bytes: int = 1 << 30) -> Benchmark:
    """Fetch one file, verified, against receiving it."""
    source = random_file(folder / "large" / "model.bin", size_bytes)
    name = f"S3 down: 1 file of {shown_size(size_bytes)}"
    return _down(name, folder, server, source, (_boto3_down, _s3fs_down))


def many_files_up(folder: Path, server: S3Server, *, files: int = 2000, size_bytes: int = 100 << 10) -> Benchmark:
    """Register a folder against s3fs's parallel put."""
    source = _many(folder / "many", files, size_bytes)

    def put(files: Any, prefix: str) -> None:
        files.put(f"{source}/", f"{prefix}/many/", recursive=True, batch_size=AT_ONCE)

    def floor() -> float:
        return _timed(server, put)

    return Benchmark(f"S3 up: {files} files of {shown_size(size_bytes)}", TARGET, floor, lambda: _registered(server, source))


def many_files_down(folder: Path, server: S3Server, *, files: int = 2000, size_bytes: int = 100 << 10) -> Benchmark:
    """Fetch a folder, verified, against s3fs's parallel get."""
    source = _many(folder / "many", files, size_bytes)
    return _down(f"S3 down: {files} files of {shown_size(size_bytes)}", folder, server, source, (_s3fs_down,))


_Client = Callable[[Any, str], None]  # given s3fs's filesystem and a prefix in the bucket


def _boto3_up(server: S3Server, source: Path) -> _Client:
    client = _boto3(server)
    return lambda _, prefix: client.upload_file(str(source), *f"{prefix}/model.bin".split("/", 1))


def _s3fs_up(server: S3Server, source: Path) -> _Client:
    return lambda files, prefix: files.put_file(str(source), f"{prefix}/model.bin")


def _boto3_down(server: S3Server, prefix: str, target: Path) -> None:
    _boto3(server).download_file(*f"{prefix}/source".split("/", 1), str(target))


def _s3fs_down(server: S3Server, prefix: str, target: Path) -> None:
    files = server.filesystem()
    if files.isfile(f"{prefix}/source"):
        files.get_file(f"{prefix}/source", str(target))
    else:
        files.get(f"{prefix}/source/", f"{target}/", recursive=True, batch_size=AT_ONCE)


def _down(name: str, folder: Path, server: S3Server, source: Path, clients: tuple[Callable[[S3Server, str, Path], None], ...]) -> Benchmark:
    root = server.new_prefix()
    prefix = root.removeprefix("s3://")
    server.filesystem().put(str(source), f"{prefix}/source", recursive=True, batch_size=AT_ONCE)
    registry = Registry(f"{root}/registry", storage_options=server.storage_options)
    registry.register("churn", source)

    def timed(receive: Callable[[Path], object]) -> float:
        with _emptied(folder / "received") as received, stopwatch() as clock:
            receive(received / "it")
        return clock.elapsed_s

    def floor() -> float:
        return min(timed(lambda target, one=one: one(server, prefix, target)) for one in clients)

    return Benchmark(name, TARGET, floor, lambda: timed(lambda target: registry.fetch("churn@1", target)))


def _timed(server: S3Server, client: _Client) -> float:
    files, prefix = server.filesystem(), server.new_prefix().removeprefix("s3://")
    files.exists(f"{prefix}/nothing")  # connected
    with stopwatch() as clock:
        client(files, prefix)
    files.rm(prefix, recursive=True)
    return clock.elapsed_s


def _registered(server: S3Server, source: Path) -> float:
    root = server.new_prefix()
    registry = Registry(root, storage_options=server.storage_options)
    registry.register("other", random_file(source.parent / f"{source.name}.other", 1))  # connected, and begun
    with stopwatch() as clock:
        registry.register("churn", source)
    registry.flush()
    server.filesystem().rm(root, recursive=True)
    return clock.elapsed_s


def _boto3(server: S3Server) -> Any:
    import boto3

    said = server.storage_options
    keys = {"aws_access_key_id": said["key"], "aws_secret_access_key": said["secret"]}
    return boto3.client("s3", endpoint_url=said["endpoint_url"], region_name="us-east-1", **keys)


def _many(folder: Path, files: int, size_bytes: int) -> Path:
    for number in range(files):
        random_file(folder / f"part-{number:05d}.bin", size_bytes)
    return folder


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
