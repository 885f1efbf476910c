"""Holm's correction for many tests: S. Holm, Scandinavian Journal of Statistics 6 (1979) 65."""

from __future__ import annotations

from collections.abc import Sequence


def adjusted(p_values: Sequence[float]) -> tuple[float, ...]:
    """Each p-value as it counts among all of them: below ``alpha`` means significant, with at most ``alpha`` for one false alarm in all.

    >>> adjusted([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    found, largest = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        found[place] = largest
    return tuple(found)
