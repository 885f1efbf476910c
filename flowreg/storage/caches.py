"""Heads and checkpoints: stored answers that may vanish at any time, are checked when read, and are never the truth.

A *head* says for one model which entry was the newest and what the aliases were, so that a resolve is one read.
A *checkpoint* is a replayed state, so that opening a long journal reads a bounded number of objects.

Rule 1: both are written after the entry was acknowledged, by a thread of their own; losing one loses only time.
Rule 2: a checkpoint counts only if the entry it ends at has the digest it names; a head only if it is whole.
Rule 3: an entry that a head names and the journal lacks is a loss, and is reported as one.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..core import codec
from ..core.layout import checkpoint_folder, checkpoint_path, entry_path, head_path
from ..core.state import EMPTY, ModelState
from .forks import ProcessLock
from .journal import Opened
from .store import Store
from .windows import newest_listed

READER = 4  # raise it when ModelState gains something that older checkpoints lack
CHECKPOINT_DEPTH = 64
HEAD_LIMIT = 1 << 20
TRAIL_LIMIT = 16  # places of an alias's trail in a head; the journal has all
SETTLE_S = 0.05  # a head is written this long after the entry, for all entries of that time


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry of a model as somebody saw it. ``aliases`` has version, manifest and trail by name; ``newest`` the last version."""

    model: str
    registry: str | None
    seq: int
    digest: str
    at: str
    checkpoint: int
    newest: Mapping[str, Any] | None
    aliases: Mapping[str, Mapping[str, Any]]


def read_head(store: Store, model: str) -> Head | None:
    """The stored head, or None where there is none or it is not whole."""
    raw = store.read(head_path(model))
    return None if raw is None else decode_head(raw, model)


def newest_head(store: Store, model: str) -> Head | None:
    """The stored head, if the journal ends at the entry that it names; asked in one round trip after the head itself."""
    head = read_head(store, model)
    if head is None:
        return None
    named, *newer = store.read_many([entry_path(model, seq) for seq in (head.seq, head.seq + 1, head.seq + 2)])
    return head if named is not None and codec.digest_of(named) == head.digest and not any(newer) else None


def decode_head(raw: bytes, model: str) -> Head | None:
    """The head that these bytes are, or None where they are not whole. Its digest is over the bytes as they stand."""
    said, body = raw[:_BODY_AT], raw[_BODY_AT:-1]
    if len(raw) > HEAD_LIMIT or raw[-1:] != b"}" or said != _before_body(codec.digest_of(body)):
        return None
    try:
        head = Head(**codec.parse(body))
    except (ValueError, TypeError):
        return None
    return head if head.model == model and _has_its_shape(head) else None


def _before_body(digest: str) -> bytes:
    return f'{{"digest":"{digest}","head":'.encode()


def _has_its_shape(head: Head) -> bool:
    aliases = head.aliases if isinstance(head.aliases, Mapping) else {"": None}
    named = [head.newest, *aliases.values()] if head.newest is not None else list(aliases.values())
    whole = all(isinstance(v, Mapping) and isinstance(v.get("version"), int) and isinstance(v.get("manifest"), str) for v in named)
    return whole and all(isinstance(number, int) and number >= 0 for number in (head.seq, head.checkpoint))


def encode_head(model: str, registry: str | None, state: ModelState, checkpoint: int) -> bytes:
    newest = state.version(state.newest)
    body = {
        "model": model,
        "registry": registry,
        "seq": state.seq,
        "digest": state.digest,
        "at": state.at,
        "checkpoint": checkpoint,
        "newest": newest and {"version": newest.number, "manifest": newest.manifest, "at": newest.stamp.at, "by": newest.stamp.by.actor},
        "aliases": {
            name: {
                "version": alias.version,
                "manifest": state.versions[alias.version - 1].manifest,
                "trail": list(alias.trail[-TRAIL_LIMIT:]),
            }
            for name, alias in state.aliases.items()
            if alias.version is not None
        },
    }
    raw = codec.encode(body)
    return _before_body(codec.digest_of(raw)) + raw + b"}"


def encode_checkpoint(model: str, state: ModelState) -> bytes:
    """Deterministic: any two writers make the same bytes for the same entry."""
    with _uncollected():
        said = {"model": model, "reader": READER, "state": _adapter().dump_python(state, exclude_defaults=True)}
        return codec.encode(said, depth_limit=CHECKPOINT_DEPTH)


