"""Registering: one large file, many small ones, one of ordinary size with everything that is said about it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from flowreg import Registry

from . import floors
from .ratio import Benchmark, stopwatch

SAID = {
    "metrics": {f"metric_{i}": 0.9 + i / 1000 for i in range(10)},
    "params": {f"param_{i}": i for i in range(10)},
    "labels": {f"label_{i}": f"value {i}" for i in range(5)},
}
PIECE_BYTES = 1 << 20


def large_file(folder: Path, *, size_bytes: int = 1 << 30) -> Benchmark:
    """One file against copying it, fsyncing the copy, then hashing it."""
    return _artifact(f"register 1 file of {shown_size(size_bytes)}", 0.9, folder, _files(folder / "large", 1, size_bytes), durable=True)


def many_files(folder: Path, *, files: int = 2000, size_bytes: int = 64 << 10) -> Benchmark:
    """A folder of files against copying each with an fsync, then hashing each."""
    sources = _files(folder / "many", files, size_bytes)
    return _artifact(f"register {files} files of {shown_size(size_bytes)}", 1.5, folder, sources, durable=True)


def many_files_against_no_fsync(folder: Path, *, files: int = 2000, size_bytes: int = 64 << 10) -> Benchmark:
    """The same against a floor that promises nothing after a power cut."""
    sources = _files(folder / "many", files, size_bytes)
    return _artifact("  the same, against a floor without fsync", None, folder, sources, durable=False)


def with_metadata(folder: Path, *, size_bytes: int = 1 << 20) -> Benchmark:
    """One file with metrics, params and labels against a blob, a manifest and an entry with the same fsyncs."""
    registry, floor_root, numbers = Registry(folder / "registry"), folder / "floor", count()

    def source() -> Path:
        return random_file(folder / "sources" / f"model-{next(numbers)}.bin", size_bytes)

    def floor() -> float:
        new = source()
        with stopwatch() as clock:
            floors.register(floor_root, new, SAID, after=len(list(floor_root.glob("journal/*.json"))))
        return clock.elapsed_s

    def ours() -> float:
        new = source()
        with stopwatch() as clock:
            registry.register("churn", new, on="holdout", **SAID)
        registry.flush()
        return clock.elapsed_s

    return Benchmark(f"register {shown_size(size_bytes)}, 10 metrics, 10 params, 5 labels", 2.0, floor, ours)


def _artifact(name: str, target: float | None, folder: Path, sources: Sequence[Path], *, durable: bool) -> Benchmark:
    def floor() -> float:
        with _new_folder(folder / "copies") as copies, stopwatch() as clock:
            floors.copy_then_hash(sources, copies, durable=durable)
        return clock.elapsed_s

    def ours() -> float:
        with _new_folder(folder / "registry") as root:
            registry = Registry(root)
            registry.register("other", random_file(folder / "other.bin", 1))
            with stopwatch() as clock:
                registry.register("churn", sources[0].parent if len(sources) > 1 else sources[0])
            registry.flush()
        return clock.elapsed_s

    return Benchmark(name, target, floor, ours)


def _files(folder: Path, files: int, size_bytes: int) -> list[Path]:
    return [random_file(folder / f"part-{number:05d}.bin", size_bytes) for number in range(files)]


def random_file(path: Path, size_bytes: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for done in range(0, size_bytes, PIECE_BYTES):
            file.write(os.urandom(min(PIECE_BYTES, size_bytes - done)))
        file.flush()
        os.fsync(file.fileno())
    return path


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        os.sync()  # so that neither side pays for what the other left to be written


def shown_size(size_bytes: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size_bytes < 1024:
            return f"{size_bytes} {unit}"
        size_bytes //= 1024
    return f"{size_bytes} GiB"
