"""Many who create the same slots at once, each with a store of its own, and what each of them has seen.

Rule 1: only ``FileExistsError`` is a loss. Anything else that a creation says ends the race with that error.
Rule 2: nobody starts before everybody is connected.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

from flowreg.storage.store import Store, open_store
from tests.conftest import Root

# gcsfs is not among them: it reads the environment when it is imported.
PRELOADED = ["flowreg.storage.store", "fsspec.implementations.sftp", "paramiko", "s3fs", "adlfs", "tests.contract.racing"]
CONNECTED_WITHIN_S = 120
SLOT_BYTES = 40_000  # more than one write of most
_start: Any = None  # the barrier of this process's race, set once when a writer's process begins


class Seen(NamedTuple):
    """One writer: the slots that it won, how many it lost, and each slot that it saw half written or with a mixture."""

    won: tuple[int, ...]
    lost: int
    torn: tuple[int, ...]


def raced(place: Root, *, writers: int, slots: int) -> list[Seen]:
    """The race, in processes; in threads where the files are of one process."""
    with _writers(place, writers) as pool:
        running = [pool.submit(_write, place, me, slots) for me in range(writers)]
        return [each.result(timeout=280) for each in running]


def bytes_of(writer: int) -> bytes:
    return bytes([65 + writer]) * SLOT_BYTES


def _write(place: Root, me: int, slots: int) -> Seen:
    store = open_store(*place)
    store.read("slots/connected")
    _start.wait(CONNECTED_WITHIN_S)
    won, torn = [], set()
    for slot in range(slots):
        if _won(store, slot, bytes_of(me)):
            won.append(slot)
        ahead = range(slot, min(slot + 3, slots))
        found = store.read_many([f"slots/{n}" for n in ahead])
        torn.update(n for n, raw in zip(ahead, found, strict=True) if raw is not None and not _is_whole(raw))
        torn.update([slot] if found[0] is None else [])  # somebody has won it, and a loser must learn who
    return Seen(tuple(won), slots - len(won), tuple(sorted(torn)))


def _won(store: Store, slot: int, mine: bytes) -> bool:
    try:
        store.create(f"slots/{slot}", mine)
    except FileExistsError:
        return store.read(f"slots/{slot}") == mine  # a library that asks again meets its own file
    return True


def _is_whole(raw: bytes) -> bool:
    return len(raw) == SLOT_BYTES and len(set(raw)) == 1


@contextmanager
def _writers(place: Root, count: int) -> Iterator[Executor]:
    if place.url.startswith("memory://"):
        _begin(threading.Barrier(count), {})
        with _restless(), ThreadPoolExecutor(count) as threads:
            yield threads
    else:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        with ProcessPoolExecutor(
            count, mp_context=context, initializer=_begin, initargs=(context.Barrier(count), dict(os.environ))
        ) as processes:
            yield processes


def _begin(start: Any, environment: Mapping[str, str]) -> None:
    global _start
    os.environ.update(environment)  # of now: the one that the process was forked from may be older
    _start = start


@contextmanager
def _restless() -> Iterator[None]:
    """Threads take turns as often as they can, so that a check and the act after it come apart."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
