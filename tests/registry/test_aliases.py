"""Aliases: they move by their rules, in one order, and the past stays known."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowreg import Registry
from flowreg.core.layout import blob_path
from flowreg.errors import BadInput, Conflict, Corrupt, GateBlocked, NotFound, Refused
from tests.registry.conftest import everything, policy

Artifact = Callable[[str], Path]


def champion(registry: Registry, back: int = 0) -> int:
    return registry.get(f"churn@champion~{back}" if back else "churn@champion").number


def test_without_a_policy_an_alias_is_set(three: Registry, folder: Path) -> None:
    """And the same again writes nothing."""
    move = three.promote("churn@1", to="champion")
    three.flush()
    before = everything(folder)

    assert (move.how, move.previous, move.version.number) == ("set", None, 1)
    assert three.promote("churn@1", to="champion").version.number == 1
    assert everything(folder) == before


def test_the_gates_decide(three: Registry) -> None:
    """What passes moves with its decision; what does not is blocked, recorded and moves nothing."""
    three.set_policy(policy("auc >= 0.75", "auc > champion.auc"))
    with pytest.raises(GateBlocked, match=r"0\.7") as blocked:
        three.promote("churn@1", to="champion")

    passed = three.promote("churn@3", to="champion")
    with pytest.raises(GateBlocked):
        three.promote("churn@2", to="champion")

    assert blocked.value.decision.outcome == "blocked"
    assert (passed.how, passed.decision.outcome, champion(three)) == ("promotion", "promote", 3)
    assert [d.outcome for number in (1, 2, 3) for d in three.decisions(f"churn@{number}")] == ["blocked", "blocked", "promote"]


def test_judging_records_nothing(three: Registry, folder: Path) -> None:
    """A dry run."""
    three.set_policy(policy("auc >= 0.75"))
    three.flush()
    before = everything(folder)

    assert [three.judge(f"churn@{n}", to="champion").outcome for n in (1, 2)] == ["blocked", "promote"]
    assert everything(folder) == before


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("gate", ["auc >= 0", "auc <= 1", "auc != 0.5", "auc - champion.auc >= -1", "champion.auc - auc >= -1"])
def test_a_metric_that_is_no_number_blocks_every_gate_that_meets_it(
    registry: Registry, artifact: Artifact, value: float, gate: str
) -> None:
    """Of the candidate or of the holder."""
    registry.register("churn", artifact("a"), metrics={"auc": 0.5}, on="holdout")
    registry.register("churn", artifact("b"), metrics={"auc": value}, on="holdout")
    registry.promote("churn@1", to="champion")
    registry.set_policy(policy(gate))

    with pytest.raises(GateBlocked):
        registry.promote("churn@2", to="champion")
    assert champion(registry) == 1


def test_only_who_may_goes_over_the_gates(three: Registry, folder: Path) -> None:
    """With a reason that stays; others are refused and nothing moves."""
    three.set_policy(policy("auc >= 0.99", override={"by": ["ana"]}))
    with pytest.raises(Refused, match="does not allow ben"):
        Registry(folder, actor="ben").promote("churn@3", to="champion", override="because I can")

    move = three.promote("churn@3", to="champion", override="the holdout is wrong")

    assert (move.how, move.because, move.decision.override.by) == ("override", "the holdout is wrong", "ana")
    assert three.decisions("churn@3")[-1].override.reason == "the holdout is wrong"


def test_a_protected_alias_cannot_be_removed(three: Registry) -> None:
    """An unprotected one can."""
    three.promote("churn@1", to="mine")
    three.promote("churn@1", to="champion")
    three.set_policy(policy())
    with pytest.raises(Refused, match="protected by policy basic"):
        three.remove_alias("churn@champion")

    three.remove_alias("churn@mine", because="not needed")

    assert three.get("churn@1").aliases == ("champion",)
    with pytest.raises(NotFound):
        three.get("churn@mine")


def test_a_policy_counts_from_its_acknowledgement_on(three: Registry, folder: Path) -> None:
    """Also for a registry that has been open since before."""
    old = Registry(folder)
    old.promote("churn@1", to="champion")

    Registry(folder).set_policy(policy("auc >= 0.99"))

    with pytest.raises(GateBlocked):
        old.promote("churn@3", to="champion")
    with pytest.raises(Refused, match="protected"):
        old.remove_alias("churn@champion")


# ---- rollback ----


def test_a_rollback_walks_back_the_way_it_came(three: Registry) -> None:
    """Step by step, and promoting again starts a new way from there."""
    for number in (1, 2, 3):
        three.promote(f"churn@{number}", to="champion")
    assert (champion(three), champion(three, 1), champion(three, 2)) == (3, 2, 1)

    first, second = (three.rollback("churn@champion", because="worse", keep=True) for _ in range(2))

    assert (first.version.number, second.version.number, first.how, first.because) == (2, 1, "rollback", "worse")
    with pytest.raises(Refused, match="cannot go back"):
        three.rollback("churn@champion", because="worse still")
    three.promote("churn@3", to="champion")
    assert champion(three, 1) == 1


def test_a_rollback_passes_retired_versions_over(three: Registry) -> None:
    """To the newest that may hold it."""
    for number in (1, 2, 3):
        three.promote(f"churn@{number}", to="champion")
    three.retire("churn@2", because="leaks")

    assert three.rollback("churn@champion", because="worse").version.number == 1


def test_a_rollback_goes_where_it_is_told(three: Registry) -> None:
    """By number, by reference, by steps, by a version that was returned."""
    for number in (1, 2, 3):
        three.promote(f"churn@{number}", to="champion")
    one = three.get("churn@1")

    assert three.rollback("churn@champion~2", because="x", keep=True).version.number == 1
    assert three.rollback("churn@champion", because="x", to=3, keep=True).version.number == 3
    assert three.rollback("churn@champion", because="x", to="churn@2", keep=True).version.number == 2
    assert three.rollback("churn@champion", because="x", to=one).version.number == 1


@pytest.mark.parametrize("to", [0, -1, True, "other@1", "churn@", "2", "churn@champion", 3])
def test_a_rollback_to_what_never_held_it_moves_nothing(three: Registry, artifact: Artifact, to: object) -> None:
    """Not a version, one of another model, the holder itself, one that never held it."""
    three.register("other", artifact("other"))
    three.promote("churn@1", to="champion")
    three.promote("churn@2", to="champion")

    with pytest.raises((BadInput, Refused, NotFound)):
        three.rollback("churn@champion", because="x", to=to)  # type: ignore[arg-type]

    assert (champion(three), champion(three, 1)) == (2, 1)


def test_a_rollback_is_allowed_under_any_policy_and_checks_the_bytes(three: Registry, folder: Path) -> None:
    """Back along its own history; but not to bytes that are damaged."""
    three.promote("churn@1", to="champion")
    three.promote("churn@2", to="champion")
    three.set_policy(policy("auc >= 0.99"))
    (digest,) = three.files("churn@1").values()
    blob = folder / blob_path(digest)
    good = blob.read_bytes()
    blob.write_bytes(b"evil")
    with pytest.raises(Corrupt):
        three.rollback("churn@champion", because="worse")
    assert champion(three) == 2

    blob.write_bytes(good)

    assert three.rollback("churn@champion", because="worse").version.number == 1


# ---- retire ----


def test_a_retired_version_holds_nothing_until_it_is_restored(three: Registry) -> None:
    """Refused for every alias, with who and why; a holder is not retired."""
    three.promote("churn@1", to="champion")
    with pytest.raises(Refused, match="is champion and may not be retired"):
        three.retire("churn@1", because="old")
    assert three.retire("churn@2", because="leaks").retired == "leaks"
    with pytest.raises(Refused, match=r"retired by ana on .*: leaks"):
        three.promote("churn@2", to="mine")

    three.restore("churn@2", because="it was a false alarm")

    assert three.promote("churn@2", to="mine").version.number == 2


# ---- two at once ----


def test_a_holder_who_changed_long_ago_is_no_conflict(three: Registry, folder: Path) -> None:
    """A registry that has been open for days judges against the holder of now."""
    three.set_policy(policy("auc >= 0.5", "auc > champion.auc"))
    old = Registry(folder)
    old.get("churn@1")
    three.promote("churn@1", to="champion")

    assert old.promote("churn@2", to="champion").previous == 1


@pytest.mark.parametrize("protected", [True, False])
def test_of_two_who_move_an_alias_none_is_lost(three: Registry, folder: Path, artifact: Artifact, protected: bool) -> None:
    """8 promotions at the same moment: each is acknowledged or refused, and the moves form one chain, each from the holder before."""
    for n in range(4, 9):
        three.register("churn", artifact(f"v{n}"), metrics={"auc": 0.9}, on="holdout")
    if protected:
        three.set_policy(policy("auc >= 0.5"))
    start = threading.Barrier(8)

    def promote(number: int) -> int | None:
        mine = Registry(folder, actor=f"writer-{number}")
        mine.get("churn@1")
        start.wait()
        try:
            return mine.promote(f"churn@{number}", to="champion").version.number
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        acknowledged = [number for number in pool.map(promote, range(1, 9)) if number]
    state = Registry(folder)._journals.of("churn").state()
    moves = [move.said for move in state.aliases["champion"].moves]

    assert sorted(move.version for move in moves) == sorted(acknowledged)
    assert [move.base for move in moves] == [None, *(move.version for move in moves[:-1])]
    assert state.voids == ()
    assert acknowledged


def test_a_holder_who_changes_while_the_gates_run_is_a_conflict(three: Registry, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision was about somebody else: nothing is written, and judging again finds the new holder."""
    from flowreg import judging

    three.set_policy(policy("auc >= 0.5"))
    real, other = judging.judged, Registry(folder, actor="ben")
    moved: list[bool] = []

    def slow(*args: object, **options: object) -> object:
        decision = real(*args, **options)  # type: ignore[arg-type]
        if not moved:
            moved.append(True)
            other.promote("churn@1", to="champion")
        return decision

    monkeypatch.setattr(judging, "judged", slow)
    with pytest.raises(Conflict, match="moved from nobody to version 1 while the gates ran"):
        three.promote("churn@3", to="champion")

    assert champion(three) == 1
    assert three.promote("churn@3", to="champion").previous == 1


def test_a_decision_that_expired_while_the_gates_ran_moves_nothing(three: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow gate, and a policy whose decisions live shorter: nothing is written, neither the decision nor the move."""
    from flowreg import judging

    three.set_policy(policy("auc >= 0.5"))
    real = judging.judged

    def late(*args: object, **options: object) -> object:
        return real(*args, **options).model_copy(update={"expires_at": "2026-01-01T00:00:00.000Z"})  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "judged", late)
    with pytest.raises(Refused, match="the decision was good until 2026-01-01"):
        three.promote("churn@3", to="champion")

    assert three.decisions("churn@3") == ()
    with pytest.raises(NotFound):
        three.get("churn@champion")
