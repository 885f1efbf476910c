"""The difference of two proportions on the same examples, by Tango's score bound.

Tango, Statistics in Medicine 17 (1998) 891. It holds where few examples differ, down to none, which Wald's and the
bootstrap's do not. No numpy: all that counts is how many examples only one side got right.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

from .estimate import Estimate

_STEPS = 60  # halvings of an interval of length 2: to the last bit


def compare(better: int, worse: int, n: int, *, alpha: float) -> Estimate:
    """The share of ``n`` examples that only the candidate got right (``better``) minus the share only the baseline did (``worse``)."""
    z, difference = NormalDist().inv_cdf(1 - alpha), (better - worse) / n
    low = _bisect(lambda delta: score(better, worse, n, delta) > z, -1.0, difference)
    high = _bisect(lambda delta: score(better, worse, n, delta) > -z, difference, 1.0)
    p_worse = NormalDist().cdf((better - worse) / math.sqrt(better + worse)) if better + worse else 0.5
    return Estimate(difference, low, high, 1 - p_worse, p_worse, n)


def score(better: int, worse: int, n: int, delta: float) -> float:
    """Tango's statistic: how far the counts are from a true difference ``delta``, in standard errors. Falls as ``delta`` grows."""
    away = better - worse - n * delta
    linear = (2 * n - better + worse) * delta - better - worse
    root = math.sqrt(max(linear**2 + 8 * n * worse * delta * (1 - delta), 0.0))
    variance = n * ((root - linear) / (2 * n) + delta * (1 - delta))
    return away / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, away) if away else 0.0


def _bisect(still: Callable[[float], bool], left: float, right: float) -> float:
    """Where ``still`` turns from true to false."""
    for _ in range(_STEPS):
        middle = (left + right) / 2
        left, right = (middle, right) if still(middle) else (left, middle)
    return (left + right) / 2
