"""approve, people, and a rollback with what it leaves: what is recorded, what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowreg.core.events import Run
from flowreg.gates import Policy
from flowreg.registry import Registry

from .conftest import Cli

REVIEWED = {
    "policy": "reviewed",
    "models": ["churn"],
    "alias": "champion",
    "gates": ["auc >= 0.5", {"check": "approval", "by": ["model-risk"], "not_author": True}],
}


@pytest.fixture
def reviewed(churn: Registry) -> Registry:
    """The command line is ana, who is asked about what ben made."""
    churn.remove_policy("churn-prod", because="replaced")
    churn.set_policy(Policy.parse(REVIEWED))
    churn.set_people({"model-risk": ["ana"]})
    return churn


def test_a_yes_is_recorded_and_the_gates_are_shown_with_it(cli: Cli, reviewed: Registry) -> None:
    """And the next step is to promote."""
    waiting = cli("gates", "churn@2", "--to", "champion")
    answer = cli("approve", "churn@2", "--to", "champion", "--because", "read the report")

    assert waiting.code == 4
    assert "flowreg approve churn@2 --to champion" in waiting.out
    assert answer.code == 0
    assert "1 of 1 (ana)" in answer.out
    assert "ana approved churn@2 as champion" in answer.out
    assert "flowreg promote churn@2 --to champion" in answer.out
    assert cli("promote", "churn@2", "--to", "champion").code == 0


def test_a_no_blocks_with_its_reason(cli: Cli, reviewed: Registry) -> None:
    """``--reject``; a later yes of the same person lifts it."""
    answer = cli("approve", "churn@2", "--to", "champion", "--because", "leaks [b]the[/b] target", "--reject")

    assert "ana rejected churn@2" in answer.out
    assert "ana said no: leaks [b]the[/b] target" in answer.out
    assert cli("promote", "churn@2", "--to", "champion").code == 4
    assert "1 of 1 (ana)" in cli("approve", "churn@2", "--to", "champion", "--because", "I misread it").out


def test_a_run_that_waits_is_named(cli: Cli, reviewed: Registry) -> None:
    """With the command that makes it look again; not before everybody has spoken."""
    reviewed.ask("churn@2", to="champion", run=Run(flow_run="0199a0de-0000-7000-8000-000000000001"))

    answer = cli("approve", "churn@2", "--to", "champion", "--because", "read it")

    assert "python -m flowreg.prefect.resume 0199a0de-0000-7000-8000-000000000001" in answer.out


def test_a_rehearsed_word_is_not_recorded(cli: Cli, reviewed: Registry) -> None:
    """``--dry-run``"""
    assert "would approve" in cli("approve", "churn@2", "--to", "champion", "--because", "x", "--dry-run").out
    assert reviewed.approvals("churn@2") == ()


def test_a_word_that_no_gate_asks_for_says_so(cli: Cli, churn: Registry) -> None:
    """The policy of the alias has no approval gate."""
    assert "changes nothing" in cli("approve", "churn@2", "--to", "champion", "--because", "x").out
    assert cli("approve", "churn@2", "--to", "mine", "--because", "x").code == 3
    assert cli("approve", "churn@1", "--to", "champion", "--because", "x").code == 4


def test_the_word_as_json(cli: Cli, reviewed: Registry) -> None:
    """Field names are those of ``Approval``."""
    said = cli("approve", "churn@2", "--to", "champion", "--because", "read it", "--json").json

    assert (said["person"], said["approved"], said["because"], said["base"]) == ("ana", True, "read it", 1)


def test_groups_are_set_one_by_one_or_all_by_a_file(cli: Cli, churn: Registry, tmp_path: Path) -> None:
    """``--group`` leaves the others; a file says all there are."""
    file = tmp_path / "people.yaml"
    file.write_text("model-risk: [ana]\nml-leads: [cleo, dan]\n")

    assert cli("people", "show").out.startswith("No group of people")
    assert cli("people", "set", "--group", "model-risk=ana, bo").code == 0
    assert cli("people", "set", "--group", "legal=eve").code == 0
    assert cli("people", "show", "--json").json == {"legal": ["eve"], "model-risk": ["ana", "bo"]}
    assert cli("people", "set", "--group", "legal=").code == 0
    assert cli("people", "show", "--json").json == {"model-risk": ["ana", "bo"]}
    assert cli("people", "set", str(file), "--because", "from HR").code == 0
    assert cli("people", "show", "--json").json == {"ml-leads": ["cleo", "dan"], "model-risk": ["ana"]}


@pytest.mark.parametrize("text", ["- a", "model-risk: ana", "model-risk: [1]", "model-risk: [a, a", "model-risk: ['']", "[]: [a]"])
def test_a_file_that_names_no_groups_sets_nothing(cli: Cli, churn: Registry, tmp_path: Path, text: str) -> None:
    """And says what it should look like."""
    file = tmp_path / "people.yaml"
    file.write_text(text)

    assert cli("people", "set", str(file)).code == 2
    assert churn.people() == {}


@pytest.mark.parametrize("words", [[], ["file.yaml", "--group", "a=b"], ["--group", "a"], ["--group", "a=b", "--group", "a=c"]])
def test_groups_are_given_one_way(cli: Cli, churn: Registry, words: list[str]) -> None:
    """Either a file or ``--group``, each group once."""
    assert cli("people", "set", *words).code == 2


def test_a_rollback_says_what_it_leaves_and_is_undone(cli: Cli, churn: Registry) -> None:
    """Since when the bad version served, that its bytes are barred, and the line that takes it back."""
    cli("promote", "churn@2", "--to", "champion", "--override", "test")

    back = cli("rollback", "churn@champion", "--because", "errors")
    assert "churn@2 was champion since 20" in back.out
    assert "its bytes are retired" in back.out
    assert "flowreg rollback churn@champion --undo" in back.out
    assert cli("promote", "churn@2", "--to", "champion").code == 4

    undone = cli("rollback", "churn@champion", "--undo", "--because", "it was not the model")

    assert "churn@2 is champion (before: churn@1)" in undone.out
    assert churn.get("churn@2").retired is None
    assert cli("rollback", "churn@champion", "--undo", "--because", "x").code == 4
    assert cli("rollback", "churn@champion", "--undo", "--keep", "--because", "x").code == 2


def test_a_rollback_that_cannot_retire_says_why(cli: Cli, churn: Registry) -> None:
    """Another alias names the version still; ``--keep`` was wanted."""
    cli("promote", "churn@2", "--to", "champion", "--override", "test")
    churn.promote("churn@2", to="challenger")

    assert "churn@2 was not retired: version 2 is challenger still" in cli("rollback", "churn@champion", "--because", "errors").out
    cli("promote", "churn@2", "--to", "champion", "--override", "again")
    assert "not retired: it was to be kept" in cli("rollback", "churn@champion", "--because", "errors", "--keep").out


def test_bytes_that_were_rolled_back_are_registered_with_a_warning(cli: Cli, churn: Registry, tmp_path: Path) -> None:
    """Tonight's retraining makes them again."""
    (tmp_path / "model.bin").write_bytes(b"bad")
    number = churn.register("churn", tmp_path / "model.bin").number
    cli("promote", f"churn@{number}", "--to", "champion", "--override", "test")
    cli("rollback", "churn@champion", "--because", "errors")

    again = cli("register", str(tmp_path / "model.bin"), "--model", "churn")

    assert "These bytes are retired, so no alias may name them: errors" in again.out
    assert f"bytes of version {number}, which was rolled back from champion" in cli("promote", f"churn@{number + 1}", "--to", "mine").err
