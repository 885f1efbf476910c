"""The flows round a registry, each run: what a champion is deployed to, what is measured anew, who is reminded, what is tidied up."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowreg import Corrupt, Policy, Registry
from tests.conftest import Root
from tests.servers.listening import listening

pytestmark = [pytest.mark.prefect, pytest.mark.usefixtures("prefect_env")]

ASKS = Policy(policy="asks", models=["churn"], alias="champion", gates=[{"check": "approval", "by": ["desk"], "not_author": True}])


@pytest.fixture
def registry(root: Root) -> Registry:
    """churn@1 is champion, churn@2 might be."""
    registry = Registry(root.url, actor="trainer")
    for number in (1, 2):
        registry.register("churn", {"w": number}, trust="pickle", metrics={"auc": 0.9, "n": 100}, on="holdout")
    registry.promote("churn@1", to="champion")
    return registry


# -- deploy ----


def test_what_the_alias_holds_is_where_it_is_served_from(registry: Registry, tmp_path: Path) -> None:
    """Promoted, rolled back, told twice: ``current`` is always what the alias holds by then, and each version is brought once."""
    from flows.deploy import deploy

    served = tmp_path / "served"
    seen = []
    for move in (
        None,
        lambda: registry.promote("churn@2", to="champion"),
        lambda: registry.rollback("churn@champion", because="bad"),
        None,
    ):
        if move is not None:
            move()
        deploy("churn", into=str(served), registry=registry.root)
        seen.append(str((served / "churn" / "current").readlink()))

    assert seen == ["1", "2", "1", "1"]
    assert sorted(path.name for path in (served / "churn").iterdir()) == ["1", "2", "current"]
    assert sorted(path.name for path in (served / "churn" / "2").iterdir()) == sorted(registry.files("churn@2"))


def test_what_a_killed_deploy_left_is_not_served(registry: Registry, tmp_path: Path) -> None:
    """Half of a version under another name is no version."""
    from flows.deploy import deploy

    half = tmp_path / "churn" / f".1-{os.getpid()}"
    half.mkdir(parents=True)
    (half / "torn").write_text("half")

    folder = deploy("churn", into=str(tmp_path), registry=registry.root)

    assert sorted(path.name for path in folder.iterdir()) == sorted(registry.files("churn@1"))
    assert not half.exists()


# -- evaluate the champion ----


def test_a_champion_that_has_become_worse_raises_the_alarm(root: Root, events: Callable[[], list[Any]]) -> None:
    """Measured once on fresh data; below the line Prefect is told, with the numbers."""
    from flows.evaluate_champion import evaluate_champion
    from flows.retrain import retrain

    retrain("2013-03", "linear", registry=root.url)

    fine = evaluate_champion("2013-04", alarm_below=0.5, registry=root.url)
    evaluate_champion("2013-04", alarm_below=0.99, registry=root.url)

    assert (fine.ref, fine.dataset) == ("flight-delay@1", "flights-2013-04")
    assert len(Registry(root.url).get("flight-delay@1").evaluations) == 2
    (drift,) = [event for event in events() if event.event == "flowreg.drift.detected"]
    assert drift.resource["prefect.resource.id"] == "flowreg.model.flight-delay"
    assert (drift.payload["version"], drift.payload["facts"]["auc"]) == (1, fine.metrics["auc"])
    assert "is below 0.99" in drift.payload["because"]


# -- remind ----


def test_those_whose_word_is_missing_are_reminded(registry: Registry) -> None:
    """Of what waits now: not of what nobody asked for, nor of what somebody has spoken about since."""
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    from flows.remind import remind

    registry.set_people({"desk": ["ana"]})
    registry.set_policy(ASKS, because="four eyes")
    with listening() as ops:
        CustomWebhookNotificationBlock(name="desk", url=ops.url, json_data={"text": "{{subject}}: {{body}}"}).save("desk", overwrite=True)
        before = remind(to=["custom-webhook/desk"], registry=registry.root)
        registry.ask("churn@2", to="champion", because="better")
        while_it_waits = remind(to=["custom-webhook/desk"], registry=registry.root)
        registry.approve("churn@2", to="champion", because="fine", person="ana")
        after = remind(to=["custom-webhook/desk"], registry=registry.root)

    assert (before, [each.ref for each in while_it_waits], after) == ((), ["churn@2"], ())
    (told,) = [json.loads(body)["text"] for body in ops.heard]
    assert told.startswith("1 promotion waits for approval: churn@2 wants to become champion: ")
    assert "flowreg approve churn@2 --to champion" in told
    assert "asked by trainer" in told


def test_what_was_retired_or_lost_its_policy_waits_no_more(registry: Registry) -> None:
    from flowreg.prefect.reminders import waiting

    registry.set_people({"desk": ["ana"]})
    registry.set_policy(ASKS, because="four eyes")
    registry.ask("churn@2", to="champion")
    assert [each.ref for each in waiting(registry)] == ["churn@2"]

    registry.remove_policy("asks", because="for the test")
    assert waiting(registry) == ()
    registry.set_policy(ASKS, because="again")
    registry.retire("churn@2", because="for the test")
    assert waiting(registry) == ()


# -- housekeeping ----


def test_what_nothing_refers_to_is_collected(registry: Registry) -> None:
    """In a registry without faults; what was found stands on the page of the run."""
    from prefect.artifacts import Artifact

    from flows.housekeeping import housekeeping

    stray = Path(registry.root, "blobs", "sha256", "00", "0" * 64)
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"interrupted")

    swept = housekeeping(grace_days=0, registry=registry.root)

    assert not stray.exists()
    assert not swept.dry_run
    assert registry.load("churn@1", trust=True) == {"w": 1}
    found = Artifact.get("flowreg-check", _sync=True)
    assert found is not None
    assert "0 faults" in str(found.data)


def test_faults_fail_the_run_and_nothing_is_removed(registry: Registry) -> None:
    from flows.housekeeping import housekeeping

    blobs = Path(registry.root, "blobs")
    shutil.rmtree(next(path for path in (blobs / "sha256").iterdir() if path.is_dir()))
    left = sorted(path for path in blobs.rglob("*") if path.is_file())

    with pytest.raises(Corrupt, match=r"the registry has \d+ faults"):
        housekeeping(grace_days=0, registry=registry.root)

    assert sorted(path for path in blobs.rglob("*") if path.is_file()) == left
