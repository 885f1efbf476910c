"""A rollback that sticks: the last good holder, the bytes that it leaves barred under any number, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flowreg import Registry
from flowreg.core.layout import blob_path
from flowreg.errors import Corrupt, Refused
from tests.registry.conftest import policy

Artifact = Callable[[str], Path]


@pytest.fixture
def served(three: Registry) -> Registry:
    """``churn@champion`` was 1, then 2, and is 3."""
    for number in (1, 2, 3):
        three.promote(f"churn@{number}", to="champion")
    return three


def champion(registry: Registry) -> int:
    return registry.get("churn@champion").number


def test_tonights_retraining_cannot_bring_the_bytes_back(served: Registry, artifact: Artifact) -> None:
    """The same bytes are a new version, retired from birth, which no alias may name; other bytes may."""
    bad = served.get("churn@champion")
    move = served.rollback("churn@champion", because="errors in south")

    again = served.register("churn", artifact("v3"), metrics={"auc": 0.99}, on="holdout")

    assert (move.version.number, move.previous, move.retired, move.kept) == (2, 3, bad.digest, None)
    assert move.served_since is not None
    assert (again.number, again.digest, again.retired) == (4, bad.digest, "errors in south")
    refusal = r"churn@4 may not become champion: these are the bytes of version 3, which was rolled back from champion by ana on"
    for alias in ("champion", "mine"):
        with pytest.raises(Refused, match=refusal.replace("become champion", f"become {alias}")):
            served.promote("churn@4", to=alias)
    served.register("churn", artifact("v5"))
    assert served.promote("churn@5", to="champion").previous == 2


def test_no_gate_and_no_override_lets_them_back(served: Registry) -> None:
    """However good the numbers are."""
    served.rollback("churn@champion", because="errors in south")
    served.set_policy(policy("auc >= 0.5", override={"by": ["ana"]}))

    with pytest.raises(Refused, match="rolled back from champion"):
        served.promote("churn@3", to="champion", override="I insist")


def test_a_rollback_is_undone_by_one_call(served: Registry, artifact: Artifact) -> None:
    """Holder, trail, retirement and the twin are as before; and it can be rolled back and undone again."""
    served.register("churn", artifact("v3"))
    before = served.get("churn@3"), served.get("churn@4"), served.get("churn@champion~1"), served.get("churn@champion~2")

    for _ in range(2):
        served.rollback("churn@champion", because="errors in south")
        assert served.get("churn@4").retired == "errors in south"
        undone = served.undo_rollback("churn@champion", because="south was down itself")

        assert (undone.version.number, undone.previous, undone.undoes is not None) == (3, 2, True)
        after = served.get("churn@3"), served.get("churn@4"), served.get("churn@champion~1"), served.get("churn@champion~2")
        assert after == before


def test_only_a_rollback_that_was_last_can_be_undone(served: Registry) -> None:
    """Not a promotion, not an undoing, not what was retired again since."""
    with pytest.raises(Refused, match="no rollback"):
        served.undo_rollback("churn@champion", because="x")
    served.rollback("churn@champion", because="errors")
    served.restore("churn@3", because="look again")
    served.retire("churn@3", because="it leaks")
    with pytest.raises(Refused, match="it leaks"):
        served.undo_rollback("churn@champion", because="x")
    served.restore("churn@3", because="no, it does not")
    assert served.undo_rollback("churn@champion", because="fine").version.number == 3

    with pytest.raises(Refused, match="no rollback"):
        served.undo_rollback("churn@champion", because="x")
    served.rollback("churn@champion", because="errors")
    served.promote("churn@1", to="champion")
    with pytest.raises(Refused, match="no rollback"):
        served.undo_rollback("churn@champion", because="x")


def test_a_rollback_goes_to_other_bytes(registry: Registry, artifact: Artifact) -> None:
    """The holder before may be the same model under another number; told to go there, nothing is retired."""
    for text in ("good", "bad", "bad"):
        registry.promote(registry.register("churn", artifact(text)), to="champion")

    assert registry.rollback("churn@champion", because="errors").version.number == 1
    registry.undo_rollback("churn@champion", because="no")

    assert registry.rollback("churn@champion", because="renumber", to=2).kept == "version 2 has the same bytes"
    assert registry.get("churn@2").retired is None


def test_what_is_rolled_back_is_not_gone_back_to(served: Registry, artifact: Artifact) -> None:
    """The next bad version goes back past the one before it."""
    served.rollback("churn@champion", because="errors")
    served.promote(served.register("churn", artifact("v4")), to="champion")

    assert served.rollback("churn@champion", because="errors, too").version.number == 2
    assert served.rollback("churn@champion", because="and again").version.number == 1
    with pytest.raises(Refused, match="cannot go back"):
        served.rollback("churn@champion", because="everything is bad")


@pytest.mark.parametrize("why", ["kept", "another alias", "another alias of a twin", "a hold", "a hold on the model"])
def test_what_is_needed_is_not_retired_and_the_move_says_why(served: Registry, artifact: Artifact, why: str) -> None:
    """The alias moves all the same."""
    twin = served.register("churn", artifact("v3"))
    match why:
        case "another alias":
            served.promote("churn@3", to="challenger")
        case "another alias of a twin":
            served.promote(twin, to="challenger")
        case "a hold":
            served.hold("churn@3", because="case 7")
        case "a hold on the model":
            served.hold("churn", because="case 7")
    said = {
        "kept": "it was to be kept",
        "another alias": "version 3 is challenger still",
        "another alias of a twin": "version 4 is challenger still",
    }

    move = served.rollback("churn@champion", because="errors", keep=why == "kept")

    assert (champion(served), move.retired) == (2, None)
    assert said.get(why, "is on hold since") in (move.kept or "")
    assert served.get("churn@3").retired is None


def test_retiring_bars_the_bytes_and_restoring_frees_them(three: Registry, artifact: Artifact) -> None:
    """Under every number, before and after."""
    three.register("churn", artifact("v2"))
    three.retire("churn@2", because="leaks")
    three.register("churn", artifact("v2"))
    assert [v.retired for v in three.versions("churn")] == [None, "leaks", None, "leaks", "leaks"]

    three.restore("churn@5", because="it does not")

    assert [v.retired for v in three.versions("churn")] == [None] * 5
    three.promote("churn@4", to="mine")
    with pytest.raises(Refused, match=r"churn@4 has the same bytes and is mine"):
        three.retire("churn@2", because="leaks")


def test_an_undoing_checks_the_bytes(served: Registry, folder: Path) -> None:
    """Like any way back."""
    served.rollback("churn@champion", because="errors")
    (digest,) = served.files("churn@3").values()
    (folder / blob_path(digest)).write_bytes(b"evil")

    with pytest.raises(Corrupt):
        served.undo_rollback("churn@champion", because="x")
    assert champion(served) == 2


def test_a_checkpoint_knows_barred_bytes(served: Registry, artifact: Artifact, folder: Path) -> None:
    """A reader who starts from one bars them as well."""
    served.rollback("churn@champion", because="errors")
    for n in range(70):
        served.label("churn@1", {"n": str(n)})
    served.flush()
    assert list((folder / "models/churn/checkpoints").iterdir())

    assert Registry(folder).register("churn", artifact("v3")).retired == "errors"
