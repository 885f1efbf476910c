"""The checker finds every planted violation, and nothing in a history that is sound."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from .checker import Written, violations
from .observed import Operation, Outcome


def journal(*names: str) -> list[Written]:
    """Entries 1, 2, 3 …: each registers the version of its number, but ``p2`` moves champion to version 2, ``x`` takes it away."""
    entries: list[Written] = []
    versions = 0
    for seq, name in enumerate(names, 1):
        moved = ("champion", None if name == "x" else int(name[1:])) if name[0] in "px" else None
        versions += moved is None
        entries.append(Written(seq, f"d{seq}", f"d{seq - 1}" if seq > 1 else None, name, None if moved else versions, moved))
    return entries


def append(name: str, asked: int, answered: int | None, outcome: Outcome = "done", **seen: object) -> Operation:
    return Operation(name, "churn", "register", asked, answered, outcome, seen)


def read(kind: str, asked: int, answered: int, **seen: object) -> Operation:
    return Operation(f"{kind}-{asked}", "churn", kind, asked, answered, "done", seen)


def codes(written: list[Written], *operations: Operation) -> list[str]:
    return [violation.code for violation in violations(written, operations)]


A, B = append("a", 0, 10, version=1), append("b", 20, 30, version=2)


def test_a_sound_history_has_no_violation() -> None:
    """Appends and reads in turn, overlapping ones in either order, an unknown one that landed and one that did not."""
    operations = [
        A, B, append("c", 5, None, "unknown"), append("d", 5, None, "unknown"), append("e", 5, 9, "failed"),
        read("state", 11, 12, seq=1, digest="d1"), read("state", 5, 12, seq=0, digest=None), read("history", 25, 26, operations=["a", "b"]),
        read("newest", 31, 32, version=3), read("alias", 31, 32, alias="champion", version=None),
    ]  # fmt: skip

    assert codes(journal("a", "b", "c"), *operations) == []


def test_a_lost_append_is_found() -> None:
    """Acknowledged, and not there."""
    assert codes(journal("a"), A, B) == ["lost"]


def test_a_duplicate_is_found() -> None:
    """One append that stands there twice, also where its outcome was unknown."""
    assert codes(journal("a", "a"), append("a", 0, 10)) == ["duplicate"]
    assert codes(journal("a", "a"), append("a", 0, None, "unknown")) == ["duplicate"]


def test_a_phantom_is_found() -> None:
    """An entry that nobody asked for, one that had failed, and one after it was said that nothing had to be done."""
    assert codes(journal("a", "b"), A) == ["phantom"]
    assert codes(journal("a", "b"), A, replace(B, outcome="failed")) == ["phantom"]
    assert codes(journal("a", "b"), A, replace(B, outcome="nothing")) == ["phantom"]


def test_a_reordering_is_found() -> None:
    """``b`` was asked for after ``a`` was acknowledged, and stands before it; also where the outcome of ``b`` is unknown."""
    swapped = journal("b", "a")

    assert codes(swapped, append("a", 0, 10), append("b", 20, 30)) == ["reordered"]
    assert codes(swapped, append("a", 0, 10), append("b", 20, None, "unknown")) == ["reordered"]
    assert codes(swapped, append("a", 0, 21), append("b", 20, 30)) == []


def test_a_stale_read_is_found() -> None:
    """It began after the append was acknowledged, and does not have it; by each kind of read."""
    stale = [
        read("state", 31, 32, seq=1, digest="d1"),
        read("history", 31, 32, operations=["a"]),
        read("newest", 31, 32, version=1),
    ]

    assert [codes(journal("a", "b"), A, B, one) for one in stale] == [["stale"]] * 3


def test_a_read_that_goes_back_is_found() -> None:
    """Another reader had seen more, though the append was not acknowledged yet."""
    first = read("state", 21, 22, seq=2, digest="d2")

    assert codes(journal("a", "b"), A, B, first, read("newest", 23, 24, version=1)) == ["stale"]
    assert codes(journal("a", "b"), A, B, first, read("newest", 21, 24, version=1)) == []


def test_a_read_of_what_never_was_is_found() -> None:
    """Bytes that are not the journal's, a history in another order, a version and a holder that never were."""
    never = [
        read("state", 31, 32, seq=2, digest="d9"),
        read("state", 31, 32, seq=7, digest="d7"),
        read("history", 31, 32, operations=["b", "a"]),
        read("newest", 31, 32, version=9),
        read("alias", 31, 32, alias="champion", version=9),
    ]

    assert [codes(journal("a", "b"), A, B, one) for one in never] == [["phantom read"]] * 5


