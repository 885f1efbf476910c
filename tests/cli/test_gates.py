"""gates, promote, rollback, retire: what moves, what does not, and what is said about it."""

from __future__ import annotations

import re

from flowreg.core.decision import Decision
from flowreg.core.views import AliasMove
from flowreg.registry import Registry

from .conftest import Cli


def test_gates_tell_each_gate_with_its_numbers(cli: Cli, churn: Registry) -> None:
    """A failing gate is marked, with its sentence and its why; the exit code is 4; nothing is recorded."""
    answer = cli("gates", "churn@2", "--to", "champion")

    assert answer.code == 4
    assert "churn@2 → champion (now churn@1)   policy churn-prod   data holdout" in answer.out
    failing = next(line for line in answer.out.splitlines() if line.startswith(" ✗"))
    assert "recall[region=*] >= 0.70" in failing
    assert "south: 0.69, short by 0.01" in failing
    assert failing.endswith("Policy 4.5")
    assert "Blocked: 1 gate failed" in answer.out
    assert "flowreg show churn@2 --slices" in answer.out
    assert len(churn.decisions("churn@2")) == 0


def test_gates_that_pass_end_with_zero(cli: Cli, churn: Registry) -> None:
    """And say how to go on."""
    churn.evaluate("churn@2", {"auc": 0.9}, on="holdout", slices={"region=south": {"recall": 0.9}, "region=north": {"recall": 0.9}})

    answer = cli("gates", "churn@2", "--to", "champion")

    assert answer.code == 0
    assert "flowreg promote churn@2 --to champion" in answer.out


def test_gates_as_json_are_the_decision(cli: Cli, churn: Registry) -> None:
    """Field names are those of ``Decision``."""
    value = cli("gates", "churn@2", "--to", "champion", "--json").json

    assert set(value) == set(Decision.model_fields)
    assert (value["outcome"], value["results"][2]["left"]) == ("blocked", 0.69)


def test_recorded_decisions_are_shown(cli: Cli, churn: Registry) -> None:
    """``--recorded`` shows what was decided, by whom."""
    cli("promote", "churn@2", "--to", "champion")

    answer = cli("gates", "churn@2", "--recorded")

    assert answer.code == 0
    assert re.search(r"blocked (now|\d+ s ago) by ana", answer.out)
    assert [said["outcome"] for said in cli("gates", "churn@2", "--recorded", "--json").json] == ["blocked"]
    assert cli("gates", "churn@2", "--recorded", "--as-of", "2020-01-01").code == 3


def test_gates_without_an_alias_or_policy_say_so(cli: Cli, churn: Registry) -> None:
    """No alias is a usage error; an alias that no policy protects is not found."""
    assert cli("gates", "churn@2").code == 2
    assert cli("gates", "churn@2", "--to", "champion", "--as-of", "2026-01-01").code == 2
    assert cli("gates", "churn@2", "--to", "challenger").code == 3


def test_a_blocked_promotion_moves_nothing_and_is_recorded(cli: Cli, churn: Registry) -> None:
    """Exit code 4, the report, who stays, and the decision's id."""
    answer = cli("promote", "churn@2", "--to", "champion")

    (decision,) = churn.decisions("churn@2")
    assert answer.code == 4
    assert f"champion stays at churn@1. Decision {decision.id} was recorded." in answer.out
    assert churn.get("churn@champion").number == 1


def test_a_blocked_promotion_in_json_is_an_error_with_the_decision(cli: Cli, churn: Registry) -> None:
    """Programs read code, what, where, do and the decision from standard error."""
    answer = cli("promote", "churn@2", "--to", "champion", "--json")

    assert (answer.code, answer.out) == (4, "")
    assert set(answer.error) == {"code", "what", "where", "do", "decision"}
    assert answer.error["decision"]["outcome"] == "blocked"


def test_a_promotion_moves_the_alias(cli: Cli, churn: Registry) -> None:
    """Without a policy an alias just moves; the answer says from where, and how to undo it."""
    cli("promote", "churn@1", "--to", "challenger")

    answer = cli("promote", "churn@2", "--to", "challenger", "--because", "its turn")

    assert answer.code == 0
    assert "✓ churn@2 is challenger (before: churn@1)" in answer.out
    assert "flowreg rollback churn@challenger" in answer.out
    assert churn.get("churn@challenger").number == 2


def test_an_override_shows(cli: Cli, churn: Registry) -> None:
    """Where the policy allows this actor, the reason goes over the gates, and the answer says so."""
    answer = cli("promote", "churn@2", "--to", "champion", "--override", "the south is closed", "--json")

    assert set(answer.json) == set(AliasMove.__dataclass_fields__)
    assert (answer.json["how"], answer.json["decision"]["override"]["reason"]) == ("override", "the south is closed")
    assert "overridden" in cli("gates", "churn@2", "--recorded").out


def test_rollback_goes_back(cli: Cli, churn: Registry) -> None:
    """Along the alias's own history, with a reason; ``--to`` takes a number or a reference."""
    for ref in ("churn@1", "churn@2"):
        cli("promote", ref, "--to", "challenger")

    assert cli("rollback", "churn@challenger").code == 2
    assert "✓ churn@1 is challenger (before: churn@2)" in cli("rollback", "churn@challenger", "--because", "errors", "--keep").out
    assert cli("rollback", "churn@challenger", "--to", "2", "--because", "no errors", "--keep").code == 0
    assert cli("rollback", "churn@challenger", "--to", "churn@1", "--because", "errors again").code == 0
    assert churn.get("churn@challenger").number == 1


def test_retire_bars_and_restore_lifts(cli: Cli, churn: Registry) -> None:
    """A retired version is shown as such and may hold no alias until it is restored; a holder may not be retired."""
    assert cli("retire", "churn@1", "--because", "old").code == 4

    assert cli("retire", "churn@2", "--because", "leaked labels").code == 0
    assert "retired" in cli("show", "churn").out
    assert cli("promote", "churn@2", "--to", "challenger").code == 4
    assert cli("retire", "churn@2", "--restore", "--because", "no leak").code == 0
    assert cli("promote", "churn@2", "--to", "challenger").code == 0
