"""``check`` with every byte read, against ``sha256sum`` over the same blobs with as many processes as this machine has cores."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from flowreg import Registry

from .ratio import Benchmark, stopwatch
from .registering import random_file


def read_data(folder: Path, *, files: int = 16, size_bytes: int = 16 << 20) -> Benchmark:
    """A model of ``files`` files."""
    (folder / "model").mkdir()
    for number in range(files):
        random_file(folder / "model" / f"{number}.bin", size_bytes)
    registry = Registry(folder / "registry")
    registry.register("churn", folder / "model")
    command = f"find {folder}/registry/blobs -type f -print0 | xargs -0 -n 1 -P {os.cpu_count() or 1} sha256sum"

    def floor() -> float:
        with stopwatch() as clock:
            subprocess.run(["sh", "-c", command], check=True, stdout=subprocess.DEVNULL)
        return clock.elapsed_s

    def ours() -> float:
        with stopwatch() as clock:
            assert registry.check(read_data=True).ok
        return clock.elapsed_s

    return Benchmark(f"check --read-data of {files} x {size_bytes >> 20} MiB", 1.25, floor, ours)
