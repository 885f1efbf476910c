"""Every benchmark runs, and gives a ratio. No test here asserts a time: a loaded machine is not a bug."""

from __future__ import annotations

import math

import pytest

from .table import PLANS, figure, line, peak_mib


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANS)
def test_a_benchmark_gives_a_finite_ratio(name: str) -> None:
    """Floor and ours both do their work, small, and can be compared."""
    found = figure(name, small=True)

    assert math.isfinite(found.ratio)
    assert 0 < found.lowest <= found.ratio <= found.highest
    assert found.name in line(found)


@pytest.mark.slow
def test_peak_memory_is_measured() -> None:
    """A process that registers a file tells how much memory it took above its imports."""
    peak = peak_mib(small=True)

    assert math.isfinite(peak)
    assert peak >= 0
