"""``--dry-run``: every verb that writes says what would happen, with the same rules, and writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowreg.cli.app import VERBS
from flowreg.cli.rehearsal import Rehearsal
from flowreg.cli.verbs import POLICY_VERBS
from flowreg.registry import Registry
from flowreg.storage.local import LocalStore

from .conftest import Cli, every_byte

WRITING = {
    "register": (("register", "{file}", "--model", "churn", "--metric", "auc=0.9", "--on", "holdout"), "churn@3 would be registered"),
    "register anew": (("register", "{file}", "--model", "other"), "other@1 would be registered"),
    "evaluate": (("evaluate", "churn@2", "--metric", "auc=0.9", "--slice", "region=south:recall=0.7"), "would be recorded"),
    "label": (("label", "churn@1", "owner=ben", "team="), "owner=ben"),
    "promote": (("promote", "churn@2", "--to", "challenger"), "churn@2 would be challenger"),
    "promote over": (("promote", "churn@2", "--to", "champion", "--override", "x"), "churn@2 would be champion"),
    "rollback": (("rollback", "churn@taster", "--because", "x"), "churn@2 would be taster"),
    "approve": (("approve", "churn@2", "--to", "champion", "--because", "x"), "ana would approve churn@2"),
    "people set": (("people", "set", "--group", "model-risk=ana"), "a dry run"),
    "hold": (("hold", "churn@2", "--because", "x"), "would be on hold"),
    "release": (("release", "churn@1", "--because", "x"), "would be released"),
    "retire": (("retire", "churn@2", "--because", "x"), "would be retired"),
    "init": (("init",), "exists already"),
    "policy set": (("policy", "set", "{policy}"), "would be in force"),
    "policy remove": (("policy", "remove", "churn-prod", "--because", "x"), "would be out of force"),
}


@pytest.mark.parametrize("name", WRITING)
def test_a_dry_run_says_what_would_happen_and_writes_nothing(
    name: str, cli: Cli, churn: Registry, place: Path, model_file: Path, policy_file: Path
) -> None:
    """The tree is the same to the byte, and the next reader sees the old state."""
    for ref in ("churn@2", "churn@1"):
        churn.promote(ref, to="taster")
    churn.hold("churn@1", because="a case")
    churn.flush()
    argv, expected = WRITING[name]
    before = every_byte(place)

    answer = cli(*(text.format(file=model_file, policy=policy_file) for text in argv), "--dry-run")

    assert answer.code == 0
    assert expected in answer.out
    assert every_byte(place) == before


def test_every_writing_verb_can_be_tried() -> None:
    """The table above has them all: what is no reading verb has ``--dry-run``, or does nothing unless it is told to."""
    reading = {"evidence", "export", "inventory", "ls", "show", "history", "diff", "lineage", "fetch", "gates", "doctor", "check"}
    on_demand = {"collect", "cache", "reproduce"}  # these only tell, unless they are asked to act
    writing = {verb.name for verbs in VERBS.values() for verb in verbs} - reading - on_demand
    of_policies = {f"policy {verb.name}" for verb in POLICY_VERBS} - {
        f"policy {verb}" for verb in ("show", "ls", "check", "history", "diff", "schema")
    }

    assert writing | of_policies | {"people set"} == {name.removesuffix(" anew").removesuffix(" over") for name in WRITING}


def test_a_blocked_promotion_is_foretold(cli: Cli, churn: Registry, place: Path) -> None:
    """The report and the exit code are those of the real thing, but no decision is recorded."""
    before = every_byte(place)

    answer = cli("promote", "churn@2", "--to", "champion", "--dry-run")

    assert answer.code == 4
    assert "✗" in answer.out
    assert "nothing was written" in answer.out
    assert "recorded" not in answer.out
    assert every_byte(place) == before


def test_a_refusal_is_foretold(cli: Cli, churn: Registry, place: Path) -> None:
    """The rules of the real thing hold."""
    before = every_byte(place)

    assert cli("retire", "churn@1", "--because", "x", "--dry-run").code == 4
    assert cli("label", "churn@9", "a=b", "--dry-run").code == 3
    assert every_byte(place) == before


def test_a_dry_run_on_nothing_creates_nothing(cli: Cli, place: Path, model_file: Path) -> None:
    """The root is not even made."""
    assert "churn@1 would be registered" in cli("register", str(model_file), "--model", "churn", "--dry-run").out
    assert "would be created" in cli("init", "--dry-run").out
    assert not place.exists()


def test_a_large_file_is_hashed_not_copied(place: Path, tmp_path: Path) -> None:
    """The digest is the real one."""
    large = tmp_path / "large"
    large.write_bytes(b"x" * (17 << 20))
    store = Rehearsal(LocalStore(place))

    assert store.put_file(large, lambda digest: digest) == LocalStore(tmp_path / "real").put_file(large, lambda digest: digest)
    assert not place.exists()
