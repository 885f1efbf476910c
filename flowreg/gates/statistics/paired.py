"""The mean of differences, example by example, by Student's t: for losses, where every example differs a little."""

from __future__ import annotations

import numpy as np

from .arrays import Array
from .estimate import Estimate, Unreliable, agreement, refuse_lopsided


def compare(differences: Array, *, alpha: float, bounded: bool) -> Estimate:
    """The mean of ``differences`` (more is better). ``bounded`` says that none can be outside -1 and 1."""
    from scipy.special import stdtr, stdtrit

    n, mean = len(differences), float(differences.mean())
    centred = differences - mean
    squares = float(centred @ centred)
    if not differences.any() and bounded:
        return agreement(alpha, n, n)
    if squares <= n * (1e-9 * abs(mean)) ** 2:
        raise Unreliable("the difference is the same for every example, so nothing tells how much chance is in it")
    refuse_lopsided(squares, *powers(centred))
    error = (squares / (n - 1) / n) ** 0.5
    reach = float(stdtrit(n - 1, 1 - alpha)) * error
    p_worse = float(stdtr(n - 1, mean / error))
    return Estimate(mean, mean - reach, mean + reach, 1 - p_worse, p_worse, n)


def powers(centred: Array) -> tuple[float, float]:
    """The sums of third and fourth powers."""
    squared = centred * centred
    return float(centred @ squared), float(squared @ squared)


def permute(differences: Array, *, seed: int, draws: int) -> Estimate:
    """The mean against the exact null that candidate and baseline could be swapped, example by example."""
    from scipy.stats import permutation_test

    def mean(values: Array, axis: int = -1) -> Array:
        return np.asarray(values.mean(axis=axis))

    def p(alternative: str) -> float:
        batch = max(1, 5_000_000 // len(differences))
        found = permutation_test(
            (differences,), mean, permutation_type="samples", vectorized=True, n_resamples=draws, batch=batch,
            alternative=alternative, rng=np.random.default_rng(seed),
        )  # fmt: skip
        return float(found.pvalue)

    return Estimate(float(differences.mean()), None, None, p("greater"), p("less"), len(differences), seed)