def decode_checkpoint(raw: bytes, model: str) -> ModelState | None:
    try:
        with _uncollected():
            value = codec.parse(raw, depth_limit=CHECKPOINT_DEPTH)
            if value["reader"] != READER or value["model"] != model:
                return None
            return _adapter().validate_python(value["state"])
    except (ValueError, KeyError, TypeError, ValidationError):
        return None


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Half a million new objects and no cycle among them: the collector would only walk through them again and again
    (20,000 versions are read in 0.7 s with it off and in 2.3 s with it on)."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def opened(store: Store, model: str) -> Opened[ModelState]:
    """Where to start replaying ``model`` from: its newest usable checkpoint, as the head or a listing names it."""
    head = read_head(store, model)
    start = head.checkpoint if head else _newest_checkpoint(store, model)
    state = _checkpoint(store, model, start) if start else EMPTY
    return Opened(state, head.seq, head.digest) if head else Opened(state, newest_listed(store, model))


def _checkpoint(store: Store, model: str, seq: int) -> ModelState:
    entry, checkpoint = store.read_many([entry_path(model, seq), checkpoint_path(model, seq)])
    return _believed(model, checkpoint, entry)


def _newest_checkpoint(store: Store, model: str) -> int:
    numbers = [
        int(name[:20]) for name in store.names(checkpoint_folder(model)) if name.removesuffix(".json").isascii() and name[:20].isdigit()
    ]
    return max(numbers, default=0)


def _believed(model: str, checkpoint: bytes | None, entry: bytes | None) -> ModelState:
    state = decode_checkpoint(checkpoint, model) if checkpoint is not None else None
    if state is None or entry is None or state.digest != codec.digest_of(entry):
        return EMPTY
    return state


@cache
def _adapter() -> TypeAdapter[ModelState]:
    return TypeAdapter(ModelState)


_BODY_AT = len(_before_body(codec.digest_of(b"")))


class Caches:
    """Writes heads and checkpoints behind the writers' backs: the newest state of each model, after ``SETTLE_S``.

    The thread lives only while there is something to write; what waits at the end of the process is written then.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[str, tuple[str | None, ModelState]] = {}
        self._checkpoints: dict[str, int] = {}
        self._lock = ProcessLock()
        self._writing = ProcessLock()
        self._thread: tuple[int, threading.Thread] | None = None  # with the process it runs in: a forked child has none

    def note(self, model: str, registry: str | None, state: ModelState) -> None:
        """Remember that ``state`` is the newest of ``model``; it is written soon."""
        with self._lock:
            self._waiting[model] = (registry, state)
            if self._thread is not None and self._thread[0] == os.getpid():
                return
            thread = threading.Thread(target=self._run, name="flowreg-caches", daemon=True)
            self._thread = (os.getpid(), thread)
            atexit.register(self.flush)
        thread.start()

    def opened_at(self, model: str, checkpoint: int) -> None:
        """The newest checkpoint of ``model`` that is known to be stored."""
        self._checkpoints.setdefault(model, checkpoint)

    def flush(self) -> None:
        """Write what waits, now."""
        with self._writing:
            while (waiting := self._next()) is not None:
                self._write(*waiting)

    def _run(self) -> None:
        while True:
            time.sleep(SETTLE_S)
            self.flush()
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    atexit.unregister(self.flush)
                    return

    def _next(self) -> tuple[str, str | None, ModelState] | None:
        with self._lock:
            if not self._waiting:
                return None
            model, (registry, state) = self._waiting.popitem()
        return model, registry, state

    def _write(self, model: str, registry: str | None, state: ModelState) -> None:
        with contextlib.suppress(Exception):  # a cache that cannot be written costs time, nothing else
            done = self._checkpoints.get(model, 0)
            if state.seq - done > max(64, state.newest // 16):
                with contextlib.suppress(FileExistsError):  # another writer made the same bytes
                    self._store.create(checkpoint_path(model, state.seq), encode_checkpoint(model, state))
                self._checkpoints[model] = done = state.seq
            self._store.replace(head_path(model), encode_head(model, registry, state, done))
