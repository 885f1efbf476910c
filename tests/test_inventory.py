"""The inventory: every model, for those who answer for them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from flowreg import Policy, Registry
from flowreg.inventory import InventoryLine, as_csv
from tests.cli.conftest import Cli, cli, place

__all__ = ["cli", "place"]


@pytest.fixture
def registry(place: Path, tmp_path: Path) -> Registry:
    """Promoted by gates, by override, by hand, nothing promoted, and damaged."""
    registry = Registry(place, actor="ana")
    policy = {"policy": "p", "models": ["gated", "forced"], "alias": "champion", "override": {"by": ["ana"]}, "gates": ["auc >= 0.8"]}
    registry.set_policy(Policy.parse(policy))
    for name, auc in (("gated", 0.9), ("forced", 0.5), ("loose", 0.5), ("young", 0.5), ("broken", 0.5)):
        (tmp_path / "m").write_text(name)
        registry.register(name, tmp_path / "m", metrics={"auc": auc}, labels={"owner": "=cmd()", "review_by": "2020-01-01"})
    registry.promote("gated@1", to="champion")
    registry.promote("forced@1", to="champion", override="no time")
    registry.promote("loose@1", to="champion", because="why not")
    registry.label("gated@1", {"owner": "risk", "purpose": "who leaves", "review_by": "2999-01-01"})
    registry.flush()
    for path in Path(registry.root, "models", "broken").rglob("*.json"):
        path.unlink()
    (Path(registry.root) / "models" / "broken" / "journal").mkdir(parents=True, exist_ok=True)
    return registry


def by_model(lines: tuple[InventoryLine, ...]) -> dict[str, InventoryLine]:
    return {line.model: line for line in lines}


def test_each_model_says_who_answers_and_on_what_grounds(registry: Registry) -> None:
    """Labels of the champion; the gates, or what stood in their place."""
    lines = by_model(Registry(registry.root).inventory())

    gated = lines["gated"]
    assert (gated.owner, gated.purpose, gated.version, gated.promoted_by, gated.policy) == ("risk", "who leaves", 1, "ana", "p")
    assert (gated.evidence, gated.overdue, gated.stamp) == ("1 of 1 gates of p passed", False, registry.get("gated@1").stamp)
    assert lines["forced"].evidence is not None
    assert lines["forced"].evidence.startswith("OVERRIDE, 0 of 1 gates of p passed")
    assert (lines["loose"].evidence, lines["loose"].policy) == ("no gates, set by hand: why not", None)
    assert (lines["young"].version, lines["young"].overdue, lines["young"].evidence) == (None, True, None)


def test_as_of_a_moment(registry: Registry) -> None:
    """What served then, and what was overdue then."""
    at = registry.history("gated")[0].at

    line = by_model(registry.inventory(as_of=at))["gated"]

    assert (line.version, line.owner, line.overdue) == (None, "=cmd()", True)
    assert [line.model for line in registry.inventory(as_of="2019-01-01")] == ["broken"]


def test_csv_opens_in_a_spreadsheet_without_running_anything(registry: Registry) -> None:
    """A cell that would be a formula is text."""
    rows = list(csv.DictReader(io.StringIO(as_csv(registry.inventory()))))

    assert {row["model"] for row in rows} >= {"gated", "forced", "loose", "young"}
    assert next(row for row in rows if row["model"] == "loose")["owner"] == "'=cmd()"
    assert next(row for row in rows if row["model"] == "gated")["overdue"] == "False"


def test_on_the_command_line(registry: Registry, cli: Cli, place: Path, tmp_path: Path) -> None:
    """A table for people, JSON and CSV for programs; the evidence says where it is and how to check it."""
    assert "OVERRIDE" in cli("inventory").out
    assert {line["model"] for line in json.loads(cli("inventory", "--json").out)} >= {"gated", "loose"}
    assert cli("inventory", "--csv").out.startswith("model,owner,purpose")

    answer = cli("evidence", "gated@1", "--into", str(tmp_path / "bundle"))
    assert (answer.code, "verify.py" in answer.out) == (0, True)
    assert cli("evidence", "gated@1", "--into", str(tmp_path / "bundle")).code == 2
    assert json.loads(cli("evidence", "gated@1", "--into", str(tmp_path / "b2"), "--json").out)["digest"].startswith("sha256:")
