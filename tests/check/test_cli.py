"""``flowreg check``: what it prints, and how it ends."""

from __future__ import annotations

from pathlib import Path

from flowreg.core.layout import entry_path, head_path
from flowreg.registry import Registry
from tests.broken import zoo
from tests.cli.conftest import Cli, churn, cli, model_file, place

__all__ = ["churn", "cli", "model_file", "place"]  # fixtures


def test_a_clean_registry_ends_with_0(cli: Cli, churn: Registry) -> None:
    """And says how much was looked at."""
    answer = cli("check", "--read-data")

    assert answer.code == 0
    assert "✓ No faults." in answer.out
    assert "1 model, 3 entries" in answer.out


def test_a_fault_ends_with_6_and_says_what_to_do(cli: Cli, churn: Registry, place: Path) -> None:
    """Its code, its file, what happened, what it means."""
    zoo.flip(entry_path("churn", 2), b'"actor":"')(place)

    answer = cli("check", "churn")

    assert answer.code == 6
    assert f"✗ fault changed-entry  {entry_path('churn', 2)}" in answer.out
    assert "other models work; restore the file from a backup" in answer.out
    assert "✗ 1 fault." in answer.out


def test_json_is_for_programs(cli: Cli, churn: Registry, place: Path) -> None:
    """The same exit code."""
    zoo.flip(head_path("churn"))(place)

    answer = cli("check", "--json")

    assert answer.code == 6
    assert answer.json["ok"] is False
    assert [(f["code"], f["where"], f["model"]) for f in answer.json["findings"]] == [("unreadable-head", head_path("churn"), "churn")]


def test_repair_says_what_it_wrote(cli: Cli, churn: Registry, place: Path) -> None:
    """And the next check is clean."""
    zoo.flip(head_path("churn"))(place)

    answer = cli("check", "--repair")

    assert answer.code == 0
    assert f"Written anew from the journal: {head_path('churn')}" in answer.out
    assert "Nothing was repaired" in cli("check", "--repair").out
    assert cli("check").code == 0


def test_repair_cannot_mend_a_journal(cli: Cli, churn: Registry, place: Path) -> None:
    """It still ends with 6, and says that nothing was repaired."""
    zoo.flip(entry_path("churn", 2), b'"actor":"')(place)

    answer = cli("check", "--repair")

    assert answer.code == 6
    assert "Nothing was repaired" in answer.out


def test_a_model_that_is_not_there_ends_with_3(cli: Cli, churn: Registry) -> None:
    """As with every verb."""
    assert cli("check", "nobody").code == 3


def test_a_sample_says_how_it_is_drawn_again(cli: Cli, churn: Registry) -> None:
    """Its seed stands in the answer; without one it is the date."""
    answer = cli("check", "--sample", "50%", "--seed", "monday")

    assert answer.code == 0
    assert "--seed monday" in answer.out
    assert cli("check", "--sample", "1", "--json").json["checked"]["bytes_read"] > 0
    assert cli("check", "--sample", "none").code == 2
