"""Kinds of gate that installed packages bring, by real entry points."""

import subprocess
import sys

import pytest

from flowreg.errors import BadInput
from flowreg.gates import Policy, kinds
from flowreg.gates.kinds import KINDS, kind_named

CARBON = """
from typing import Any, ClassVar, Literal
from flowreg.gates import Gate

class Carbon(Gate):
    kind: ClassVar[str] = "carbon"
    noun: ClassVar[str] = "a carbon gate"
    check: Literal["carbon"] = "carbon"
    kg: float

    def judge(self, evidence):
        used = float(evidence.facts.candidate.paths["params"]["kg"])
        return self.found("pass" if used <= self.kg else "fail", f"{used} kg of at most {self.kg}", left=used, right=self.kg)

    def to_json(self) -> dict[str, Any]:
        return {"check": self.check, **super().to_json()}

class NoGate:
    pass
"""
POINTS = """[flowreg.gates]
carbon = carbon:Carbon
scan = carbon:Carbon
broken = carbon_that_is_not_there:Carbon
nogate = carbon:NoGate
"""
POLICY = {"policy": "p", "models": ["churn"], "alias": "champion", "gates": ["auc > 0.5", {"check": "carbon", "kg": 5.0}]}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package with gates, as pip would leave it."""
    (tmp_path / "carbon.py").write_text(CARBON)
    info = tmp_path / "carbon-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: carbon\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    kinds._brought.cache_clear()
    yield
    kinds._brought.cache_clear()
    sys.modules.pop("carbon", None)


def test_a_gate_of_another_package_is_a_gate(bench, installed):
    """Its fields are checked, it is judged, it is stored and read like those of flowreg."""
    policy = Policy.parse(POLICY)

    assert Policy.parse(policy.to_json()) == policy
    assert policy.to_json() == {**POLICY, "gates": [{"expr": "auc > 0.5"}, {"check": "carbon", "kg": 5.0}]}
    for kg, outcome in (("3", "promote"), ("8", "blocked")):
        subject = bench.subject(7, {"auc": 0.9}, paths={"params": {"kg": kg}})
        assert bench.decide(list(POLICY["gates"]), subject).outcome == outcome
    with pytest.raises(BadInput, match="'gram' is not a key of a carbon gate"):
        Policy.parse({**POLICY, "gates": [{"check": "carbon", "kg": 5.0, "gram": 1}]})


@pytest.mark.parametrize(("check", "said"), [("broken", "No module named 'carbon_that_is_not_there'"), ("nogate", "not a subclass")])
def test_a_package_that_cannot_be_imported_is_named(installed, check, said):
    """What it raises, and whose it is."""
    with pytest.raises(BadInput, match="of carbon") as caught:
        Policy.parse({**POLICY, "gates": [{"check": check}]})

    assert said in str(caught.value)


def test_no_package_takes_a_built_in_kind_over(installed):
    """``scan`` stays ours."""
    assert kind_named("scan").__module__ == "flowreg.gates.scan"


def test_a_gate_that_is_missing_when_it_is_judged_blocks(bench, tmp_path, monkeypatch):
    """A policy was set where the package is, and is judged where it is not: an error of this gate, in a recorded decision."""
    from flowreg import Registry
    from flowreg.gates.missing import Missing

    registry = Registry(tmp_path / "registry")
    gone = {"check": "carbon", "kg": 5.0}
    registry.set_policy(
        Policy(
            **{
                **POLICY,
                "gates": ["auc > 0.5", Missing(check="carbon", text=gone), {"any_of": ["auc > 0.1", Missing(check="carbon", text=gone)]}],
            }
        )
    )
    (tmp_path / "m").write_text("x")
    registry.register("churn", tmp_path / "m", metrics={"auc": 0.9}, on="holdout")
    decision = registry.judge("churn@1", to="champion")

    assert decision.outcome == "blocked"
    assert [result.status for result in decision.results] == ["pass", "error", "pass"]
    assert "install the package that brings it" in decision.results[1].sentence
    assert decision.policy["gates"][1] == gone


def test_entry_points_are_looked_up_for_unknown_kinds_only():
    """A policy of built-in kinds costs no look through what is installed, and imports only the kinds it has."""
    code = (
        "from flowreg.gates import Policy, kinds; import sys\n"
        "Policy(policy='p', models=['m'], alias='a', gates=['auc > 1', {'check': 'metadata', 'require': ['owner']}])\n"
        "print(kinds._brought.cache_info().misses, [m for m in ('scan', 'compare', 'schema') if f'flowreg.gates.{m}' in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "0 []"


def test_every_kind_says_its_name_in_json():
    """What a gate is stored as names the kind it is read as."""
    examples = {
        "metadata": {"require": ["owner"]}, "compare": {"metric": "auc", "test": "superiority"}, "schema": {}, "scan": {},
        "approval": {"by": ["x"]}, "drift": {"window": "7d"}, "python": {"call": "a:b"},
    }  # fmt: skip
    assert set(examples) == set(KINDS) - {"expr", "any_of"}
    for check, fields in examples.items():
        gate = kind_named(check)(**fields)
        assert gate.to_json()["check"] == check
        assert kinds.built(gate.to_json()) == gate
