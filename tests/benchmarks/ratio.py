"""One comparison: a floor and ours, taken in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Benchmark:
    """``floor`` and ``ours`` each do the work once and say how many seconds it took. ``target`` is a ratio, None: only to look at."""

    name: str
    target: float | None
    floor: Callable[[], float]
    ours: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured: medians in seconds, and the median, lowest and highest ratio of the pairs."""

    name: str
    target: float | None
    floor_s: float
    ours_s: float
    ratio: float
    lowest: float
    highest: float


def measured(benchmark: Benchmark, *, repeats: int) -> Figure:
    """Floor and ours in turn, ``repeats`` times after one time that does not count."""
    pairs = [(benchmark.floor(), benchmark.ours()) for _ in range(repeats + 1)][1:]
    ratios = [ours / floor for floor, ours in pairs]
    return Figure(
        benchmark.name,
        benchmark.target,
        floor_s=median(floor for floor, _ in pairs),
        ours_s=median(ours for _, ours in pairs),
        ratio=median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
    )


class Clock:
    """How long the block of ``stopwatch`` took, in seconds."""

    elapsed_s = 0.0


@contextmanager
def stopwatch() -> Iterator[Clock]:
    clock, before = Clock(), time.perf_counter()
    yield clock
    clock.elapsed_s = time.perf_counter() - before
