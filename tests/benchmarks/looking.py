"""Looking around for a run's lineage: code, environment, packages, lockfile."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .ratio import Benchmark, stopwatch


def around(folder: Path, *, files: int = 300) -> Benchmark:
    """All that is captured in a repository with changes, against the three questions to git that cannot be saved."""
    from flowreg.lineage.capture import capture

    repository = _repository(folder / "repository", files)

    def floor() -> float:
        with stopwatch() as clock:
            for question in (("rev-parse", "HEAD"), ("status", "--porcelain"), ("diff", "HEAD", "--binary")):
                subprocess.run(["git", "-C", str(repository), *question], check=True, capture_output=True)
        return clock.elapsed_s

    def ours() -> float:
        with _inside(repository), stopwatch() as clock:
            capture()
        return clock.elapsed_s

    return Benchmark(f"capture in a repository of {files} files", 4.0, floor, ours)


def _repository(folder: Path, files: int) -> Path:
    folder.mkdir()
    for number in range(files):
        (folder / f"module_{number:04d}.py").write_text(f"x = {number}\n" * 100)
    (folder / "uv.lock").write_text("numpy==2.0\n" * 1000)
    identity = ("-c", "user.name=Ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false")
    for question in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "All")):
        subprocess.run(["git", *identity, "-C", str(folder), *question], check=True)
    (folder / "module_0000.py").write_text("x = 1\n" * 200)
    (folder / "new.py").write_text("y = 1\n")
    return folder


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
