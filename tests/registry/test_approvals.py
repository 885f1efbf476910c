"""What people say about a promotion: for whom it counts, for how long, and what makes it void."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowreg import Registry, ids
from flowreg.errors import BadInput, GateBlocked, NotFound, Refused
from tests.registry.conftest import everything, policy

Artifact = Callable[[str], Path]
GATE = {"check": "approval", "by": ["model-risk"]}


@pytest.fixture
def asked(three: Registry) -> Registry:
    """``churn@3``, by ana, waits for one of ana, ben and cleo; ``churn@1`` is champion."""
    three.promote("churn@1", to="champion")
    three.set_people({"model-risk": ["ana", "ben", "cleo"]})
    three.set_policy(reviewed())
    return three


def reviewed(**gate: Any) -> Any:
    """A policy with an approval gate."""
    return policy("auc >= 0.75", {**GATE, **gate})  # type: ignore[arg-type]


def by(registry: Registry, actor: str) -> Registry:
    return Registry(registry.root, actor=actor)


def outcome(registry: Registry, ref: str = "churn@3") -> str:
    return registry.judge(ref, to="champion").outcome


def test_a_promotion_waits_until_somebody_says_yes(asked: Registry) -> None:
    """Who was not asked changes nothing."""
    with pytest.raises(GateBlocked, match=r"may not become champion yet: 0 of 1: waits for model-risk"):
        asked.promote("churn@3", to="champion")
    by(asked, "mallory").approve("churn@3", to="champion", because="trust me")
    assert outcome(asked) == "waiting"

    said = by(asked, "ben").approve("churn@3", to="champion", because="read it")

    assert (said.ref, said.person, said.approved, said.base, said.policy) == ("churn@3", "ben", True, 1, "basic")
    assert asked.promote("churn@3", to="champion").how == "promotion"
    assert [a.person for a in asked.approvals("churn@3")] == ["mallory", "ben"]


def test_two_people_are_two_people(asked: Registry) -> None:
    """The same one twice is one."""
    asked.set_policy(reviewed(count=2))
    for actor in ("ben", "ben"):
        by(asked, actor).approve("churn@3", to="champion", because="read it")
    assert outcome(asked) == "waiting"

    by(asked, "cleo").approve("churn@3", to="champion", because="me too")

    assert outcome(asked) == "promote"


@pytest.mark.parametrize("how", ["registered", "evaluated", "asked"])
def test_who_had_a_hand_in_it_does_not_count(asked: Registry, artifact: Artifact, how: str) -> None:
    """Whoever registered or evaluated the version, or asked for its promotion; somebody else does."""
    asked.set_policy(reviewed(not_author=True))
    ben = by(asked, "ben")
    match how:
        case "registered":
            ben.register("churn", artifact("v4"), metrics={"auc": 0.9}, on="holdout")
        case "evaluated":
            ben.evaluate("churn@3", {"auc": 0.9}, on="holdout")
        case _:
            assert ben.ask("churn@3", to="champion").outcome == "waiting"
    ref = "churn@4" if how == "registered" else "churn@3"

    ben.approve(ref, to="champion", because="mine")
    assert outcome(asked, ref) == "waiting"
    by(asked, "cleo").approve(ref, to="champion", because="read it")

    assert outcome(asked, ref) == "promote"


def test_who_approved_first_may_promote(asked: Registry) -> None:
    """Asking for what one has approved makes nobody an author."""
    asked.set_policy(reviewed(not_author=True, count=2))
    ben = by(asked, "ben")

    ben.approve("churn@3", to="champion", because="read it")
    with pytest.raises(GateBlocked, match=r"1 of 2 \(ben\)"):
        ben.promote("churn@3", to="champion")
    by(asked, "cleo").approve("churn@3", to="champion", because="me too")

    assert ben.promote("churn@3", to="champion").how == "promotion"


def test_a_no_blocks_until_the_same_person_says_yes(asked: Registry) -> None:
    """With its reason in the refusal; a yes of somebody else does not outvote it."""
    by(asked, "ben").approve("churn@3", to="champion", because="unfair to south", reject=True)
    by(asked, "cleo").approve("churn@3", to="champion", because="fine")
    with pytest.raises(GateBlocked, match="ben said no: unfair to south"):
        asked.promote("churn@3", to="champion")

    by(asked, "ben").approve("churn@3", to="champion", because="south was fixed")

    assert asked.promote("churn@3", to="champion").how == "promotion"


def test_a_yes_is_void_for_another_holder_policy_or_candidate(asked: Registry) -> None:
    """It was said about churn@3 instead of churn@1 under this policy, and about nothing else."""
    ben = by(asked, "ben")
    ben.approve("churn@3", to="champion", because="read it")
    assert outcome(asked, "churn@2") == "waiting"
    asked.set_policy(reviewed(why="stricter"))
    assert outcome(asked) == "waiting"
    asked.set_policy(reviewed())
    assert outcome(asked) == "promote"

    ben.approve("churn@2", to="champion", because="read it")
    asked.promote("churn@2", to="champion")

    assert outcome(asked) == "waiting"
    asked.rollback("churn@champion", because="worse", keep=True)
    assert outcome(asked) == "waiting"  # the holder is churn@1 again, but the alias has moved


def test_a_yes_expires(asked: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the days that the gate says."""
    asked.set_policy(reviewed(valid_days=14))
    by(asked, "ben").approve("churn@3", to="champion", because="read it")
    now = ids.now()
    assert outcome(asked) == "promote"

    monkeypatch.setattr(ids, "now", lambda: ids.later(now, 14 * 86400 + 1))

    assert outcome(asked) == "waiting"


