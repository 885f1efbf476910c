"""The store and the append over it: one writer wins, a lost reply is found out, and nothing is decided on a guess."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fsspec
import pytest

from flowreg import BadInput, Corrupt, Refused, Registry, Unavailable
from flowreg.core.layout import entry_path
from flowreg.storage.journal import append, read_on
from flowreg.storage.store import Store, open_store
from tests.conftest import Root


def test_one_of_many_threads_creates(any_root: Root) -> None:
    """However many try at once, one wins each path, and its bytes are what everybody reads."""
    url, options = any_root
    won: list[tuple[int, int]] = []

    def race(writer: int) -> None:
        store = open_store(url, options)
        for slot in range(8):
            try:
                store.create(f"slots/{slot}", f"{writer}".encode() * 2000)
            except FileExistsError:
                continue
            won.append((slot, writer))

    threads = [threading.Thread(target=race, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(slot for slot, _ in won) == Counter(range(8))
    assert {slot: open_store(url, options).read(f"slots/{slot}") for slot, _ in won} == {s: f"{w}".encode() * 2000 for s, w in won}


def test_many_processes_register_and_none_is_lost(tmp_path: Path) -> None:
    """Four processes, ten registrations each: forty consecutive versions, each acknowledged once."""
    code = (
        "import sys; from flowreg import Registry; r = Registry(sys.argv[1])\n"
        "print(*(r.register('m', {'who': sys.argv[2], 'i': i}, trust='pickle').number for i in range(10)))"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "r"), str(who)], stdout=subprocess.PIPE, text=True) for who in range(4)
    ]

    numbers = [int(number) for writer in writers for number in writer.communicate(timeout=120)[0].split()]

    assert sorted(numbers) == list(range(1, 41))
    assert [v.number for v in Registry(tmp_path / "r").versions("m")] == list(range(1, 41))


class Faulty:
    """A store whose creates go wrong as the plan says: ``before`` the bytes land, ``after``, or ``late`` (they land a moment later)."""

    def __init__(self, store: Store, plan: Sequence[str]) -> None:
        self.store, self.plan, self.root = store, list(plan), store.root

    def create(self, path: str, data: bytes) -> None:
        fault = self.plan.pop(0) if self.plan else "none"
        if fault == "late":
            threading.Timer(0.3, lambda: self.store.put_bytes(path, data)).start()
        if fault in ("none", "after"):
            self.store.create(path, data)
        if fault != "none":
            raise PermissionError(13, "denied") if fault == "denied" else OSError(5, "the connection was reset")

    def read(self, path: str) -> bytes | None:
        return self.store.read(path)


@pytest.mark.parametrize("plan", [["after"], ["before"], ["before", "before", "after"], ["late", "before", "before"]])
def test_a_lost_reply_is_found_out(tmp_path: Path, plan: list[str]) -> None:
    """Whether the bytes landed before, after or a moment after the error: they are there once, and the writer knows."""
    store: Any = Faulty(open_store(tmp_path), plan)

    assert append(store, "journal/1", b"mine", entry_id="e1", deadline=time.monotonic() + 30) is True
    assert store.read("journal/1") == b"mine"


def test_somebody_elses_bytes_are_a_loss(tmp_path: Path) -> None:
    """An error over a slot that another writer took is a loss, never a success."""
    store: Any = Faulty(open_store(tmp_path), ["before"])
    store.store.create("journal/1", b"theirs")

    assert append(store, "journal/1", b"mine", entry_id="e1", deadline=time.monotonic() + 30) is False


def test_out_of_time_the_outcome_is_unknown(tmp_path: Path) -> None:
    """When the storage never says, neither do we: the error names the entry that may have landed."""
    store: Any = Faulty(open_store(tmp_path), ["before"] * 1000)

    with pytest.raises(Unavailable, match="it may have been written or not") as unknown:
        append(store, "journal/1", b"mine", entry_id="e1", deadline=time.monotonic())
    assert (unknown.value.outcome, unknown.value.entry_id) == ("unknown", "e1")


def test_a_denial_is_said_at_once(tmp_path: Path) -> None:
    """Without permission nothing was written, and asking again is no use."""
    store: Any = Faulty(open_store(tmp_path), ["denied"] * 1000)

    with pytest.raises(Unavailable, match="nothing was written") as denied:
        append(store, "journal/1", b"mine", entry_id="e1", deadline=time.monotonic() + 60)
    assert denied.value.outcome == "nothing-written"


def test_a_hole_in_a_journal_is_a_loss(any_root: Root) -> None:
    """A missing number with a later one behind it is reported, not read past."""
    store = open_store(*any_root)
    for seq in (1, 2, 4):
        store.create(entry_path("m", seq), b"x")

    with pytest.raises(Corrupt, match="entry 3 of m is gone, though entry 4 was written after it"):
        list(read_on(store, "m", 0))


def test_what_cannot_create_for_one_is_read_only(tmp_path: Path) -> None:
    """A filesystem without a proof is read and refused for writing, with the reason; nothing is written."""
    Registry(tmp_path / "r").register("m", {"w": 1}, trust="pickle")
    archive = fsspec.filesystem("zip", fo=str(tmp_path / "r.zip"), mode="w")
    for file in (p for p in (tmp_path / "r").rglob("*") if p.is_file()):
        archive.pipe_file(str(file.relative_to(tmp_path / "r")), file.read_bytes())
    archive.close()
    zipped = Registry("zip://", storage_options={"fo": str(tmp_path / "r.zip")})

    assert zipped.load("m@1", trust=True) == {"w": 1}
    with pytest.raises(Refused, match="not known to create a file for one writer only"):
        zipped.register("m", {"w": 2}, trust="pickle")


@pytest.mark.parametrize("root", ["", "  ", "a\0b", "simplecache::s3://bucket/x", "nosuchprotocol://x"])
def test_a_root_that_cannot_be_meant_is_refused(root: str) -> None:
    """Empty, chained, or of a filesystem that nobody has."""
    with pytest.raises(BadInput):
        Registry(root).models()
