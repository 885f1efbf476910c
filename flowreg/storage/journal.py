"""The journal of one model (or of the registry): read to the end, decide, append; again when somebody else was first.

Rule 1: an entry is written once, at the number after the last one this writer has read, so who writes entry n has seen every
entry before it, and what was decided is decided on the truth.
Rule 2: on *any* error of the create the slot is read back. Our bytes: done. Others': lost, decide again. Nothing there: the
outcome is unknown, so the same bytes are put at the same number again, and never elsewhere.
Rule 3: a refusal is only raised on a state that was read to the end just now; what is already true may be said from memory.
Rule 4: reading never trusts a listing. Numbers are asked for in windows until one is missing.
"""

from __future__ import annotations

import errno
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ..core.codec import Entry, Slot, Void, decode_entry, encode_entry
from ..core.events import Envelope, Event
from ..core.layout import entry_path
from ..errors import Conflict, Corrupt, FlowregError, Refused, Unavailable
from .forks import ProcessLock
from .store import Store

DEADLINE_S = 60.0
WINDOWS = (2, 8, 32)  # entries asked for at once; the last one repeats
_WILL_NOT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOSYS, errno.EMFILE, errno.ENFILE})


class Replayed(Protocol):
    """What a journal adds up to: of a model, or of the registry."""

    @property
    def seq(self) -> int: ...
    @property
    def digest(self) -> str | None: ...
    @property
    def voids(self) -> tuple[Void, ...]: ...
    @property
    def unknown(self) -> tuple[str, ...]: ...
    @property
    def broken(self) -> Void | None: ...


S = TypeVar("S", bound=Replayed)


@dataclass(frozen=True, slots=True)
class Opened(Generic[S]):
    """A state to start from, and an entry that is known to have been written (see ``caches``)."""

    state: S
    known_seq: int = 0


@dataclass(frozen=True, slots=True)
class _Draft:
    """An entry that is about to be written, and its exact bytes."""

    entry: Entry
    raw: bytes


class Journal(Generic[S]):
    """One journal, kept replayed. Safe in threads; they take turns, so that one process never races itself."""

    def __init__(
        self,
        store: Store,
        model: str | None,
        *,
        replay: Callable[[Sequence[Slot], S], S],
        opened: Callable[[], Opened[S]],
        after_append: Callable[[S], None] = lambda state: None,
    ) -> None:
        self._store = store
        self.model = model
        self._replay = replay
        self._opened = opened
        self._after_append = after_append
        self._state: S | None = None
        self._lock = ProcessLock(threading.RLock)
        self._put_s = 0.02  # how long a create takes here, smoothed; the unit of the backoff

    def state(self, *, fresh: bool = True) -> S:
        """The state now; with ``fresh=False`` the last one this process has seen, which costs no request."""
        with self._lock:
            if self._state is None:
                self._state = self._cold()
            elif fresh:
                self._catch_up(self._state)
            return self._sound(self._state)

    def transact(
        self, decide: Callable[[S], Sequence[Event]], envelope: Callable[[S, Sequence[Event]], Envelope]
    ) -> tuple[Entry | None, S]:
        """Append what ``decide`` decides; the entry and the state after it. No entry where nothing had to happen.

        ``decide`` is called again on every newer state until its events land. What it raises is raised.
        """
        deadline = time.monotonic() + DEADLINE_S
        with self._lock:
            fresh = self._state is None
            for attempt in range(1_000_000):
                state = self.state(fresh=fresh or attempt > 0)
                events, settled = self._decided(decide, state, sure=fresh or attempt > 0)
                if not settled:
                    fresh = True
                    continue
                if not events:
                    return None, state
                entry, after = self._foreseen(state, envelope(state, events))
                if self._append(entry, deadline):
                    self._state = after
                    self._after_append(after)
                    return entry.entry, after
                if attempt:
                    time.sleep(random.uniform(0, min(8 * self._put_s, 0.25)))
                if time.monotonic() > deadline:
                    break
        raise Conflict(
            f"other writers of {self.model or 'the registry'} were first for {DEADLINE_S:.0f} s",
            where="nothing was written",
            do="try again",
        )

    def slots(self) -> Iterator[Slot]:
        """Every slot from the first on, for history and check."""
        for seq, raw in read_on(self._store, self.model, 0):
            yield decode_entry(raw, model=self.model, seq=seq)

    def _decided(self, decide: Callable[[S], Sequence[Event]], state: S, *, sure: bool) -> tuple[Sequence[Event], bool]:
        """The events, and whether they may be acted on: a refusal or a silence on a remembered state may be out of date."""
        self._refuse_to_write(state)
        try:
            events = decide(state)
        except FlowregError:
            if sure:
                raise
            return (), False
        return events, sure or bool(events)

    def _foreseen(self, state: S, said: Envelope) -> tuple[_Draft, S]:
        """The entry and the state it will make. One that readers would find void is not written."""
        raw = encode_entry(said)
        slot = decode_entry(raw, model=self.model, seq=said.seq)
        after = self._replay([slot], state)
        if isinstance(slot, Void) or after.voids != state.voids or after.broken:
            reason = slot.reason if isinstance(slot, Void) else (after.broken or after.voids[-1]).reason
            raise Refused(f"this would have no effect: {reason}", where=f"{self.model or 'the registry'}; nothing was written", code="void")
        return _Draft(slot, raw), after

    def _append(self, draft: _Draft, deadline: float) -> bool:
        said, before = draft.entry.said, time.monotonic()
        landed = append(self._store, entry_path(self.model, said.seq), draft.raw, entry_id=said.id, deadline=deadline)
        self._put_s = 0.8 * self._put_s + 0.2 * (time.monotonic() - before)
        return landed

    def _cold(self) -> S:
        opened = self._opened()
        state = self._caught_up(opened.state)
        if state.seq < opened.known_seq and state.broken is None:
            raise _gap(self.model, state.seq + 1, opened.known_seq)
        return state

    def _catch_up(self, state: S) -> None:
        self._state = self._caught_up(state)

    def _caught_up(self, state: S) -> S:
        slots = [decode_entry(raw, model=self.model, seq=seq) for seq, raw in read_on(self._store, self.model, state.seq)]
        return self._replay(slots, state) if slots else state

    def _sound(self, state: S) -> S:
        if state.broken is None:
            return state
        where = entry_path(self.model, state.broken.seq)
        raise Corrupt(
            f"the journal of {self.model or 'the registry'} contradicts itself at entry {state.broken.seq}: {state.broken.reason}",
            where=f"{self._store.root}/{where}, or the entry before it was changed after it was written",
            do="restore the changed file from a backup or the bucket's versions, then run flowreg check",
            code="broken-chain",
        )

    def _refuse_to_write(self, state: S) -> None:
        if state.unknown:
            raise Refused(
                f"{self.model or 'the registry'} was written by a newer flowreg ({', '.join(sorted(set(state.unknown)))})",
                where="it can be read; nothing was written",
                do='pip install --upgrade "flowreg"',
                code="needs-newer",
            )


