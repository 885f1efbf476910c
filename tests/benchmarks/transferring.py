"""Bytes to a real S3 server on loopback and back, hashed and verified, against clients that do neither.

The floor of a large file is the faster of boto3's transfer manager and s3fs; that of many files is s3fs's own parallel put and get.
obstore, a client in Rust that flowreg does not use, is a floor apart, to look at: where it is installed (``pip install obstore``).
Every pair has a prefix of its own, which is emptied after it, so that no side finds what another has sent. Every download finds the local
cache empty and fills it, as the first one of a user does; those that say so are without one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from flowreg import Registry
from tests.servers.s3 import S3Server

from .ratio import Benchmark, stopwatch
from .registering import random_file, shown_size

AT_ONCE = 32  # files of s3fs's own parallel put and get
TARGET = 1 / 0.9
Clients = tuple[str, ...]  # the faster of them counts
FASTER, S3FS, OBSTORE = ("boto3", "s3fs"), ("s3fs",), ("obstore",)

_Receiver = Callable[[str, Path], None]  # given a prefix in the bucket, and where to
_Client = Callable[[Any, str], None]  # given s3fs's filesystem and a prefix in the bucket


def large_file_up(folder: Path, server: S3Server, *, size_bytes: int = 1 << 30, against: Clients = FASTER) -> Benchmark:
    """Register one file against sending it."""
    return _up(f"1 file of {shown_size(size_bytes)}", server, random_file(folder / "large" / "model.bin", size_bytes), against)


def large_file_down(
    folder: Path, server: S3Server, *, size_bytes: int = 1 << 30, against: Clients = FASTER, cached: bool = True
) -> Benchmark:  # fmt: skip
    """Fetch one file, verified, against receiving it."""
    source = random_file(folder / "large" / "model.bin", size_bytes)
    return _down(f"1 file of {shown_size(size_bytes)}", folder, server, source, against, cached=cached)


def many_files_up(
    folder: Path, server: S3Server, *, files: int = 5000, size_bytes: int = 100 << 10, against: Clients = S3FS
) -> Benchmark:  # fmt: skip
    """Register a folder against sending its files, many at once."""
    return _up(f"{files} files of {shown_size(size_bytes)}", server, _many(folder / "many", files, size_bytes), against)


def many_files_down(
    folder: Path, server: S3Server, *, files: int = 5000, size_bytes: int = 100 << 10, against: Clients = S3FS, cached: bool = True
) -> Benchmark:  # fmt: skip
    """Fetch a folder, verified, against receiving its files, many at once."""
    source = _many(folder / "many", files, size_bytes)
    return _down(f"{files} files of {shown_size(size_bytes)}", folder, server, source, against, cached=cached)


def _up(what: str, server: S3Server, source: Path, against: Clients) -> Benchmark:
    clients = [UP[client](server, source) for client in against]
    return Benchmark(f"S3 up{_beside(against)}: {what}", _target(against), lambda: min(_timed(server, one) for one in clients),
                     lambda: _registered(server, source))  # fmt: skip


def _down(what: str, folder: Path, server: S3Server, source: Path, against: Clients, *, cached: bool) -> Benchmark:
    root = server.new_prefix()
    prefix = root.removeprefix("s3://")
    server.filesystem().put(str(source), f"{prefix}/source", recursive=True, batch_size=AT_ONCE)
    registry = Registry(f"{root}/registry", storage_options=server.storage_options)
    registry.register("churn", source)

    def timed(receive: Callable[[Path], object]) -> float:
        with _emptied(folder / "received") as received, stopwatch() as clock:
            receive(received / "it")
        return clock.elapsed_s

    clients = [DOWN[client](server) for client in against]  # connected once, as we are

    def floor() -> float:
        return min(timed(lambda into, one=one: one(prefix, into)) for one in clients)

    def ours() -> float:
        with _emptied(folder / "cache") as cache, mock.patch.dict(os.environ, FLOWREG_CACHE=str(cache) if cached else "off"):
            return timed(lambda into: registry.fetch("churn@1", into))

    return Benchmark(f"S3 down{_beside(against)}{'' if cached else ', no cache'}: {what}", _target(against), floor, ours)


def _beside(against: Clients) -> str:
    return ", obstore" if against == OBSTORE else ""


def _target(against: Clients) -> float | None:
    return None if against == OBSTORE else TARGET


def _boto3_up(server: S3Server, source: Path) -> _Client:
    client = _boto3(server)
    return lambda _, prefix: client.upload_file(str(source), *f"{prefix}/model.bin".split("/", 1))


def _s3fs_up(server: S3Server, source: Path) -> _Client:
    if source.is_dir():
        return lambda files, prefix: files.put(f"{source}/", f"{prefix}/many/", recursive=True, batch_size=AT_ONCE)
    return lambda files, prefix: files.put_file(str(source), f"{prefix}/model.bin")


def _boto3_down(server: S3Server) -> _Receiver:
    client = _boto3(server)
    return lambda prefix, target: client.download_file(*f"{prefix}/source".split("/", 1), str(target))


def _s3fs_down(server: S3Server) -> _Receiver:
    files = server.filesystem()

    def get(prefix: str, target: Path) -> None:
        if files.isfile(f"{prefix}/source"):
            files.get_file(f"{prefix}/source", str(target))
        else:
            files.get(f"{prefix}/source/", f"{target}/", recursive=True, batch_size=AT_ONCE)

    return get


def _obstore_up(server: S3Server, source: Path) -> _Client:
    def put(_: Any, prefix: str) -> None:
        store, below = _obstore(server, prefix)
        _each(lambda file: store.put(f"{below}/{file.name}", file), sorted(source.iterdir()) if source.is_dir() else [source])

    return put


def _obstore_down(server: S3Server) -> _Receiver:
    def get(prefix: str, target: Path) -> None:
        store, below = _obstore(server, prefix)
        listed = [found["path"] for batch in store.list(f"{below}/source") for found in batch]
        places = {path: target / path.rpartition("/")[2] for path in listed} or {f"{below}/source": target}
        if listed:
            target.mkdir()
        _each(lambda path: _received(store, path, places[path]), list(places))

    return get


def _received(store: Any, path: str, into: Path) -> None:
    with open(into, "wb") as file:
        for piece in store.get(path):
            file.write(piece)


UP: Mapping[str, Callable[[S3Server, Path], _Client]] = {"boto3": _boto3_up, "s3fs": _s3fs_up, "obstore": _obstore_up}
DOWN: Mapping[str, Callable[[S3Server], _Receiver]] = {"boto3": _boto3_down, "s3fs": _s3fs_down, "obstore": _obstore_down}


def _obstore(server: S3Server, prefix: str) -> tuple[Any, str]:
    from obstore.store import S3Store

    said = server.storage_options
    bucket, _, below = prefix.partition("/")
    keys = {"access_key_id": said["key"], "secret_access_key": said["secret"]}
    return S3Store(bucket, endpoint=said["endpoint_url"], region="us-east-1", client_options={"allow_http": True}, **keys), below


def _each(work: Callable[[Any], object], items: Sequence[Any]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work, items))


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
