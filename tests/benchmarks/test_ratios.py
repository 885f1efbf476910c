"""Every benchmark runs, and gives a ratio. No test here asserts a time: a loaded machine is not a bug."""

from __future__ import annotations

import math

import pytest

from . import writers
from .table import PLANS, figure, line, peak_mib


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, plan in PLANS.items() if plan.is_possible])
def test_a_benchmark_gives_a_finite_ratio(name: str) -> None:
    """Floor and ours both do their work, small, and can be compared."""
    found = figure(name, small=True)

    assert math.isfinite(found.ratio)
    assert 0 < found.lowest <= found.ratio <= found.highest
    assert found.name in line(found)


@pytest.mark.slow
@pytest.mark.parametrize("place", writers.PLACES)
def test_writers_on_each_filesystem_are_measured(place: str) -> None:
    """One and two of them; requests are counted where they are seen."""
    runs = list(writers.every([place], small=True))

    assert [run.writers for run in runs] == [1, 2]
    assert all(math.isfinite(run.rate) and run.slowest >= 1 for run in runs)
    assert all((run.requests is None) == (place in ("local", "sftp")) for run in runs)
    assert len(list(writers.lines(iter(runs)))) == 3


@pytest.mark.slow
def test_peak_memory_is_measured() -> None:
    """A process that registers a file tells how much memory it took above its imports."""
    peak = peak_mib(small=True)

    assert math.isfinite(peak)
    assert peak >= 0
