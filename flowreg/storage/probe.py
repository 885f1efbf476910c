"""Trying a filesystem: which promises it holds, found out by writing a few small files beside the registry and removing them.

Rule 1: what was tried is removed; nothing of a registry is touched.
Rule 2: a lucky race proves nothing: code that looks and then writes is refused unseen, whatever the trial says.
Rule 3: before a registry begins on a filesystem that is known, one file is created twice: there are servers that ignore the condition.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PLACE = "blobs/incoming"  # where unfinished things lie: `check` looks for nothing there
WRITERS = 8
LARGE_BYTES = 17 << 20  # more than travels as one request
SKEW_S = 60

Trial = Callable[[], Any]  # opens a store of its own, that writes without asking


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise, whether it holds (None: it could not be told), and what was seen. Only ``needed`` ones decide about writing."""

    name: str
    held: bool | None
    seen: str
    needed: bool = True


Look = Callable[[Any, Trial, str], Promise]  # a store, what opens another client's, and the path to try


def reason_against(trial: Trial, files: Any) -> str | None:
    """Why a filesystem without a row of proofs may not be written, or None."""
    if not _has_own_create(files):
        return "its filesystem is not known to create a file for one writer only (it has no conditional write of its own)"
    try:
        return _first_broken(trial, (_twice, _race))
    except Exception as error:
        return f"trying whether it creates a file for one writer only failed: {type(error).__name__}"


def reason_against_first(trial: Trial) -> str | None:
    """Why no registry may begin here, or None: 2 PUT, a GET and a DELETE."""
    return _first_broken(trial, (_twice,))


def probe(trial: Trial) -> tuple[Promise, ...]:
    """Everything that can be tried from here, each promise with what was seen."""
    looks, store = (_twice, _race, _listed, _large, _clock), trial()
    with _place(store, len(looks)) as place:
        return tuple(_tried(look, store, trial, f"{place}/{n}") for n, look in enumerate(looks))


def _first_broken(trial: Trial, looks: Sequence[Look]) -> str | None:
    store = trial()
    with _place(store, len(looks)) as place:
        for n, look in enumerate(looks):
            promise = look(store, trial, f"{place}/{n}")
            if not promise.held:
                return promise.seen
    return None


def _tried(look: Look, store: Any, trial: Trial, path: str) -> Promise:
    try:
        return look(store, trial, path)
    except Exception as error:
        first_line = (str(error).splitlines() or [""])[0][:200]
        return Promise(look.__name__.strip("_"), False, f"{type(error).__name__}: {first_line}")


def _twice(store: Any, _: Trial, path: str) -> Promise:
    name = "created once"
    first, second = (f"{n} {os.urandom(8).hex()}".encode() for n in ("first", "second"))
    try:
        store.create(path, first)
    except FileExistsError:
        if store.read(path) != first:  # else it was our own, and the reply was lost
            raise
    if not _created(store, path, second) and store.read(path) == first:
        return Promise(name, True, "a second creation of the same file was refused, and the first one's bytes stand")
    return Promise(name, False, "it takes a file a second time, so two writers could overwrite each other")


def _race(store: Any, trial: Trial, path: str) -> Promise:
    from concurrent.futures import ThreadPoolExecutor

    start, name = threading.Barrier(WRITERS), "one winner"
    wrote = [f"{n} {os.urandom(8).hex()}".encode() * 50 for n in range(WRITERS)]

    def write(data: bytes) -> bool:
        mine = trial()
        mine.read(path)  # connected before the start
        start.wait(60)
        return _created(mine, path, data)

    with ThreadPoolExecutor(WRITERS) as pool:
        won = [data for data, mine in zip(wrote, pool.map(write, wrote), strict=True) if mine]
    if len(won) == 1 and store.read(path) == won[0]:
        return Promise(name, True, f"of {WRITERS} writers at once one won, and its bytes stand")
    return Promise(name, False, f"of {WRITERS} writers at once {len(won)} were told that they had won")


def _listed(store: Any, trial: Trial, path: str) -> Promise:
    other = trial()
    folder, _, name = path.rpartition("/")
    other.names(folder)
    store.create(path, b"listed")
    seen = name in other.names(folder)
    return Promise("listed at once", seen, "another client's listing shows what was just written" if seen else "listings lag", needed=False)


def _large(store: Any, _: Trial, path: str) -> Promise:
    with tempfile.TemporaryDirectory(prefix="flowreg-probe-") as home:
        source = Path(home, "large")
        source.write_bytes(os.urandom(1 << 20) * (LARGE_BYTES >> 20))
        _, digest = store.put_file(source, lambda _: path)
        back = store.get_file(path, Path(home, "back"))
    whole = back == digest
    return Promise("large file whole", whole, f"{LARGE_BYTES >> 20} MiB came back {'with the same' if whole else 'with another'} digest")


def _clock(store: Any, _: Trial, path: str) -> Promise:
    before = datetime.now(UTC)
    store.create(path, b"clock")
    found = store.modified_at(path)
    if not isinstance(found, datetime):
        return Promise("clock", None, "the filesystem does not say when a file was written", needed=False)
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    skew = (found - before).total_seconds()
    return Promise("clock", abs(skew) < SKEW_S, f"its clock is {skew:+.0f} s from ours", needed=False)


def _created(store: Any, path: str, data: bytes) -> bool:
    """Whether the storage said that it created this."""
    try:
        store.create(path, data)
    except Exception:
        return False
    return True


def _has_own_create(files: Any) -> bool:
    """Whether the class itself knows ``mode``: the inherited ``pipe_file`` looks and then writes, and so do, at best, fsspec's own."""
    made = type(files)
    if made.__module__.startswith("fsspec.implementations."):
        return False
    writes = getattr(made, "_pipe_file", None) if getattr(made, "async_impl", False) else made.__dict__.get("pipe_file")
    return writes is not None and "mode" in inspect.signature(writes).parameters


@contextlib.contextmanager
def _place(store: Any, looks: int) -> Iterator[str]:
    """A folder of this trial's own, removed at the end with all in it."""
    place = f"{PLACE}/probe-{os.urandom(8).hex()}"
    try:
        yield place
    finally:
        with contextlib.suppress(Exception):  # what was found out counts
            for look in range(looks):
                store.remove(f"{place}/{look}")
            store.remove_folder(place)
            store.remove_folder(PLACE)
            store.remove_folder("blobs")
