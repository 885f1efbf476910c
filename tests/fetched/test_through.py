"""Fetching and loading with the cache: from afar once, verified every time, and never the worse for it."""

from __future__ import annotations

import errno
import os
import random
import threading
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from flowreg import Corrupt, Registry, serving
from flowreg.core.layout import blob_path
from flowreg.core.manifest import File
from flowreg.storage.fetched import Cache, cache_here
from tests.conftest import Root
from tests.servers.counting_proxy import CountingProxy, Request
from tests.servers.s3 import S3Server

pytestmark = pytest.mark.s3
MIB = 1 << 20
LARGE = 20 * MIB  # in two ranges
NAMES = ("large.bin", "small.bin")


class Afar(NamedTuple):
    """``churn@1``, a large and a small file, on a server that counts; what a fetch of it has to bring."""

    root: Root
    proxy: CountingProxy
    files: dict[str, bytes]

    @property
    def registry(self) -> Registry:
        return Registry(self.root.url, storage_options=self.root.storage_options)

    def fetched(self, into: Path) -> dict[str, bytes]:
        self.registry.fetch("churn@1", into)
        return {name: (into / name).read_bytes() for name in NAMES}

    def damage(self, name: str, data: bytes) -> None:
        path = f"{self.root.url.removeprefix('s3://')}/{blob_path(self.registry.files('churn@1')[name])}"
        self.registry._store._filesystem()[0].pipe_file(path, data)


@pytest.fixture
def afar(counted_s3: tuple[S3Server, CountingProxy], tmp_path: Path) -> Afar:
    server, proxy = counted_s3
    source = random.Random(11)
    files = dict(zip(NAMES, (source.randbytes(LARGE), source.randbytes(MIB)), strict=True))
    (tmp_path / "model").mkdir()
    for name, data in files.items():
        (tmp_path / "model" / name).write_bytes(data)
    found = Afar(Root(server.new_prefix(), server.storage_options), proxy, files)
    found.registry.register("churn", tmp_path / "model")
    return found


@pytest.fixture
def cache() -> Cache:
    found = cache_here()
    assert found is not None
    return found


def blobs_read(seen: list[Request]) -> int:
    """Bytes of blobs that came from the server."""
    return sum(request.bytes_down for request in seen if request.method == "GET" and "/blobs/" in request.path)


def test_it_comes_from_afar_once(afar: Afar, tmp_path: Path) -> None:
    """What one process has fetched, through ``Registry``, costs another, through ``serving``, no byte: not even of the manifest."""
    assert afar.fetched(tmp_path / "first") == afar.files

    with afar.proxy.counting() as seen:
        again = serving.fetch("churn@1", tmp_path / "again", root=afar.root.url, storage_options=afar.root.storage_options)

    assert {name: (again / name).read_bytes() for name in NAMES} == afar.files
    assert blobs_read(seen) == 0


def test_a_model_is_loaded_from_afar_once(afar: Afar) -> None:
    """``load`` as well as ``fetch``."""
    afar.registry.register("flights", {"w": [1, 2]}, trust="pickle")
    assert afar.registry.load("flights@1", trust=True) == {"w": [1, 2]}

    with afar.proxy.counting() as seen:
        loaded = serving.load("flights@1", root=afar.root.url, storage_options=afar.root.storage_options, trust=True)

    assert loaded == {"w": [1, 2]}
    assert blobs_read(seen) == 0


