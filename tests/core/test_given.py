"""What people hand in: kept exactly, or refused with the allowed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy
import pytest

from flowreg.core import given
from flowreg.core.events import Dataset
from flowreg.errors import BadInput

LONG, SURROGATE, CONTROL = "x" * 10**6, "\ud800", "a\x00b"


class Loop(list[Any]):
    """A list that is inside itself, many times over."""

    def __init__(self) -> None:
        super().__init__()
        self.extend([self] * 100)


BAD: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
    "metrics": (
        given.metrics,
        [5, "auc", [("auc", 1)], {1: 1}, {None: 1}, {"": 1}, {" a": 1}, {LONG: 1}, {SURROGATE: 1}, {CONTROL: 1},
        {f"m{n}": 1 for n in range(1001)}],
    ),
    "a metric": (
        lambda value: given.metrics({"auc": value}),
        [True, False, None, "0.9", b"1", [], {}, [0.9], 1j, Decimal("0.9"), 2**53, -(2**63), 10**400, Fraction(10**400), numpy.bool_(True),
         numpy.array([1.0, 2.0]), object()],
    ),
    "n": (lambda value: given.metrics({"n": value}), [-1, 1.5, math.nan, math.inf, True, "5", 2.0**53, 1e300]),
    "params": (
        given.params,
        [5, {1: 2}, {"a": object()}, {"a": {1, 2}}, {"a": b"x"}, {"a": {"b": {3: 4}}}, {"a": LONG}, {"a": SURROGATE},
        {"a": [CONTROL]}, {"a": Loop()},
         {"a": [["x" * 1999] * 100, ["y" * 1999] * 100]}, {"a": [[0] * 400] * 400}, {SURROGATE: 1}],
    ),
    "labels": (given.labels, [5, {"a": 5}, {"a": None}, {"a": True}, {5: "a"}, {"a": LONG}, {"a": SURROGATE}, {"a": CONTROL},
    {"a\n": "b"}]),
    "label changes": (given.label_changes, [5, [("a", "b")], {"a": 5}, {"": None}]),
    "slices": (
        given.slices,
        [5, {"": {"auc": 1}}, {"region": {"auc": 1}}, {"=south": {"auc": 1}}, {"region=": {"auc": 1}}, {"a=b,": {"auc": 1}},
        {"a=1,a=2": {"auc": 1}},
         {("a", "b"): {"auc": 1}}, {("ab",): {"auc": 1}}, {(5,): {"auc": 1}}, {(("a", "b", "c"),): {"auc": 1}}, {((1,
         2),): {"auc": 1}}, {(): {"auc": 1}},
         {5: {"auc": 1}}, {"a=" + LONG: {"auc": 1}}, {f"a={SURROGATE}": {"auc": 1}}, {"a=1": 5}, {"a=1": {"auc": True}},
         {"a=1,b=2": {"auc": 1}, "b=2,a=1": {"auc": 2}}],
    ),
    "key": (given.key, ["", LONG, SURROGATE, CONTROL, "a\nb", 5, True, b"k"]),
    "actor": (given.actor, ["", LONG, SURROGATE, CONTROL, 5]),
    "reason": (given.reason, [5, LONG, SURROGATE, CONTROL, True]),
    "required reason": (lambda text: given.required_reason(text, "a rollback"), [None, "", "  ", "\n\t", 5]),
    "card": (given.card, [5, b"x", SURROGATE, CONTROL]),
    "dataset": (given.dataset, [5, "", " a", LONG, SURROGATE, CONTROL, ["a"], Dataset(name=SURROGATE), Dataset(uri=LONG),
    Dataset(name="a", rows=2**60)]),
    "datasets": (given.datasets, [5, [5], [None], [LONG], {"a": 1}, [Dataset(role=CONTROL)], [Dataset(digest=SURROGATE)],
    [Dataset(size_bytes=2**53)]]),
    "signature": (given.signature, [5, "x", [1], {"a": object()}, {"a": Loop()}, {SURROGATE: 1}]),
    "several": (lambda value: given.several(value, "parents"), [5, "churn@1", b"x", {"a": 1}]),
}  # fmt: skip
CASES = [(name, n) for name, (_, cases) in BAD.items() for n in range(len(cases))]


@pytest.mark.parametrize(("name", "n"), CASES)
def test_what_cannot_be_meant_is_refused(name: str, n: int) -> None:
    """Always a BadInput that says what to do, is short, and can be printed."""
    check, cases = BAD[name]

    with pytest.raises(BadInput) as error:
        check(cases[n])

    assert error.value.do
    assert len(str(error.value)) < 1500
    assert all(line.isprintable() for line in str(error.value).split("\n"))


@pytest.mark.parametrize(
    "value", [math.inf, -math.inf, 1e400, 5e-324, 1e16, -0.0, 0, 2**53 - 1, Fraction(1, 3), numpy.float32(0.5), numpy.int64(7)]
)
def test_a_number_is_kept(value: Any) -> None:
    """Infinite ones too: a diverged model is worth having."""
    assert given.metrics({"auc": value}) == ({"auc": float(value)}, None)


def test_nan_is_kept() -> None:
    """It is a finding."""
    ((kept,), _) = [given.metrics({"auc": math.nan})[0].values(), None]

    assert math.isnan(kept)


def test_the_numbers_of_libraries_are_numbers() -> None:
    """A zero-dimensional or one-element array, a tensor with its own idea of ``size``."""

    class Tensor:
        def size(self) -> tuple[int, ...]:
            return ()

        def numel(self) -> int:
            return 1

        def item(self) -> float:
            return 0.25

    assert given.metrics({"a": numpy.array(0.5), "b": numpy.array([2]), "c": Tensor()})[0] == {"a": 0.5, "b": 2.0, "c": 0.25}


def test_n_is_taken_out_of_the_metrics() -> None:
    """It counts the examples of all of them."""
    assert given.metrics({"auc": 0.9, "n": 100.0}) == ({"auc": 0.9}, 100)


def test_params_become_what_json_can_carry() -> None:
    """Integers that are not exact and floats that JSON lacks are text; tuples are lists."""
    assert given.params({"a": 2**60, "b": math.nan, "c": (1, [True, None]), "d": {"e": numpy.int32(3)}}) == {
        "a": str(2**60), "b": "nan", "c": [1, [True, None]], "d": {"e": 3},
    }  # fmt: skip


def test_slices_are_sorted_rows() -> None:
    """The same facts in any order are the same bytes."""
    one = given.slices({"b=2,a=1": {"auc": math.nan, "n": 5}, "a=0": {"f1": 1}})
    other = given.slices({(("a", "0"),): {"f1": 1}, (("a", "1"), ("b", "2")): {"n": 5, "auc": math.nan}})

    assert one == other
    assert one[1] == {"slice": {"a": "1", "b": "2"}, "metric": "auc", "value": "NaN", "n": 5}


def test_what_would_not_fit_into_an_entry_is_known_before() -> None:
    """A thousand labels at their longest, checked while nothing is written."""
    from flowreg.core.events import Labelled

    with pytest.raises(BadInput, match="are allowed"):
        given.storable(Labelled(version=1, labels={f"l{n}": "x" * 2000 for n in range(1000)}))
