"""From an estimate to a verdict.

``non_inferiority`` passes if the lower bound is above ``-margin``, ``superiority`` if it is above 0, and ``no_harm`` fails only
if the upper bound is below 0. What is between is inconclusive, which is no pass: more examples could settle it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from .estimate import Estimate

Test = Literal["non_inferiority", "superiority", "no_harm"]
Finding = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found; ``needed`` is about how many examples would give a pass if the difference stays as it is (None: no number would)."""

    finding: Finding
    needed: int | None = None


def verdict(test: Test, estimate: Estimate, *, margin: float, alpha: float) -> Verdict:
    """``margin`` is 0 but for ``non_inferiority``."""
    if test == "no_harm":
        harm = estimate.p_worse < alpha if estimate.high is None else estimate.high < 0
        return Verdict("fail" if harm else "pass")
    if estimate.low is None or estimate.high is None:
        better, worse = estimate.p_better < alpha, estimate.p_worse < alpha
    else:
        better, worse = estimate.low > -margin, estimate.high < -margin
    if better or worse:
        return Verdict("pass" if better else "fail")
    return Verdict("inconclusive", needed(estimate, margin=margin))


def needed(estimate: Estimate, *, margin: float) -> int | None:
    """How many examples bring the lower bound to ``-margin``: its distance from the difference shrinks as the root of their number."""
    room = estimate.difference + margin
    if estimate.low is None or room <= 0:
        return None
    examples = estimate.n * ((estimate.difference - estimate.low) / room) ** 2
    return math.ceil(examples) if examples < 1e9 else None
