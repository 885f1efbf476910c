"""A policy that extends others: it adds to them and loosens nothing, and what is recorded is whole."""

import pytest

from flowreg import Policy, Registry
from flowreg.errors import BadInput

BASE = {
    "policy": "base",
    "models": ["none"],
    "alias": "champion",
    "dataset": "holdout",
    "gates": ["auc >= 0.8", {"expr": "f1 >= 0.5", "id": "f1"}],
}
CHILD = {"policy": "child", "extends": "base", "models": ["churn"], "alias": "champion", "gates": ["recall >= 0.7"]}


@pytest.fixture
def registry(tmp_path):
    registry = Registry(tmp_path / "registry", actor="ana")
    registry.set_policy(Policy.parse(BASE))
    return registry


def put(registry, **fields):
    return registry.set_policy(Policy.parse({**CHILD, **fields}))


def exprs(record):
    return [gate["expr"] for gate in record.policy["gates"]]


def test_inherited_gates_come_first_and_the_parent_is_named_by_digest(registry):
    """The recorded text has all gates, the data set, and the digest of the parent's revision."""
    record = put(registry)
    (parent,) = registry.policy_history("base")

    assert exprs(record) == ["auc >= 0.8", "f1 >= 0.5", "recall >= 0.7"]
    assert record.policy["dataset"] == "holdout"
    assert record.policy["extends"] == [{"policy": "base", "digest": parent.digest}]


def test_the_candidate_must_meet_what_is_inherited(registry, tmp_path):
    """A gate of the parent blocks as if it stood in the policy."""
    put(registry)
    (tmp_path / "m").write_text("x")
    registry.register("churn", tmp_path / "m", metrics={"auc": 0.7, "f1": 0.9, "recall": 0.9}, on="holdout")

    assert registry.judge("churn@1", to="champion").outcome == "blocked"


def test_what_is_whole_stays_as_it_is(registry):
    """Setting the recorded text again changes nothing; nor does a later revision of the parent, until the policy is set anew."""
    record = put(registry)
    assert registry.set_policy(Policy.parse(record.policy)) == record
    registry.set_policy(Policy.parse({**BASE, "gates": [*BASE["gates"], "brier <= 0.1"]}))

    assert exprs(registry.policy_history("child")[-1]) == exprs(record)
    assert exprs(put(registry)) == ["auc >= 0.8", "f1 >= 0.5", "brier <= 0.1", "recall >= 0.7"]


def test_several_parents_and_parents_of_parents(registry):
    """All gates are there once, the strictest of the heads counts."""
    registry.set_policy(
        Policy.parse({**BASE, "policy": "second", "decision_ttl": "1h", "no_baseline": "skip", "gates": ["auc >= 0.8", "mae <= 3"]})
    )
    put(registry)
    record = put(registry, policy="grandchild", extends=["child", "second"], gates=["ece <= 0.1"])

    assert exprs(record) == ["auc >= 0.8", "f1 >= 0.5", "recall >= 0.7", "mae <= 3", "ece <= 0.1"]
    assert record.policy["decision_ttl"] == "1h"
    assert "no_baseline" not in record.policy


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"extends": "nope"}, "no policy 'nope' is in force to extend"),
        ({"extends": "child"}, "no policy 'child' is in force"),
        ({"gates": [{"expr": "f1 >= 0.1", "id": "f1"}]}, "the gate f1 is inherited and would be changed"),
        ({"dataset": "easy"}, "its data set is not that of base, holdout"),
        ({"no_baseline": "skip"}, "no_baseline: skip would loosen"),
        ({"decision_ttl": "2d"}, "live longer than those of base, 24h"),
        ({"override": {"by": ["ana"]}}, "ana may not go over the gates of base"),
    ],
)
def test_nothing_inherited_is_loosened(registry, fields, said):
    """An unknown parent, a changed gate, other data, a leave to skip, a longer life, a way over the gates: nothing is written."""
    with pytest.raises(BadInput, match="cannot be put in force") as caught:
        put(registry, **fields)

    assert said in str(caught.value)
    assert [record.name for record in registry.policies()] == ["base"]


def test_a_circle_is_refused(registry):
    """A policy cannot come to extend itself by way of another."""
    put(registry)

    with pytest.raises(BadInput, match="base would extend itself by way of child"):
        registry.set_policy(Policy.parse({**BASE, "extends": "child"}))
    with pytest.raises(BadInput, match="child would extend itself by way of child"):
        put(registry, extends="child")
