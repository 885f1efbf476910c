"""A fetch that was killed: what had come is not fetched again, and is believed no more than anything else."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flowreg import Registry
from flowreg.core.manifest import File
from flowreg.storage.arriving import RANGE_BYTES
from flowreg.storage.fetched import Cache, cache_here
from tests.servers.counting_proxy import CountingProxy
from tests.servers.s3 import S3Server

pytestmark = pytest.mark.s3
MIB = 1 << 20


class Fetching:
    """``flowreg fetch`` in a process of its own, behind a proxy that counts."""

    def __init__(self, server: S3Server, proxy: CountingProxy, folder: Path) -> None:
        self._server, self._proxy, self._folder = server, proxy, folder
        self.root = server.new_prefix()
        cache = cache_here()
        assert cache is not None
        self.cache: Cache = cache

    @property
    def registry(self) -> Registry:
        return Registry(self.root, storage_options=self._server.storage_options)

    @property
    def out(self) -> Path:
        return self._folder / "out"

    def killed_when(self, enough: Callable[[int], bool]) -> None:
        """Kill it as soon as ``enough(bytes in the cache)``."""
        with self._started() as process:
            while not enough(self.bytes_kept()):
                assert process.poll() is None, "it was done before it was killed"
                time.sleep(0.005)
            process.kill()

    def again(self) -> int:
        """Fetch to the end; the bytes of blobs that came from the server."""
        with self._proxy.counting() as seen, self._started() as process:
            assert process.wait(timeout=600) == 0
        return sum(request.bytes_down for request in seen if request.method == "GET" and "/blobs/" in request.path)

    def bytes_kept(self) -> int:
        return sum(file.size_bytes for file in self.cache.files())

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "flowreg.cli", "--root", self.root, "fetch", "churn@1", "--into", str(self.out)]
        return subprocess.Popen(command, env={**os.environ, **self._server.env}, stdout=subprocess.DEVNULL)


@pytest.fixture
def fetching(counted_s3: tuple[S3Server, CountingProxy], tmp_path: Path) -> Fetching:
    return Fetching(*counted_s3, tmp_path)


def written(path: Path, size_bytes: int, *, seed: int = 7) -> Path:
    source = random.Random(seed)
    with path.open("wb") as file:
        for _ in range(size_bytes // MIB):
            file.write(source.randbytes(MIB))
    return path


def same_bytes(a: Path, b: Path) -> bool:
    return subprocess.run(["cmp", "--silent", a, b], check=False).returncode == 0


@pytest.mark.parametrize("size_bytes", [256 * MIB, pytest.param(1024 * MIB, marks=pytest.mark.slow)])
def test_a_large_file_goes_on_where_it_was(fetching: Fetching, tmp_path: Path, size_bytes: int) -> None:
    """Killed when more than four fifths had come: less than a quarter comes again, and it is what was registered."""
    model = written(tmp_path / "model.bin", size_bytes)
    fetching.registry.register("churn", model)

    fetching.killed_when(lambda kept: kept > 0.8 * size_bytes)
    assert not fetching.out.exists()

    assert fetching.again() < 0.25 * size_bytes
    assert same_bytes(fetching.out / "model.bin", model)
    assert [file.whole for file in fetching.cache.files()] == [True, True]  # the manifest and the model


def test_files_that_had_come_are_not_fetched_again(fetching: Fetching, tmp_path: Path) -> None:
    """Killed in the middle of a folder of files."""
    (tmp_path / "model").mkdir()
    for number in range(120):
        written(tmp_path / "model" / f"part-{number}", MIB, seed=number)
    fetching.registry.register("churn", tmp_path / "model")

    fetching.killed_when(lambda kept: kept > 60 * MIB)
    there = sum(file.size_bytes for file in fetching.cache.files() if file.whole)

    assert fetching.again() <= 121 * MIB - there
    assert all(same_bytes(fetching.out / f"part-{n}", tmp_path / "model" / f"part-{n}") for n in (0, 59, 119))


def all_in(cache: Cache, file: File) -> None:
    """A record that says all is there, over nothing."""
    with cache.arriving(file) as arriving:
        for number in range(len(arriving)):
            start, stop = arriving.span(number)
            arriving.take(number, stop - 1, b"\0")
            assert arriving.so_far(number) == stop - start


def more_than_there_is(cache: Cache, file: File) -> None:
    with cache.arriving(file) as arriving:
        os.pwrite(arriving.target, b"\xff" * 4 * len(arriving), file.size_bytes)


def too_long(cache: Cache, file: File) -> None:
    with cache.arriving(file) as arriving:
        os.ftruncate(arriving.target, 10 * file.size_bytes)


def too_short(cache: Cache, file: File) -> None:
    with cache.arriving(file) as arriving:
        os.ftruncate(arriving.target, 10)


def one_wrong_byte(cache: Cache, file: File) -> None:
    with cache.arriving(file) as arriving:
        arriving.take(1, RANGE_BYTES, b"\xff" * 100)


@pytest.mark.parametrize("left", [all_in, more_than_there_is, too_long, too_short, one_wrong_byte], ids=lambda left: left.__name__)
def test_what_is_found_is_not_believed(fetching: Fetching, tmp_path: Path, left: Callable[[Cache, File], None]) -> None:
    """Whatever stands where an interrupted fetch would have left its file: what is fetched is what was registered."""
    model = written(tmp_path / "model.bin", 20 * MIB)
    registry = fetching.registry
    registry.register("churn", model)
    file = File("model.bin", 20 * MIB, registry.files("churn@1")["model.bin"])
    fetching.cache.with_room_for([file])
    left(fetching.cache, file)

    registry.fetch("churn@1", fetching.out)

    assert same_bytes(fetching.out / "model.bin", model)
    assert all(found.whole for found in fetching.cache.files()) or left is one_wrong_byte
