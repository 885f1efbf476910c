"""What a metric makes of each example: right or wrong, or how large a loss.

Rule 1: which examples count (the positives for recall) depends on the truth alone, so it is the same for both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from .arrays import Array
from .estimate import ENOUGH, Unreliable

_SMALLEST = 1e-15  # of a probability, so that a loss stays finite

CLASS_METRICS = frozenset({
    "roc_auc", "accuracy", "recall", "specificity", "fpr", "fnr", "log_loss", "brier", "precision", "f1", "balanced_accuracy", "pr_auc",
})  # fmt: skip
_BY_CLASS = CLASS_METRICS - {"roc_auc", "pr_auc", "log_loss", "brier"}
_BY_ERROR = frozenset({"mae", "mse", "rmse", "wape"})


def column_for(recipe: str, columns: frozenset[str]) -> str:
    """The column a metric reads, of those that both sides have: ``pred`` for decisions, ``score`` for probabilities and ranks."""
    if recipe in _BY_CLASS:
        return "pred"
    if recipe in _BY_ERROR:
        return "pred" if "pred" in columns or "score" not in columns else "score"
    return "score" if recipe in CLASS_METRICS or recipe == "ndcg" else recipe


def refuse_few(recipe: str, truth: Array) -> None:
    """Refuse to compare what has fewer than 50 examples, or of classes fewer than 50 of either."""
    if len(truth) < ENOUGH:
        raise Unreliable(f"there are {len(truth):,} examples, {ENOUGH} needed")
    if recipe in CLASS_METRICS:
        counts = np.sort(np.unique(truth, return_counts=True)[1])[::-1]
        second = int(counts[1]) if len(counts) > 1 else 0
        if second < ENOUGH:
            raise Unreliable(f"there are {second:,} examples of the rarer class, {ENOUGH} needed")


def positives(truth: Array) -> Array:
    """The truth as booleans."""
    if truth.dtype.kind == "b":
        return truth
    if truth.dtype.kind not in "iuf" or not np.isin(truth, (0, 1)).all():
        raise Unreliable("y has to be 0 or 1 for this metric")
    return np.asarray(truth == 1)


def numbers(values: Array, name: str) -> Array:
    """A column as floats."""
    if values.dtype.kind not in "biuf":
        raise Unreliable(f"the column {name} is text, and numbers are needed")
    return values.astype(np.float64, copy=False)


def probabilities(values: Array) -> Array:
    found = numbers(values, "score")
    if found.min() < 0 or found.max() > 1:
        raise Unreliable(f"score is no probability: it goes from {found.min():g} to {found.max():g}")
    return found


def counted(recipe: str, truth: Array) -> Array | None:
    """Which examples the metric is about; None: all."""
    if recipe in ("recall", "fnr"):
        return positives(truth)
    return ~positives(truth) if recipe in ("specificity", "fpr") else None


def per_example(recipe: str, truth: Array, given: Array) -> Array:
    """The value for each example, of which the metric is the mean."""
    make = _MEANS.get(recipe)
    return numbers(given, recipe) if make is None else make(truth, given)


def _right(truth: Array, pred: Array) -> Array:
    if (truth.dtype.kind == "U") != (pred.dtype.kind == "U"):
        raise Unreliable("of y and pred one is text and the other is not, so they are never equal")
    if truth.dtype.kind != "U" and np.isin(truth, (0, 1)).all():
        return _right_class(truth, pred)
    return np.asarray(truth == pred, dtype=np.float64)


def _wrong(truth: Array, pred: Array) -> Array:
    return 1 - _right_class(truth, pred)


def _right_class(truth: Array, pred: Array) -> Array:
    return np.asarray(positives(truth) == decisions(pred), dtype=np.float64)


def decisions(pred: Array) -> Array:
    """What was predicted, as booleans."""
    try:
        return positives(pred)
    except Unreliable:
        raise Unreliable("pred has to be 0 or 1 for this metric") from None


def _log_loss(truth: Array, score: Array) -> Array:
    likelihood = np.where(positives(truth), probabilities(score), 1 - probabilities(score))
    return -np.log(np.maximum(likelihood, _SMALLEST))


def _brier(truth: Array, score: Array) -> Array:
    return (positives(truth) - probabilities(score)) ** 2


def errors(truth: Array, given: Array) -> Array:
    """Predicted minus true."""
    return numbers(given, "pred") - numbers(truth, "y")


_MEANS: Mapping[str, Callable[[Array, Array], Array]] = {
    "accuracy": _right,
    "recall": _right_class, "specificity": _right_class, "fpr": _wrong, "fnr": _wrong,
    "log_loss": _log_loss, "brier": _brier,
    "mae": lambda truth, given: np.abs(errors(truth, given)),
    "mse": lambda truth, given: errors(truth, given) ** 2,
}  # fmt: skip
