"""The models: two families that answer the same question, and how well they do, overall and by slice.

Rule 1: training is seeded, on a sample of fixed size: the same months give the same model.
Rule 2: every model takes the frame as ``flights`` gives it and says a probability, so that one function scores them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler

from flows.flights import FEATURES, PLACES, SCHEDULE, TARGET, WEATHER

TRAINING_ROWS = 30_000
SLICED_BY = ("carrier", "origin")
SLICE_ROWS = 500  # below this many flights the AUC of a slice says little

Metrics = dict[str, float]


def linear() -> ClassifierMixin:
    """A logistic regression over one column for each place, each weekday and each tenth of a number's range."""
    names, skewed = [*PLACES, "weekday"], ["precip", "visib"]
    numbers = [name for name in (*SCHEDULE, *WEATHER) if name not in (*names, *skewed)]
    tenths = KBinsDiscretizer(10, encode="onehot", quantile_method="averaged_inverted_cdf")
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", min_frequency=30), names),
        (make_pipeline(SimpleImputer(), tenths), numbers),
        (make_pipeline(SimpleImputer(), StandardScaler()), skewed),
    )
    return make_pipeline(columns, LogisticRegression(C=0.1, max_iter=200))


def boosted(trees: int = 80) -> ClassifierMixin:
    """Gradient boosted trees."""
    from xgboost import XGBClassifier

    return XGBClassifier(
        n_estimators=trees, max_depth=3, learning_rate=0.1, min_child_weight=50, enable_categorical=True, n_jobs=1, random_state=0
    )


FAMILIES: Mapping[str, Callable[[], ClassifierMixin]] = MappingProxyType({"linear": linear, "boosted": boosted})


def train(frame: pd.DataFrame, *, family: str) -> Any:
    """A fitted model of the family ``linear`` or ``boosted``."""
    if family not in FAMILIES:
        raise ValueError(f"there is no family {family!r}; there are: {', '.join(FAMILIES)}")
    return _fitted(FAMILIES[family](), frame)


def grown(frame: pd.DataFrame, *, trees: int) -> Any:
    """A fitted model of so many boosted trees."""
    return _fitted(boosted(trees), frame)


def _fitted(model: Any, frame: pd.DataFrame) -> Any:
    sample = frame.sample(min(TRAINING_ROWS, len(frame)), random_state=0)
    return model.fit(sample[list(FEATURES)], sample[TARGET])


def score(model: Any, frame: pd.DataFrame) -> tuple[Metrics, dict[str, Metrics]]:
    """How well the model does on the frame: the metrics over all flights, and those of each slice, such as ``origin=JFK``.

    Slices that are too small to say something, or in which all flights fared alike, are left out.
    """
    scored = frame[[*SLICED_BY, TARGET]].assign(said=model.predict_proba(frame[list(FEATURES)])[:, 1])
    slices = {
        f"{key}={value}": _metrics(part)
        for key in SLICED_BY
        for value, part in scored.groupby(key, observed=True)
        if len(part) >= SLICE_ROWS and part[TARGET].nunique() == 2
    }
    return _metrics(scored), slices


def _metrics(scored: pd.DataFrame) -> Metrics:
    late, said = scored[TARGET], scored["said"]
    return {
        "auc": float(roc_auc_score(late, said)),
        "brier": float(brier_score_loss(late, said)),
        "log_loss": float(log_loss(late, said)),
        "n": len(scored),
    }
