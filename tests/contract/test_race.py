"""16 processes create the same slots: one winner a slot, no torn bytes, and every loser learns whose the slot is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest

from flowreg.storage.store import open_store
from tests.conftest import Root

WRITER = """
import json, random, sys
from flowreg.storage.store import open_store
url, options, me, writers, slots = json.loads(sys.argv[1])
store = open_store(url, options)
store.read("slots/warm")
print("ready", flush=True)
sys.stdin.readline()
won, torn, learnt = [], 0, 0
for slot in range(slots):
    mine = (f"{me:02d}" * 1000).encode()
    try:
        store.create(f"slots/{slot}", mine)
        won.append(slot)
    except Exception:
        found = store.read(f"slots/{slot}")
        if found == mine:  # the reply was lost, the bytes were not
            won.append(slot)
        learnt += found is not None
        torn += found is None or len(found) != 2000 or len(set(zip(found[::2], found[1::2]))) != 1
    ahead = store.read_many([f"slots/{n}" for n in (slot + 1, slot + 2)])
    torn += sum(raw is not None and len(raw) != 2000 for raw in ahead)
print(json.dumps([won, torn, learnt]), flush=True)
"""


def race(place: Root, *, writers: int, slots: int) -> None:
    ask = [json.dumps([place.url, place.storage_options, me, writers, slots]) for me in range(writers)]
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, each], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for each in ask
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [json.loads(process.communicate(timeout=280)[0]) for process in running]
    winner = {slot: me for me, (won, _, _) in enumerate(answers) for slot in won}
    found = open_store(*place).read_many([f"slots/{n}" for n in range(slots)])

    assert Counter(slot for won, _, _ in answers for slot in won) == Counter(range(slots))
    assert sum(torn for _, torn, _ in answers) == 0
    assert found == [(f"{winner[n]:02d}" * 1000).encode() for n in range(slots)]
    assert all(len(won) + learnt >= slots for won, _, learnt in answers)


def in_one_process(place: Root) -> bool:
    return place.url.startswith("memory://")


def test_one_wins_each_slot(place: Root) -> None:
    """A short race of 4 processes."""
    if in_one_process(place):
        pytest.skip("memory is of one process; tests/storage/test_stores.py races its threads")
    race(place, writers=4, slots=12)


@pytest.mark.slow
def test_one_of_sixteen_wins_each_of_200_slots(place: Root) -> None:
    """The whole race."""
    if in_one_process(place):
        pytest.skip("memory is of one process; tests/storage/test_stores.py races its threads")
    race(place, writers=16, slots=200)
