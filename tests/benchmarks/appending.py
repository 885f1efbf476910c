"""Entries alone, without bytes: one writer against the bare durable create, and many processes that write to one model.

python -m tests.benchmarks.appending [ROOT]      appends a second and fairness with 1, 8 and 32 processes
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from flowreg import Registry

from . import floors
from .ratio import Benchmark, stopwatch

PATIENCE_S = 240


def one_writer(folder: Path, *, times: int = 100) -> Benchmark:
    """A label set by a warm registry, against temporary file, write, fsync, link, fsync of the folder for as many bytes."""
    registry, numbers = _registry(str(folder / "registry"), {}), itertools.count()
    registry.flush()
    entry = sorted((folder / "registry" / "models" / "churn" / "journal").glob("*.json"))[-1].read_bytes()
    (folder / "floor").mkdir()

    def floor() -> float:
        with stopwatch() as clock:
            for _ in range(times):
                floors.create(folder / "floor" / f"{next(numbers):020d}.json", entry)
        return clock.elapsed_s

    def ours() -> float:
        with stopwatch() as clock:
            for _ in range(times):
                registry.label("churn@1", {"turn": str(next(numbers))})
        return clock.elapsed_s

    return Benchmark(f"{times} durable appends, one writer", 1.5, floor, ours)


@dataclass(frozen=True, slots=True)
class Race:
    """How ``processes`` writers of one model did. ``slowest`` is the last writer's time over the mean of all."""

    processes: int
    appends_per_s: float
    slowest: float
    conflicts_per_entry: float


def race(root: str, options: Mapping[str, Any], *, processes: int, each: int) -> Race:
    """Each process sets a label of one version ``each`` times; every one must stand in the journal once."""
    _registry(root, options).flush()
    context = multiprocessing.get_context("spawn")
    barrier, told = context.Barrier(processes), context.Queue()
    workers = [context.Process(target=_write, args=(root, dict(options), f"writer-{n}", each, barrier, told)) for n in range(processes)]
    for worker in workers:
        worker.start()
    found = [told.get(timeout=PATIENCE_S) for _ in workers]
    for worker in workers:
        worker.join(PATIENCE_S)
    times = [took_s for took_s, _ in found]
    made = Counter(
        line.by.actor for line in Registry(root, storage_options=options).history("churn") if line.kind == "labelled" and line.by
    )
    assert made == {f"writer-{n}": each for n in range(processes)}
    lost = sum(lost for _, lost in found)
    return Race(processes, processes * each / max(times), max(times) * processes / sum(times), lost / processes / each)


def _write(root: str, options: Mapping[str, Any], name: str, each: int, barrier: Barrier, told: Queue[tuple[float, int]]) -> None:
    registry = Registry(root, storage_options=options, actor=name)
    registry.versions("churn")
    store = registry._store
    create, lost = store.create, itertools.count()

    def counted(path: str, data: bytes) -> None:
        try:
            create(path, data)
        except FileExistsError:
            next(lost)
            raise

    store.create = counted  # type: ignore[method-assign]
    barrier.wait(PATIENCE_S)
    before = time.perf_counter()
    for turn in range(each):
        registry.label("churn@1", {name: str(turn)})
    took_s = time.perf_counter() - before
    told.put((took_s, next(lost)))


def _registry(root: str, options: Mapping[str, Any]) -> Registry:
    registry = Registry(root, storage_options=options)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.json"
        model.write_text(json.dumps({"model": "small"}))
        registry.register("churn", model)
    return registry


def main(arguments: Sequence[str]) -> None:
    """Print a line for each number of processes."""
    with tempfile.TemporaryDirectory(prefix="flowreg-benchmark-") as folder:
        for processes in (1, 8, 32):
            base = arguments[0] if arguments else folder
            options = json.loads(arguments[1]) if len(arguments) > 1 else {}
            each = max(5, int(arguments[2] if len(arguments) > 2 else 800) // processes)
            print(race(f"{base}/{uuid.uuid4().hex[:8]}", options, processes=processes, each=each), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