def test_a_read_of_the_future_is_found() -> None:
    """It saw an entry before anybody had asked for it: then that entry was asked for after it was known."""
    assert codes(journal("a", "b"), A, B, read("state", 11, 12, seq=2, digest="d2")) == ["reordered"]


def test_a_stale_alias_is_found() -> None:
    """The earliest point that fits is taken, and no later one is believed once it is past."""
    moves = journal("a", "b", "p1", "p2", "p1")
    known = [append(name, 0, 10) for name in ("a", "b")] + [append(f"p{n}", 10 * i, 10 * i + 5) for i, n in ((2, 1), (3, 2))]
    known.append(Operation("p1-again", "churn", "promote", 40, 45, "done", {}))
    moves[4] = replace(moves[4], operation="p1-again")

    def holder(asked: int, number: int | None) -> Operation:
        return read("alias", asked, asked + 1, alias="champion", version=number)

    assert codes(moves, *known, holder(11, None), holder(26, 1), holder(36, 2), holder(46, 1)) == []
    assert codes(moves, *known, holder(46, 2)) == ["stale"]
    assert codes(moves, *known, holder(26, None)) == ["stale"]


def test_a_fork_of_the_chain_is_found() -> None:
    """An entry whose parent is another one, a gap, a version given twice, an answer that names another."""
    forked = journal("a", "b")
    forked[1] = replace(forked[1], parent="d9")
    twice = journal("a", "b")
    twice[1] = replace(twice[1], version=1)
    gap = journal("a", "b")
    gap[1] = replace(gap[1], seq=3)

    assert codes(forked, A, B) == ["chain"]
    assert codes(twice, A, append("b", 20, 30)) == ["version"]
    assert "gap" in codes(gap, A, B)
    assert codes(journal("a", "b"), A, replace(B, seen={"version": 7})) == ["answer"]


@pytest.mark.parametrize("seed", range(40))
def test_histories_made_of_a_real_order_pass_and_their_damages_do_not(seed: int) -> None:
    """Operations that act at a moment of their own between question and answer: sound by construction. Each damage is found."""
    chance = random.Random(seed)
    entries, operations = _lived(chance)

    assert violations(entries, operations) == []

    at = chance.randrange(len(entries) - 1)
    lost = [
        replace(e, seq=i, parent=f"d{i - 1}" if i > 1 else None, digest=f"d{i}") for i, e in enumerate(entries[:at] + entries[at + 1 :], 1)
    ]
    assert violations(lost, operations) != []
    late = max((o for o in operations if o.kind == "state"), key=lambda o: o.asked)
    assert violations(entries, [*operations, replace(late, name="late", asked=10**9, answered=10**9 + 1, seen={"seq": 0, "digest": None})])


def _lived(chance: random.Random, *, moments: int = 120) -> tuple[list[Written], list[Operation]]:
    """Each operation acts at one moment; its question lies some time before, its answer some time after."""
    entries: list[Written] = []
    operations: list[Operation] = []
    for moment in range(1000, 1000 + 10 * moments, 10):
        asked, answered = moment - chance.randrange(1, 200), moment + chance.randrange(1, 200)
        if chance.random() < 0.4 or moment == 1000:
            name, seq = f"r{moment}", len(entries) + 1
            entries.append(Written(seq, f"d{seq}", f"d{seq - 1}" if seq > 1 else None, name, version=seq))
            operations.append(Operation(name, "churn", "register", asked, answered, "done", {"version": seq}))
        elif chance.random() < 0.5:
            operations.append(read("state", asked, answered, seq=len(entries), digest=entries[-1].digest))
        else:
            operations.append(read("newest", asked, answered, version=len(entries)))
    return entries, [
        replace(operation, name=f"{operation.name}/{i}") if operation.kind in ("state", "newest") else operation
        for i, operation in enumerate(operations)
    ]
