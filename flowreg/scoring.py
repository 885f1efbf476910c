"""Scoring a model on a dataset: the numbers, over all and by slice, and what it gave for each example.

Rule 1: two models are scored on the same rows, and the digest of the dataset says so: it covers ids, features, truth and slices.
Rule 2: a number that cannot be had (one class only in a slice) is NaN, which every gate that meets it blocks on; it is never left out.
Rule 3: numpy and scikit-learn are imported when something is scored. Scorers by name are those of scikit-learn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .core.events import Dataset
from .core.framed import digest_of_frame
from .core.names import shown
from .errors import BadInput

Scorer = Callable[[Any, Any, Any], float]
SLICES_LIMIT = 1000  # values of one slice column
EXAMPLES = "examples.npz"


@dataclass(frozen=True)
class Holdout:
    """Data to measure on: ``features`` as the model takes them (a data frame or an array), and the truth ``target``, row by row.

    ``ids`` tell the examples apart (else they are numbered), ``columns`` has further columns to slice by that are no features.
    """

    name: str
    features: Any
    target: Any
    ids: Any = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    uri: str | None = None

    def __len__(self) -> int:
        return len(self.target)

    @cached_property
    def dataset(self) -> Dataset:
        """What an evaluation is recorded on: the name, with the digest of the whole content and the number of rows."""
        return (
            Dataset(self.uri, name=self.name, digest=self._digest(), rows=len(self))
            if self.uri
            else Dataset(name=self.name, digest=self._digest(), rows=len(self))
        )

    def column(self, name: str) -> Any:
        """A column to slice by, as an array of texts."""
        import numpy

        found = self.columns.get(name)
        if found is None and hasattr(self.features, "columns") and name in self.features.columns:
            found = self.features[name]
        if found is None:
            there = sorted({*self.columns, *map(str, getattr(self.features, "columns", ()))})
            raise BadInput(
                f"{shown(self.name)} has no column {shown(name)} to slice by",
                where=f"it has {', '.join(there[:20]) or 'no named columns'}",
                do="name one of these, or give it: Holdout(…, columns={'region': …})",
                code="no-column",
            )
        return numpy.asarray(found).astype(str)

    def rows(self, where: Any) -> tuple[Any, Any]:
        """Features and truth of the rows that the boolean array ``where`` picks."""
        import numpy

        picked = numpy.flatnonzero(where)
        features = self.features.iloc[picked] if hasattr(self.features, "iloc") else numpy.asarray(self.features)[picked]
        return features, numpy.asarray(self.target)[picked]

    def numbered(self) -> Any:
        """The ids, as whole numbers or texts."""
        import numpy

        if self.ids is None:
            return numpy.arange(len(self))
        ids = numpy.asarray(self.ids)
        return ids if ids.dtype.kind in "iu" else ids.astype(str)

    def _digest(self) -> str:
        named = {f"feature {name}": self.features[name] for name in getattr(self.features, "columns", ())}
        parts = named or {"features": self.features}
        return digest_of_frame({**parts, "target": self.target, "id": self.numbered(), **self.columns})[0]


@dataclass(frozen=True, slots=True)
class Scored:
    """What one model got: ``metrics`` and ``slices`` as ``Registry.evaluate`` takes them, ``examples`` by column, if any."""

    metrics: Mapping[str, float]
    slices: Mapping[tuple[tuple[str, str], ...], Mapping[str, float]]
    examples: Mapping[str, Any] | None

    @contextmanager
    def examples_file(self) -> Iterator[Path | None]:
        """The examples as an NPZ file, as long as the block lasts. Same examples, same bytes."""
        if self.examples is None:
            yield None
            return
        import numpy

        with TemporaryDirectory(prefix="flowreg-examples-") as folder:
            numpy.savez_compressed(Path(folder, EXAMPLES), **self.examples)
            yield Path(folder, EXAMPLES)


@dataclass(frozen=True)
class Scoring:
    """How to measure any model on one dataset: ``scoring(model)``. Made by ``evaluate_on``."""

    holdout: Holdout
    scorers: Mapping[str, Scorer]
    slices: tuple[str, ...] = ()
    predict: Callable[[Any, Any], Any] | None = None

    @property
    def evaluator(self) -> str:
        """The code that measures, for the record."""
        return f"flowreg.scoring: {', '.join(self.scorers)}"[:200]

    def __call__(self, model: Any) -> Scored:
        """The numbers of this model."""
        import numpy

        everywhere = numpy.ones(len(self.holdout), dtype=bool)
        slices: dict[tuple[tuple[str, str], ...], Mapping[str, float]] = {}
        columns = {name: self.holdout.column(name) for name in self.slices}
        for name, values in columns.items():
            for value in _few(name, numpy.unique(values)):
                slices[((name, str(value)),)] = self._numbers(model, values == value, lenient=True)
        return Scored(self._numbers(model, everywhere, lenient=False), slices, self._examples(model, columns))

    def _numbers(self, model: Any, where: Any, *, lenient: bool) -> dict[str, float]:
        features, target = self.holdout.rows(where)
        numbers: dict[str, float] = {"n": len(target)}
        for name, scorer in self.scorers.items():
            try:
                numbers[name] = float(scorer(model, features, target))
            except ValueError:
                if not lenient:
                    raise
                numbers[name] = math.nan
        return numbers

    def _examples(self, model: Any, columns: Mapping[str, Any]) -> dict[str, Any] | None:
        import numpy

        features, target = self.holdout.features, numpy.asarray(self.holdout.target)
        given = {"id": self.holdout.numbered(), "y": _plain(target)}
        if self.predict is not None:
            given["score"] = numpy.asarray(self.predict(model, features), dtype=float)
        elif hasattr(model, "predict"):
            given["pred"] = _plain(numpy.asarray(model.predict(features)))
            if (score := _score(model, features)) is not None:
                given["score"] = score
        else:
            return None
        return {**given, **{name: values for name, values in columns.items() if name not in given}}


def evaluate_on(
    holdout: Holdout,
    scorer: str | Scorer | Iterable[str] | Mapping[str, str | Scorer],
    *,
    slices: Sequence[str] = (),
    predict: Callable[[Any, Any], Any] | None = None,
) -> Scoring:
    """How to measure: on which data, by which scorers, by which columns besides.

    A scorer is one that scikit-learn knows by name ("roc_auc", "accuracy", "neg_log_loss"), or a function
    ``scorer(model, features, target)``; several are a list of names, or a mapping from a name of your own.
    ``predict(model, features)`` gives the score of each example where the model itself is no scikit-learn estimator.

    >>> holdout = Holdout("holdout", [[0], [1]], [0, 1])
    >>> evaluate_on(holdout, {"hits": lambda model, x, y: sum(map(model, x, y))}).scorers.keys()
    dict_keys(['hits'])
    """
    if not isinstance(holdout, Holdout):
        raise BadInput(f"{shown(holdout)} is no Holdout", do="give Holdout('holdout-2026q4', features, target)", code="bad-holdout")
    return Scoring(holdout, dict(_scorers(scorer)), tuple([slices] if isinstance(slices, str) else slices), predict)


def _scorers(given: Any) -> Iterator[tuple[str, Scorer]]:
    if isinstance(given, str):
        yield given, _named(given)
    elif callable(given):
        yield str(getattr(given, "__name__", "score")), given
    elif isinstance(given, Mapping):
        for name, scorer in given.items():
            yield name, _named(scorer) if isinstance(scorer, str) else scorer
    elif isinstance(given, Iterable):
        for name in given:
            yield from _scorers(name)
    else:
        raise BadInput(f"{shown(given)} is no scorer", do='give a name of scikit-learn such as "roc_auc", or a function', code="bad-scorer")


def _named(name: str) -> Scorer:
    try:
        from sklearn.metrics import get_scorer, get_scorer_names
    except ImportError:
        raise BadInput(
            f"the scorer {shown(name)} is one of scikit-learn, which is not installed",
            do='pip install "flowreg[sklearn]", or give a function scorer(model, features, target)',
            code="no-sklearn",
        ) from None
    if name not in get_scorer_names():
        raise BadInput(f"scikit-learn has no scorer {shown(name)}", do="see sklearn.metrics.get_scorer_names()", code="bad-scorer")
    scorer: Scorer = get_scorer(name)
    return scorer


def _score(model: Any, features: Any) -> Any:
    """The score of the second of two classes, as scikit-learn's scorers take it; None where there is no such thing."""
    if hasattr(model, "predict_proba"):
        probabilities = model.predict_proba(features)
        return probabilities[:, 1] if probabilities.shape[1] == 2 else None
    if hasattr(model, "decision_function"):
        scores = model.decision_function(features)
        return scores if scores.ndim == 1 else None
    return None


def _plain(values: Any) -> Any:
    """As a table of examples may hold it: numbers, or texts."""
    return values.astype(int) if values.dtype.kind == "b" else values if values.dtype.kind in "iuf" else values.astype(str)


def _few(name: str, values: Any) -> Any:
    if len(values) <= SLICES_LIMIT:
        return values
    raise BadInput(
        f"the column {shown(name)} has {len(values)} values; {SLICES_LIMIT} make slices", do="slice by a coarser column", code="too-many"
    )
