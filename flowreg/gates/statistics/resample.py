"""The paired percentile bootstrap: how much would the difference vary if other examples, or other clusters, had been drawn?

Rule 1: both sides always get the same draw, so what they share cancels out.
Rule 2: the same seed gives the same bounds; the seed is part of the record.
Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array, Statistic
from .estimate import Estimate, Unreliable, refuse_lopsided

DRAWS = 2000


def draw_differences(statistic: Statistic, *, n: int, clusters: Array | None, seed: int, draws: int = DRAWS) -> Array:
    """``statistic`` of ``draws`` resamples of ``n`` examples; ``clusters`` has a number from 0 for each, and then whole ones are drawn."""
    rng = np.random.default_rng(seed)
    units = n if clusters is None else int(clusters.max()) + 1
    drawn = np.empty(draws)
    for place in range(draws):
        counts = np.bincount(rng.integers(0, units, units), minlength=units)
        drawn[place] = statistic(counts if clusters is None else counts[clusters])
    return drawn


def draw_tables(counts: Array, *, seed: int, draws: int = DRAWS) -> Array:
    """Resamples of examples of which there are only a few kinds, ``counts`` of each: the same law, without touching an example."""
    n = int(counts.sum())
    return np.random.default_rng(seed).multinomial(n, counts / n, size=draws)


def bounds(difference: float, drawn: Array, *, alpha: float, n: int, seed: int) -> Estimate:
    """The percentile bounds of what ``draw_differences`` gave."""
    if not np.isfinite(drawn).all():
        raise Unreliable("some resamples have no value, since too few examples carry the metric")
    spread = float(drawn.std())
    if not spread > 1e-9 * abs(difference):
        raise Unreliable("the difference is the same in every resample, so nothing tells how much chance is in it")
    refuse_lopsided(spread**2, float(np.mean((drawn - drawn.mean()) ** 3)))
    low, high = (float(bound) for bound in np.quantile(drawn, [alpha, 1 - alpha]))
    p_better, p_worse = ((1 + int(side.sum())) / (1 + len(drawn)) for side in (drawn <= 0, drawn >= 0))
    return Estimate(difference, low, high, p_better, p_worse, n, seed)
