"""A new policy is tried on the past: which promotions would it have blocked?"""

import pytest

from flowreg import Policy, Registry

POLICY = {"policy": "p", "models": ["churn"], "alias": "champion", "dataset": "holdout", "no_baseline": "skip"}


@pytest.fixture
def registry(tmp_path):
    """Three promotions of churn, with AUC 0.80, 0.90 and 0.85; the second version was measured again, better, later."""
    registry = Registry(tmp_path / "registry", actor="ana")
    for auc in (0.80, 0.90, 0.85):
        (tmp_path / "m").write_text(str(auc))
        version = registry.register("churn", tmp_path / "m", metrics={"auc": auc}, on="holdout")
        registry.promote(version, to="champion")
    registry.rollback("churn@champion", because="errors", keep=True)
    registry.evaluate("churn@1", {"auc": 0.99}, on="holdout")
    return registry


def outcomes(registry, *gates, **head):
    return [(one.version, one.decision.outcome) for one in registry.rehearse(Policy.parse({**POLICY, **head, "gates": list(gates)}))]


def test_each_promotion_is_judged_as_of_then(registry):
    """By the values and the holder of its moment: what was measured later does not count, and a rollback is no promotion."""
    assert outcomes(registry, "auc >= 0.84") == [(1, "blocked"), (2, "promote"), (3, "promote")]
    assert outcomes(registry, "auc >= 0.1", "auc >= champion.auc") == [(1, "promote"), (2, "promote"), (3, "blocked")]


def test_what_the_policy_does_not_cover_is_left_out(registry):
    """Another model, another alias: no promotion of the past."""
    assert outcomes(registry, "auc >= 0.84", models=["other"]) == []
    assert outcomes(registry, "auc >= 0.84", alias="canary") == []


def test_who_is_asked_is_waited_for(registry):
    """Nobody could have said yes under a policy that was not there: waiting, not blocked."""
    found = outcomes(registry, "auc >= 0.1", {"check": "approval", "by": ["zoe"]})

    assert found == [(1, "waiting"), (2, "waiting"), (3, "waiting")]


def test_no_code_of_the_policy_is_run(registry, monkeypatch, tmp_path):
    """A python gate is not asked about the past, though this machine allows it."""
    (tmp_path / "ran.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')\ndef yes(): return True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("FLOWREG_PYTHON_GATES", "ran")

    assert outcomes(registry, "auc >= 0.1", {"check": "python", "call": "ran:yes"}) == [(1, "blocked"), (2, "blocked"), (3, "blocked")]
    assert not (tmp_path / "imported").exists()


def test_nothing_is_written_and_inheritance_counts(registry, tmp_path):
    """A rehearsal leaves every byte as it is; a policy that extends another is judged with all its gates."""
    registry.set_policy(Policy.parse({**POLICY, "policy": "base", "models": ["none"], "gates": ["auc >= 0.84"]}))
    registry.flush()
    before = {path: path.read_bytes() for path in (tmp_path / "registry").rglob("*") if path.is_file()}

    assert outcomes(registry, "auc >= 0.1", extends="base") == [(1, "blocked"), (2, "promote"), (3, "promote")]
    assert {path: path.read_bytes() for path in (tmp_path / "registry").rglob("*") if path.is_file()} == before