def test_turned_off_nothing_is_kept(afar: Afar, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``FLOWREG_CACHE=off``"""
    monkeypatch.setenv("FLOWREG_CACHE", "off")

    assert afar.fetched(tmp_path / "out") == afar.files
    assert not cache.folder.exists()


@pytest.mark.parametrize("kind", ["folder", "memory"])
def test_what_is_near_is_not_copied_twice(kind: str, cache: Cache, tmp_path: Path) -> None:
    """A registry on this disk, or in memory, is read as it is."""
    registry = Registry(tmp_path / "r" if kind == "folder" else f"memory://{tmp_path.name}")
    registry.register("churn", {"w": 1}, trust="pickle")

    registry.fetch("churn@1", tmp_path / "out")
    registry.load("churn@1", trust=True)

    assert not cache.folder.exists()


def test_other_filesystems_have_it_too(sshd: Any, cache: Cache, tmp_path: Path) -> None:
    """Where a file cannot come in ranges it is kept when it is whole."""
    url, options, model = sshd.new_prefix(), sshd.storage_options, tmp_path / "model.bin"
    model.write_bytes(random.Random(12).randbytes(17 * MIB))
    registry = Registry(url, storage_options=options)
    registry.register("churn", model)
    registry.fetch("churn@1", tmp_path / "first")
    fs, base = registry._store._filesystem()
    fs.rm_file(f"{base}/{blob_path(registry.files('churn@1')['model.bin'])}")

    again = registry.fetch("churn@1", tmp_path / "again")

    assert (again / "model.bin").read_bytes() == model.read_bytes()


def flipped(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))


def test_damage_in_the_cache_is_mended_from_afar(afar: Afar, cache: Cache, tmp_path: Path) -> None:
    """Every file there is damaged: each is fetched again, and again it is what was registered; from then on the cache is sound."""
    afar.fetched(tmp_path / "first")
    for file in cache.files():
        flipped(cache.folder / file.name)

    assert afar.fetched(tmp_path / "second") == afar.files
    with afar.proxy.counting() as seen:
        assert afar.fetched(tmp_path / "third") == afar.files
    assert blobs_read(seen) == 0


@pytest.mark.parametrize("name", NAMES)
def test_damage_afar_is_neither_handed_out_nor_kept(afar: Afar, cache: Cache, tmp_path: Path, name: str) -> None:
    """The object was changed after registration: ``Corrupt``, and nothing of it stays in the cache."""
    data = afar.files[name]
    afar.damage(name, data[:-1] + bytes([data[-1] ^ 1]))

    with pytest.raises(Corrupt):
        afar.registry.fetch("churn@1", tmp_path / "out")

    assert not (tmp_path / "out").exists()
    assert afar.registry.files("churn@1")[name][7:] not in {file.name[:64] for file in cache.files()}


def test_a_rollback_verifies_what_is_stored(afar: Afar, tmp_path: Path) -> None:
    """The cache may have the bytes still: whether the registry has them is another question."""
    registry = afar.registry
    registry.promote("churn@1", to="champion")
    registry.register("churn", tmp_path / "model" / "small.bin")
    registry.promote("churn@2", to="champion")
    registry.fetch("churn@1", tmp_path / "out")
    afar.damage("small.bin", b"other bytes")

    with pytest.raises(Corrupt):
        registry.rollback("churn@champion", because="errors in region south")


@pytest.fixture(params=["a file is in its place", "nothing can be opened", "it is full", "it fills up", "it is full at the end"])
def poor_disk(request: pytest.FixtureRequest, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk of the cache that is of no use."""
    real_open, real_write = os.open, os.pwrite

    def no_open(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if str(path).startswith(str(cache.folder)) and flags & os.O_CREAT:
            raise OSError(errno.EROFS, "Read-only file system")
        return real_open(path, flags, *more, **named)

    def no_room(fd: int, data: Any, at: int) -> int:
        if at > 10 * MIB:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_write(fd, data, at)

    def refuse(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    match request.param:
        case "a file is in its place":
            cache.folder.parent.mkdir()
            cache.folder.write_text("not a folder")
        case "nothing can be opened":
            monkeypatch.setattr(os, "open", no_open)
        case "it is full":
            monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((4096, 4096, 10, 1, 1, 0, 0, 0, 0, 255)))
        case "it fills up":
            monkeypatch.setattr("flowreg.storage.arriving.os.pwrite", no_room)
            monkeypatch.setattr("flowreg.storage.fsspec_store.FsspecStore._get_large", whole_at_once)
        case "it is full at the end":
            monkeypatch.setattr(os, "replace", refuse)


def whole_at_once(store: Any, path: str, fd: int, into: Path, size: int, progress: Any) -> str | None:
    """Without ``pwrite``, which is the cache's alone while its disk is full and the other is not."""
    return store._get_small(path, fd, size, progress)


@pytest.mark.usefixtures("poor_disk")
def test_a_cache_that_is_of_no_use_stands_in_nobody_s_way(afar: Afar, tmp_path: Path) -> None:
    """Full, read-only, not a folder: what is fetched is all there, as if there were no cache; and so it is told to a watcher."""
    told: list[int] = []

    afar.registry.fetch("churn@1", tmp_path / "out", progress=told.append)

    assert {name: (tmp_path / "out" / name).read_bytes() for name in NAMES} == afar.files
    assert sum(told) == LARGE + MIB


def test_it_keeps_within_its_bound(afar: Afar, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second model drives the first one out, and the first can be fetched as before."""
    monkeypatch.setenv("FLOWREG_CACHE_SIZE", "24MiB")
    other = tmp_path / "other.bin"
    other.write_bytes(random.Random(13).randbytes(17 * MIB))
    afar.registry.register("flights", other)

    afar.registry.fetch("churn@1", tmp_path / "churn")
    afar.registry.fetch("flights@1", tmp_path / "flights")

    assert sum(file.size_bytes for file in cache.files()) <= 24 * MIB
    assert afar.fetched(tmp_path / "again") == afar.files


def test_many_at_once_fetch_a_large_file_once(afar: Afar, tmp_path: Path) -> None:
    """Who comes while another brings it waits for that, and all have it in the end."""
    found: dict[int, dict[str, bytes]] = {}

    def fetch(number: int) -> None:
        found[number] = afar.fetched(tmp_path / f"out-{number}")

    with afar.proxy.counting() as seen:
        threads = [threading.Thread(target=fetch, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [found[number] == afar.files for number in range(4)] == [True] * 4
    assert sum(request.bytes_down for request in seen if request.bytes_down >= 4 * MIB) == LARGE


def test_who_hangs_is_not_waited_for(afar: Afar, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another holds the file and brings nothing of it: it is fetched without the cache."""
    monkeypatch.setattr("flowreg.storage.fetched.through.PATIENCE_S", 0.0)
    large = File("large.bin", LARGE, afar.registry.files("churn@1")["large.bin"])
    cache.with_room_for([large])

    with cache.arriving(large):
        assert afar.fetched(tmp_path / "out") == afar.files
