"""The files of one journal, read on from a number in windows: as few round trips as there can be, and never past a hole.

Rule 1: an end is believed when two numbers in a row were asked for and are missing, at or after every number that is known to exist.
Rule 2: a listing or a head can only say that more exists; it never says that less does.
Rule 3: the reads of a window are not one moment: a hole is a loss only if it is one the second time, too.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

from ..core.layout import entry_path, journal_folder
from ..errors import Corrupt, Unavailable
from .store import Store

R = TypeVar("R")

WINDOWS = (2, 8, 32)  # entries asked for at once where nothing says how many there are; the last one repeats
MOST_AT_ONCE = 256
_NUMBERED = re.compile(r"[0-9]{20}\.json")


class Reads(Protocol[R]):
    """What reads several files at once: a store, or whoever says more of a file than its bytes."""

    def read_many(self, paths: Sequence[str], /) -> list[R | None]: ...


def read_on(store: Reads[R], model: str | None, after: int, *, known: int = 0, expected: int = 0) -> Iterator[tuple[int, R]]:
    """The files after number ``after``, in order, up to the first that is missing.

    ``known`` is a number that was written for sure, ``expected`` how many new ones there may be: both are read in one batch.
    ``Corrupt`` where one is missing before a later one, with ``missing`` and ``beyond`` among its facts.
    """
    seq = after + 1
    for size in _sizes(max(known - after, expected)):
        window = _window(store, model, seq, size)
        there = window.index(None) if None in window else len(window)
        for raw in window[:there]:
            assert raw is not None
            yield seq, raw
            seq += 1
        if there <= len(window) - 2:
            break
    if seq <= known:
        raise gap(model, seq, known)


def newest_listed(store: Store, model: str | None) -> int:
    """The highest number that a listing of the journal shows; 0 where it shows none, or cannot be had."""
    with contextlib.suppress(Unavailable):
        return max((int(name[:20]) for name in store.names(journal_folder(model)) if _NUMBERED.fullmatch(name)), default=0)
    return 0


def gap(model: str | None, missing: int, beyond: int) -> Corrupt:
    """The loss of entry ``missing``; entry ``beyond`` was written for sure."""
    return Corrupt(
        f"entry {missing} of {model or 'the registry'} is gone, though {'it' if beyond == missing else f'entry {beyond}'} was written"
        f"{' after it' if beyond > missing else ''}",
        where=entry_path(model, missing),
        do="restore the file from a backup or the bucket's versions, then run flowreg check",
        code="missing-entry",
        missing=missing,
        beyond=beyond,
    )


def _sizes(expected: int) -> Iterator[int]:
    while expected > MOST_AT_ONCE:
        yield MOST_AT_ONCE
        expected -= MOST_AT_ONCE
    yield expected + WINDOWS[0]
    yield from WINDOWS[1:]
    while True:
        yield WINDOWS[-1]


def _window(store: Reads[R], model: str | None, seq: int, size: int) -> list[R | None]:
    window = store.read_many([entry_path(model, seq + i) for i in range(size)])
    if None in window and any(raw is not None for raw in window[window.index(None) :]):
        return _read_again(store, model, seq, window)
    return window


def _read_again(store: Reads[R], model: str | None, seq: int, window: list[R | None]) -> list[R | None]:
    """An entry may have landed between two of the reads. Once more tells that from a hole."""
    again = store.read_many([entry_path(model, seq + i) for i in range(len(window))])
    if None not in again:
        return again
    hole = again.index(None)
    seen_before = [i for i, raw in enumerate(window) if raw is not None and i >= hole]
    if seen_before:  # it was there, or one after it was, before the hole was looked at for the second time
        raise gap(model, seq + hole, seq + seen_before[-1])
    return again[:hole] if any(raw is not None for raw in again[hole:]) else again
