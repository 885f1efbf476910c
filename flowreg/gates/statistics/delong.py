"""The difference of two ROC AUCs on the same examples, by DeLong's variance.

DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837; computed from ranks as in Sun and Xu, IEEE Signal Processing
Letters 21 (2014) 1389, but with one sort for each model: both classes are counted along it.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from .arrays import Array
from .estimate import Estimate, agreement, refuse_lopsided
from .paired import powers


def placements(positive: Array, score: Array) -> Array:
    """For each example the share of the other class that its score is on the right side of; a tie counts half.

    The mean over either class is the AUC. ``positive`` is boolean. *n* log *n*.
    """
    order = np.argsort(score)
    ordered, sorted_positive = score[order], positive[order]
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, len(score))  # of the runs of equal scores
    positives = np.cumsum(sorted_positive)[ends - 1]
    lengths = np.diff(ends, prepend=0)
    below = np.repeat(_middles(ends - positives) / max(int(ends[-1] - positives[-1]), 1), lengths)
    above = np.repeat(1 - _middles(positives) / max(int(positives[-1]), 1), lengths)
    placed = np.empty(len(score))
    placed[order] = np.where(sorted_positive, below, above)
    return placed


def compare(positive: Array, candidate: Array, baseline: Array, *, alpha: float) -> Estimate:
    """Candidate's AUC minus the baseline's, from the placements of each. Needs both classes; the caller sees to that."""
    apart = candidate - baseline
    classes = apart[positive], apart[~positive]
    if not apart.any():
        return agreement(alpha, len(apart), *map(len, classes))
    difference = float(classes[0].mean())
    centred = [d - d.mean() for d in classes]
    variance = sum(float(c @ c) / (len(c) - 1) / len(c) for c in centred)
    third, fourth = (sum(of_class) for of_class in zip(*(powers(c / len(c)) for c in centred), strict=True))
    refuse_lopsided(variance, third, fourth)
    normal, error = NormalDist(), variance**0.5
    reach = normal.inv_cdf(1 - alpha) * error
    p_worse = normal.cdf(difference / error)
    return Estimate(difference, difference - reach, difference + reach, 1 - p_worse, p_worse, len(apart))


def _middles(counts: Array) -> Array:
    """The mean of the count before and after each run."""
    return (counts + np.concatenate(([0], counts[:-1]))) / 2
