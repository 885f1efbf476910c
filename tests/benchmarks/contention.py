"""Many processes that register versions of one model at the same time."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

from flowreg import Registry

from . import floors
from .ratio import Benchmark, stopwatch

PATIENCE_S = 240


def registrations(folder: Path, *, processes: int = 8, each: int = 25) -> Benchmark:
    """Ours against a prototype with the same files and fsyncs. Every number must come out once, in one row."""

    def floor() -> float:
        took_s = _together(_register_floor, folder / "floor", processes, each)
        _require_consecutive([int(path.stem) for path in (folder / "floor" / "journal").glob("*.json")], processes * each)
        shutil.rmtree(folder / "floor")
        return took_s

    def ours() -> float:
        Registry(folder / "registry").register("other", _model(folder, "other"))
        took_s = _together(_register_ours, folder / "registry", processes, each)
        versions = Registry(folder / "registry").versions("churn")
        _require_consecutive([version.number for version in versions], processes * each)
        assert len({version.digest for version in versions}) == processes * each
        shutil.rmtree(folder / "registry")
        return took_s

    return Benchmark(f"{processes} processes x {each} registrations of one model", 3.0, floor, ours)


def _together(work: Callable[[Path, str, int, Barrier], None], root: Path, processes: int, each: int) -> float:
    """Seconds from the moment that all processes are ready until the last one is done."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes + 1)
    workers = [context.Process(target=work, args=(root, f"writer-{number}", each, barrier)) for number in range(processes)]
    for worker in workers:
        worker.start()
    barrier.wait(PATIENCE_S)
    with stopwatch() as clock:
        barrier.wait(PATIENCE_S)
    for worker in workers:
        worker.join(PATIENCE_S)
    assert [worker.exitcode for worker in workers] == [0] * processes
    return clock.elapsed_s


def _register_floor(root: Path, name: str, each: int, barrier: Barrier) -> None:
    models = [_model(root.parent, f"{name}-{number}") for number in range(each)]
    (root / "journal").mkdir(parents=True, exist_ok=True)
    barrier.wait(PATIENCE_S)
    after = 0
    for model in models:
        after = floors.register(root, model, {"by": name}, after=after)
    barrier.wait(PATIENCE_S)


def _register_ours(root: Path, name: str, each: int, barrier: Barrier) -> None:
    models = [_model(root.parent, f"{name}-{number}") for number in range(each)]
    registry = Registry(root, actor=name)
    registry.versions("other")
    barrier.wait(PATIENCE_S)
    for model in models:
        registry.register("churn", model)
    barrier.wait(PATIENCE_S)


def _model(folder: Path, name: str) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"model": name}))
    return path


def _require_consecutive(numbers: list[int], expected: int) -> None:
    assert sorted(numbers) == list(range(1, expected + 1))