def test_who_left_the_group_does_not_count(asked: Registry) -> None:
    """The groups are those of the moment of judging, also for a registry that has been open since before."""
    old = by(asked, "ana")
    by(asked, "ben").approve("churn@3", to="champion", because="read it")
    assert old.judge("churn@3", to="champion").outcome == "promote"

    by(asked, "boss").set_people({"model-risk": ["cleo"]}, because="ben has left")

    with pytest.raises(GateBlocked):
        old.promote("churn@3", to="champion")
    assert old.judge("churn@3", to="champion").outcome == "waiting"
    assert asked.people(as_of="2020-01-01") == {}


def test_a_word_with_a_key_is_said_once(asked: Registry) -> None:
    """A retry is not a twin; ``person`` and ``via`` say whose word a program passes on."""
    for _ in range(2):
        said = asked.approve("churn@3", to="champion", because="read it", person="ben", via="prefect", key="k")

    assert (said.person, said.by.actor, said.via) == ("ben", "ana", "prefect")
    assert len(asked.approvals("churn@3")) == 1
    assert outcome(asked) == "promote"


def test_what_cannot_be_approved_is_refused(asked: Registry, folder: Path) -> None:
    """The holder itself, an alias without policy, a retired version, none at all, no reason: nothing is written."""
    asked.retire("churn@2", because="leaks")
    asked.flush()
    before = everything(folder)
    refusals: list[tuple[type[Exception], Callable[[], object]]] = [
        (Refused, lambda: asked.approve("churn@1", to="champion", because="x")),
        (NotFound, lambda: asked.approve("churn@3", to="mine", because="x")),
        (NotFound, lambda: asked.ask("churn@3", to="mine")),
        (Refused, lambda: asked.approve("churn@2", to="champion", because="x")),
        (NotFound, lambda: asked.approve("churn@9", to="champion", because="x")),
        (BadInput, lambda: asked.approve("churn@3", to="champion", because=" ")),
        (BadInput, lambda: asked.approve("churn@3", to="champion", because="x", person="")),
        (BadInput, lambda: asked.set_people({"model-risk": "a\nb"})),
        (BadInput, lambda: asked.set_people({"": ["a"]})),
        (BadInput, lambda: asked.set_people(["a"])),  # type: ignore[arg-type]
    ]

    for error, refused in refusals:
        with pytest.raises(error):
            refused()
    assert everything(folder) == before


def test_a_question_is_recorded_and_moves_nothing(asked: Registry) -> None:
    """With who asks; where nobody is awaited nothing is recorded."""
    decision = by(asked, "ben").ask("churn@3", to="champion", because="ready")
    by(asked, "cleo").approve("churn@3", to="champion", because="read it")

    assert asked.ask("churn@3", to="champion").outcome == "promote"
    assert [(d.outcome, d.asked_by, d.id) for d in asked.decisions("churn@3")] == [("waiting", "ben", decision.id)]
    assert asked.get("churn@champion").number == 1
    assert asked.history("churn")[-2].because == "ready"


def test_a_checkpoint_knows_what_was_said(asked: Registry, folder: Path) -> None:
    """A reader who starts from one judges as one who has read it all."""
    by(asked, "ben").approve("churn@3", to="champion", because="read it")
    for n in range(70):
        asked.label("churn@1", {"n": str(n)})
    asked.flush()
    assert list((folder / "models/churn/checkpoints").iterdir())

    assert outcome(Registry(folder)) == "promote"
