"""Every slot of one journal, read on to the last file that any listing or window shows, also beyond a gap.

Rule 1: the numbers up to the first that is missing are asked for, by the readers' own rule (``storage.windows``); a listing only
says where else to look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..core import codec
from ..core.codec import Entry, Slot, Void
from ..core.layout import entry_path, journal_folder
from ..errors import BadInput, Corrupt
from ..storage.store import Store
from ..storage.windows import Reads, read_on
from .files import Raw, Unreadable, read_many

NUMBERED = re.compile(r"[0-9]{20}\.json")
BEYOND_LIMIT = 100_000  # files beyond a gap that are looked at
_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Slots:
    """What stands in a journal: ``run`` is 1, 2, 3 … without a gap, ``beyond`` what stands after the first gap, by number.

    ``wrong`` has the code of each slot that says nothing; ``mentioned`` every digest that stands anywhere in these files.
    """

    run: tuple[Slot, ...] = ()
    beyond: Mapping[int, Slot] = field(default_factory=dict)
    wrong: Mapping[int, str] = field(default_factory=dict)
    mentioned: frozenset[str] = frozenset()

    @property
    def entries(self) -> Iterator[Entry]:
        return (slot for slot in (*self.run, *self.beyond.values()) if isinstance(slot, Entry))

    def at(self, seq: int) -> Slot | None:
        return self.run[seq - 1] if 1 <= seq <= len(self.run) else self.beyond.get(seq)


def read_slots(store: Store, model: str | None, listed: list[str]) -> Slots:
    """The journal of ``model``; ``listed`` is what a listing of its folder showed."""
    read, seen_beyond = _run(store, model)
    end = len(read)
    numbers = sorted({int(name[:20]) for name in listed if NUMBERED.fullmatch(name)} | seen_beyond)
    further = [seq for seq in numbers if seq > end][:BEYOND_LIMIT]
    raws = read_many(store, [entry_path(model, seq) for seq in further])
    read |= {seq: raw for seq, raw in zip(further, raws, strict=True) if raw is not None}
    slots = {seq: _slot(raw, model, seq) for seq, raw in read.items()}
    return Slots(
        run=tuple(slots[seq][0] for seq in range(1, end + 1)),
        beyond={seq: slots[seq][0] for seq in slots if seq > end},
        wrong={seq: code for seq, (_, code) in slots.items() if code},
        mentioned=frozenset(d.decode() for raw in read.values() if isinstance(raw, bytes) for d in _DIGEST.findall(raw)),
    )


def is_slot(name: str) -> bool:
    return NUMBERED.fullmatch(name) is not None and name != f"{0:020d}.json"


def journal_names(store: Store, model: str | None) -> list[str]:
    return store.names(journal_folder(model))


@dataclass(frozen=True, slots=True)
class _Reading:
    """A store read as a check reads: what cannot be read is said, not raised."""

    store: Store

    def read_many(self, paths: Sequence[str]) -> list[bytes | Unreadable | None]:
        return read_many(self.store, paths)


def _run(store: Store, model: str | None) -> tuple[dict[int, bytes | Unreadable], set[int]]:
    """The files up to the first gap, and the number of one that was seen to stand after it, if any."""
    read: dict[int, bytes | Unreadable] = {}
    try:
        reading: Reads[bytes | Unreadable] = _Reading(store)
        for seq, raw in read_on(reading, model, 0):
            read[seq] = raw
    except Corrupt as gap:
        before = range(len(read) + 1, gap.facts["missing"])
        raws = read_many(store, [entry_path(model, seq) for seq in before])
        read |= {seq: raw for seq, raw in zip(before, raws, strict=True) if raw is not None}
        return read, {gap.facts["beyond"]}
    return read, set()


def _slot(raw: Raw, model: str | None, seq: int) -> tuple[Slot, str]:
    """The slot, and the code of what is wrong with it, if anything."""
    if not isinstance(raw, bytes):
        return Void(seq, "", raw.why if raw else "gone"), "unreadable"
    slot = codec.decode_entry(raw, model=model, seq=seq)
    if isinstance(slot, Entry):
        return slot, ""
    if slot.newer:
        return slot, "newer-format"
    if not raw.endswith(b"\n"):
        return slot, "torn-entry"
    return slot, "misplaced-entry" if _names_another_place(raw, model, seq) else "junk-entry"


def _names_another_place(raw: bytes, model: str | None, seq: int) -> bool:
    try:
        said = codec.decode(raw[:-1])
    except (BadInput, ValueError):
        return False
    return isinstance(said, dict) and isinstance(said.get("seq"), int) and (said.get("model"), said["seq"]) != (model, seq)
