"""Many create the same slots: one winner a slot, no torn bytes, and every loser learns whose the slot is."""

from __future__ import annotations

from collections import Counter

import pytest

from flowreg.storage.store import open_store
from tests.conftest import Root

from .racing import Seen, bytes_of, raced


@pytest.mark.parametrize(("writers", "slots"), [(4, 12), pytest.param(16, 200, marks=pytest.mark.slow)])
def test_one_wins_each_slot(place: Root, writers: int, slots: int) -> None:
    """Processes, each with a store of its own; threads on what is of one process."""
    seen = raced(place, writers=writers, slots=slots)
    found = open_store(*place).read_many([f"slots/{n}" for n in range(slots)])

    assert broken(seen, found) == []


def broken(seen: list[Seen], found: list[bytes | None]) -> list[str]:
    """What contradicts the promise, a line each."""
    wins = Counter(slot for each in seen for slot in each.won)
    winner = {slot: me for me, each in enumerate(seen) for slot in each.won}
    return [
        *(f"slot {n} was won by {wins[n]}" for n in range(len(found)) if wins[n] != 1),
        *(f"slot {n} was torn" for each in seen for n in each.torn),
        *(f"slot {n} is not its winner's" for n, raw in enumerate(found) if n in winner and raw != bytes_of(winner[n])),
    ]


A, B = (bytes_of(n) for n in range(2))
PLANTED = {
    "two winners": ([Seen((0,), 0, ()), Seen((0,), 0, ())], [A], "slot 0 was won by 2"),
    "no winner": ([Seen((), 1, ())], [A], "slot 0 was won by 0"),
    "torn": ([Seen((0,), 0, ()), Seen((), 1, (0,))], [A], "slot 0 was torn"),
    "another's bytes": ([Seen((0,), 0, ()), Seen((), 1, ())], [B], "slot 0 is not its winner's"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_race_that_went_wrong_is_seen(name: str) -> None:
    """Each way to break the promise has its line."""
    seen, found, line = PLANTED[name]

    assert line in broken(seen, list(found))