def append(store: Store, path: str, raw: bytes, *, entry_id: str, deadline: float) -> bool:
    """Put ``raw`` at ``path`` once. True: it is there; False: somebody else's bytes are. See rule 2.

    Raises ``Unavailable`` with ``outcome="nothing-written"`` where the storage will not do it, ``"unknown"`` where it did not say.
    """
    attempt = 0
    while True:
        try:
            store.create(path, raw)
        except FlowregError:
            raise
        except Exception as caught:
            error = caught
        else:
            return True
        found = _read_back(store, path, entry_id, deadline)
        if found is not None:
            return found == raw
        if _will_not(error):
            raise _unavailable(error, store, path, entry_id, "nothing-written") from error
        if time.monotonic() > deadline:
            raise _unavailable(error, store, path, entry_id, "unknown") from error
        if attempt:
            time.sleep(random.uniform(0, 0.25))
        attempt += 1


def read_on(store: Store, model: str | None, after: int) -> Iterator[tuple[int, bytes]]:
    """The files after number ``after``, in order, up to the first that is missing. ``Corrupt`` where a later one stands beyond a gap."""
    seq, turn = after + 1, 0
    while True:
        size = WINDOWS[min(turn, len(WINDOWS) - 1)]
        window = store.read_many([entry_path(model, seq + i) for i in range(size)])
        if None in window and any(raw is not None for raw in window[window.index(None) :]):
            window = _read_again(store, model, seq, window)
        for raw in window:
            if raw is None:
                return
            yield seq, raw
            seq += 1
        turn += 1


def _read_again(store: Store, model: str | None, seq: int, window: list[bytes | None]) -> list[bytes | None]:
    """The reads of a window are not one moment: an entry may have landed between two of them. Once more tells that from a hole."""
    again = store.read_many([entry_path(model, seq + i) for i in range(len(window))])
    if None not in again:
        return again
    hole = again.index(None)
    seen_before = [i for i, raw in enumerate(window) if raw is not None and i >= hole]
    if seen_before:  # it was there, or one after it was, before the hole was looked at for the second time
        raise _gap(model, seq + hole, seq + seen_before[-1])
    return again[:hole] if any(raw is not None for raw in again[hole:]) else again


def _read_back(store: Store, path: str, entry_id: str, deadline: float) -> bytes | None:
    while True:
        try:
            return store.read(path)
        except Exception as error:
            if _will_not(error) or time.monotonic() > deadline:
                raise _unavailable(error, store, path, entry_id, "unknown") from error
            time.sleep(random.uniform(0, 0.25))


def _will_not(error: BaseException) -> bool:
    """Whether asking again is useless: no permission, no such bucket, a full or read-only disk."""
    cause = error.__cause__ or error
    return isinstance(cause, PermissionError | FileNotFoundError) or getattr(cause, "errno", None) in _WILL_NOT


def _gap(model: str | None, missing: int, beyond: int) -> Corrupt:
    return Corrupt(
        f"entry {missing} of {model or 'the registry'} is gone, though entry {beyond} was written after it",
        where=entry_path(model, missing),
        do="restore the file from a backup or the bucket's versions, then run flowreg check",
        code="missing-entry",
    )


def _unavailable(error: BaseException, store: Store, path: str, entry_id: str, outcome: str) -> Unavailable:
    text = "nothing was written" if outcome == "nothing-written" else "it may have been written or not"
    first_line = (str(error).splitlines() or [""])[0][:200]
    return Unavailable(
        f"the storage did not take an entry: {type(error).__name__}: {first_line}",
        where=f"{store.root}/{path}; {text}",
        do="check the storage and the credentials, then repeat the same request: it finds out, and makes no twin if it has a key",
        code="storage",
        outcome=outcome,
        entry_id=entry_id,
    )
