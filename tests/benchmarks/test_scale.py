"""A model with very many versions is asked for no more than one with few: counted in calls of the store, not in seconds."""

from __future__ import annotations

import pytest

from .scale import lines, measured


@pytest.mark.parametrize("sizes", [(500, 2_000), pytest.param((1_000, 20_000), marks=pytest.mark.slow)])
def test_calls_do_not_grow_with_the_number_of_versions(sizes: tuple[int, int]) -> None:
    """Opening cold reads the head, the checkpoint and the tail; register, promote and resolve ask for the same at any size."""
    found = measured(sizes, repeats=1)
    few, many = ({cost.operation: cost.calls for cost in found if cost.versions == size} for size in sizes)

    assert few == many
    assert many["open cold and resolve"]["files"] < 10
    assert many["resolve"].total() <= 3
    assert len(list(lines(found))) == len(found) + 1
