"""Metrics that are no mean over examples, prepared once so that each resample costs one pass.

A statistic takes how often each example counts, and gives the value; NaN where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from .arrays import Array, Statistic
from .values import decisions, errors, numbers, positives


def statistic(recipe: str, truth: Array, given: Array) -> Statistic:
    """``recipe`` of these examples, as a function of their weights."""
    return _MAKERS[recipe](truth, given)


def kinds(truth: Array, candidate: Array, baseline: Array) -> Array:
    """What kind each example is, 0 to 7: the truth, what the candidate said, what the baseline said."""
    return np.asarray(positives(truth) * 4 + decisions(candidate) * 2 + decisions(baseline) * 1)


def of_kinds(recipe: str, tables: Array) -> tuple[Array, Array]:
    """The values of candidate and baseline, of tables whose last axis counts the eight kinds."""
    yes, no = tables[..., 4:], tables[..., :4]
    candidate = yes[..., 2:].sum(-1), no[..., 2:].sum(-1), yes[..., :2].sum(-1), no[..., :2].sum(-1)
    baseline = yes[..., 1::2].sum(-1), no[..., 1::2].sum(-1), yes[..., 0::2].sum(-1), no[..., 0::2].sum(-1)
    return _FROM_COUNTS[recipe](*candidate), _FROM_COUNTS[recipe](*baseline)


def _share(part: Array, whole: Array, *, empty: float = math.nan) -> Array:
    """``part`` of ``whole``, ``empty`` where that is 0."""
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(part), empty), where=np.asarray(whole) > 0))


# From true and false positives, then false and true negatives.
_FROM_COUNTS: Mapping[str, Callable[[Array, Array, Array, Array], Array]] = {
    "precision": lambda tp, fp, fn, tn: _share(tp, tp + fp),
    "f1": lambda tp, fp, fn, tn: _share(2 * tp, 2 * tp + fp + fn),
    "balanced_accuracy": lambda tp, fp, fn, tn: (_share(tp, tp + fn) + _share(tn, tn + fp)) / 2,
}


def _counts(recipe: str) -> Callable[[Array, Array], Statistic]:
    def make(truth: Array, pred: Array) -> Statistic:
        cells = positives(truth) * 2 + decisions(pred) * 1

        def value(weights: Array) -> float:
            tn, fp, fn, tp = np.bincount(cells, weights, minlength=4)
            return float(_FROM_COUNTS[recipe](tp, fp, fn, tn))

        return value

    return make


def _roc_auc(truth: Array, score: Array) -> Statistic:
    runs = _Runs(truth, numbers(score, "score"))

    def value(weights: Array) -> float:
        yes, no = runs.sums(weights)
        pairs = yes.sum() * no.sum()
        return float(yes @ (no.sum() - np.cumsum(no) + no / 2) / pairs) if pairs else np.nan

    return value


def _pr_auc(truth: Array, score: Array) -> Statistic:
    """Average precision: the mean over the positives of the precision at their score."""
    runs = _Runs(truth, numbers(score, "score"))

    def value(weights: Array) -> float:
        yes, no = runs.sums(weights)
        found = np.cumsum(yes)
        precision = _share(found, found + np.cumsum(no), empty=0.0)
        return float(yes @ precision / found[-1]) if found[-1] else np.nan

    return value


class _Runs:
    """Examples by falling score, those of equal score together."""

    def __init__(self, truth: Array, score: Array) -> None:
        self.order = np.argsort(-score)
        ordered = score[self.order]
        self.starts = np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1))
        self.positive = positives(truth)[self.order]

    def sums(self, weights: Array) -> tuple[Array, Array]:
        """The weight of positives and of negatives in each run."""
        weight = weights[self.order].astype(np.float64)
        yes = np.add.reduceat(np.where(self.positive, weight, 0.0), self.starts)
        return yes, np.add.reduceat(weight, self.starts) - yes


def _rmse(truth: Array, given: Array) -> Statistic:
    squared = errors(truth, given) ** 2
    return lambda weights: float(np.sqrt(weights @ squared / weights.sum()))


def _wape(truth: Array, given: Array) -> Statistic:
    """All absolute errors together, as a share of all that is true."""
    away, size = np.abs(errors(truth, given)), np.abs(numbers(truth, "y"))
    return lambda weights: float(_share(weights @ away, weights @ size))


_MAKERS: Mapping[str, Callable[[Array, Array], Statistic]] = {
    "roc_auc": _roc_auc, "pr_auc": _pr_auc, "rmse": _rmse, "wape": _wape,
    **{recipe: _counts(recipe) for recipe in _FROM_COUNTS},
}  # fmt: skip
