"""A flow measures candidate and champion on the same holdout in one task; a rollback and its undoing are announced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flowreg import BadInput, GateBlocked, Policy, Registry
from tests.conftest import Root

pytestmark = [pytest.mark.prefect, pytest.mark.usefixtures("prefect_env")]

POLICY = """
policy: better
models: [churn]
alias: champion
no_baseline: skip
gates:
- roc_auc >= champion.roc_auc - 0.005
- roc_auc[region=*] >= 0.5
"""


@pytest.fixture
def registry(root: Root) -> Registry:
    registry = Registry(root.url)
    registry.set_policy(Policy.parse(POLICY))
    return registry


def test_three_lines_measure_compare_and_promote(registry: Registry) -> None:
    """Both are scored on the same data, the gate compares them, and what was only looked at becomes no parent."""
    numpy, linear = pytest.importorskip("numpy"), pytest.importorskip("sklearn.linear_model")
    from prefect import flow

    from flowreg.prefect import Holdout, evaluate_model, evaluate_on, promote_model, register_model

    chance = numpy.random.default_rng(1)
    truth = chance.integers(0, 2, 200)
    features = numpy.column_stack([truth + chance.normal(0, 0.5, 200), chance.normal(size=200)])
    holdout = Holdout("holdout", features, truth, columns={"region": numpy.where(numpy.arange(200) % 2, "north", "south")})

    @flow
    def train(column: int) -> Any:
        model = linear.LogisticRegression().fit(features * numpy.eye(2)[column], truth)
        version = register_model("churn", model, trust="pickle", registry=registry.root)
        evaluate_model(version, evaluate_on(holdout, "roc_auc", slices=["region"]), also="champion", trust=True, registry=registry.root)
        promote_model(version, registry=registry.root)
        return register_model("other", {"w": 1}, trust="pickle", registry=registry.root)

    train(0)
    registry.register("churn", linear.LogisticRegression().fit(-features, truth), trust="pickle")
    with pytest.raises(GateBlocked, match="roc_auc"):
        train(1)

    champion, candidate = registry.get("churn@champion"), registry.get("churn@newest")
    digests = {evaluation.dataset_digest for version in (champion, candidate) for evaluation in version.evaluations}
    assert champion.number == 1
    assert digests == {holdout.dataset.digest}
    assert len(champion.evaluations) == 2
    assert len(registry.slices(candidate.evaluations[0])) == 2
    assert registry.get("other@newest").parents == ()


def test_what_cannot_be_measured_is_refused(registry: Registry) -> None:
    """Nothing given; both given; ``also`` without a scorer."""
    from flowreg.prefect import Holdout, evaluate_model, evaluate_on

    registry.register("churn", {"w": 1}, trust="pickle")
    scoring = evaluate_on(Holdout("h", [[0]], [0]), {"a": lambda m, x, y: 1.0})

    for given in ({}, {"metrics": {"auc": 1.0}, "also": "champion"}, {"scoring": scoring, "metrics": {"auc": 1.0}}):
        with pytest.raises(BadInput):
            evaluate_model.fn("churn@1", registry=registry.root, **given)
    assert registry.get("churn@1").evaluations == ()


def test_a_rollback_and_its_undoing_are_announced(registry: Registry, events: Callable[[], list[Any]]) -> None:
    """Rolled back, and retired with its digest and reason; restored when that is undone. The same bytes again are registered retired."""
    from prefect import flow

    from flowreg.prefect import register_model, rollback_model, undo_rollback

    registry.remove_policy("better", because="not here")
    for weight in (1, 2):
        registry.promote(registry.register("churn", {"w": weight}, trust="pickle"), to="champion")
    bad = registry.get("churn@2")

    @flow
    def back() -> Any:
        move = rollback_model("churn@champion", because="errors", registry=registry.root)
        again = register_model("churn", {"w": 2}, trust="pickle", registry=registry.root)
        return move, again, undo_rollback("churn@champion", because="no", registry=registry.root)

    move, again, undone = back()

    assert (move.version.number, move.retired, again.retired, undone.version.number) == (1, bad.digest, "errors", 2)
    told = [(e.event.removeprefix("flowreg.version."), e.payload["version"], e.payload["digest"]) for e in events()]
    assert told == [
        ("rolled-back", 1, registry.get("churn@1").digest),
        ("retired", 2, bad.digest),
        ("registered", 3, bad.digest),
        ("restored", 2, bad.digest),
    ]


def test_a_rollback_that_keeps_the_bytes_announces_no_retirement(registry: Registry, events: Callable[[], list[Any]]) -> None:
    """``keep``"""
    from prefect import flow

    from flowreg.prefect import rollback_model

    registry.remove_policy("better", because="not here")
    for weight in (1, 2):
        registry.promote(registry.register("churn", {"w": weight}, trust="pickle"), to="champion")

    flow(lambda: rollback_model("churn@champion", because="errors", keep=True, registry=registry.root), name="back")()

    assert [event.event for event in events()] == ["flowreg.version.rolled-back"]
    assert registry.get("churn@2").retired is None
