"""The metrics that are computed here from per-example results: which way is better, and which methods fit.

A name that is not listed is the mean of the column of that name; which way is better must then be said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ...core.names import shown
from ...errors import BadInput

Better = Literal["higher", "lower"]
Method = Literal["delong", "tango", "t", "bootstrap", "permutation"]
# rate: a mean of 0 and 1; mean: a mean of losses; ranks: ROC AUC; counts: from the four kinds of right and wrong; whole: from all
# examples at once; queries: a mean over clusters; column: the mean of a column.
Form = Literal["rate", "mean", "ranks", "counts", "whole", "queries", "column"]

_METHODS: Mapping[Form, tuple[Method, ...]] = {
    "rate": ("tango", "bootstrap", "permutation"),
    "mean": ("t", "bootstrap", "permutation"),
    "ranks": ("delong", "bootstrap"),
    "counts": ("bootstrap",),
    "whole": ("bootstrap",),
    "queries": ("bootstrap",),
    "column": ("bootstrap", "t", "permutation"),
}  # the first is what ``auto`` takes
_NAMES: Mapping[str, tuple[str, Better, Form]] = {
    "roc_auc": ("roc_auc", "higher", "ranks"), "auc": ("roc_auc", "higher", "ranks"),
    "accuracy": ("accuracy", "higher", "rate"),
    "recall": ("recall", "higher", "rate"), "tpr": ("recall", "higher", "rate"), "sensitivity": ("recall", "higher", "rate"),
    "specificity": ("specificity", "higher", "rate"), "tnr": ("specificity", "higher", "rate"),
    "fpr": ("fpr", "lower", "rate"), "fnr": ("fnr", "lower", "rate"),
    "log_loss": ("log_loss", "lower", "mean"), "brier": ("brier", "lower", "mean"),
    "mae": ("mae", "lower", "mean"), "mse": ("mse", "lower", "mean"),
    "precision": ("precision", "higher", "counts"), "f1": ("f1", "higher", "counts"),
    "balanced_accuracy": ("balanced_accuracy", "higher", "counts"),
    "pr_auc": ("pr_auc", "higher", "whole"), "average_precision": ("pr_auc", "higher", "whole"),
    "rmse": ("rmse", "lower", "whole"), "wape": ("wape", "lower", "whole"),
}  # fmt: skip
_NDCG = re.compile(r"ndcg(?:@([1-9][0-9]{0,3}))?")
METHOD_NAMES: Mapping[Method, str] = {
    "delong": "DeLong", "tango": "Tango", "t": "paired t", "bootstrap": "bootstrap", "permutation": "permutation",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """How a metric is computed: ``recipe`` is its one name, ``at`` the cut-off of ``ndcg@10``."""

    recipe: str
    better: Better
    form: Form
    at: int | None = None

    @property
    def methods(self) -> tuple[Method, ...]:
        """What fits it, the preferred one first."""
        return _METHODS[self.form]

    @property
    def sign(self) -> int:
        return 1 if self.better == "higher" else -1


def known(metric: str, better: Better | None) -> Known:
    """How ``metric`` is compared; ``BadInput`` where nobody says which way is better, or the wrong way is said."""
    if ndcg := _NDCG.fullmatch(metric):
        found = Known("ndcg", "higher", "queries", int(ndcg[1]) if ndcg[1] else None)
    elif metric in _NAMES:
        found = Known(*_NAMES[metric])
    elif better is not None:
        return Known(metric, better, "column")
    else:
        raise BadInput(
            f"is more {shown(metric)} better, or less?",
            do=f"add better: higher or better: lower; known without it: {', '.join(sorted(_NAMES))}, ndcg",
            code="bad-policy",
        )
    if better not in (None, found.better):
        raise BadInput(f"of {metric}, {found.better} is better", do="leave better out", code="bad-policy")
    return found
