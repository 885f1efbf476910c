"""The journal of one model (or of the registry): read to the end, decide, append; again when somebody else was first.

Rule 1: an entry is written once, at the number after the last one this writer has read, so who writes entry n has seen every
entry before it, and what was decided is decided on the truth.
Rule 2: what is known only moves forward, in single steps, so that readers never wait for a writer.
Rule 3: a refusal is only raised on a state that was read to the end just now; what is already true may be said from memory.
Rule 4: threads of one process never race each other: they share entries (``turns``, ``group``).
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from ..core.codec import Slot, decode_entry, digest_of
from ..core.events import Envelope, Event
from ..core.layout import entry_path
from ..errors import Conflict, Corrupt, Refused, Unavailable
from .forks import PerProcess, ProcessLock
from .group import Group, Replayed, Request, S
from .landing import append
from .store import Store
from .turns import Turns
from .windows import Reads, read_on

__all__ = ["Journal", "Opened", "Replayed", "append", "read_on"]

DEADLINE_S = 60.0
LOOKS = 3  # at an entry that arrives differently each time
LONGEST_WAIT_S = 0.25  # of a writer that was not first


@dataclass(frozen=True, slots=True)
class Opened(Generic[S]):
    """A state to start from, and an entry that is known to have been written, with its digest where that is known too."""

    state: S
    known_seq: int = 0
    known_digest: str | None = None


class Journal(Generic[S]):
    """One journal, kept replayed. Safe in threads, and in forked children."""

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
        self._opening, self._moving = ProcessLock(), ProcessLock()
        self._turns: PerProcess[Turns[Request[S]]] = PerProcess(Turns)
        self._interrupted: Group[S] | None = None  # its leader left while it was being written
        self._unsure: Group[S] | None = None  # nobody knows whether it was written
        self._losses = 0  # slots in a row that others were first at
        self._sure_of: str | None = None  # the digest of an entry that is known to be stored like that, not only to have arrived like that
        self._unseen = 0  # entries that the last reading found: a busy journal is read in one batch
        self._put_s: float | None = None  # how long a create takes here, smoothed; the unit of the backoff

    def state(self, *, fresh: bool = True) -> S:
        """The state now; with ``fresh=False`` the last one this process has seen, which costs no request and no waiting."""
        if self._state is None:
            return self._sound(self._open())
        return self._sound(self._read_on(self._state) if fresh else self._state)

    @property
    def known(self) -> S | None:
        """The last state this process has seen, if it has seen one."""
        return self._state

    def state_through(self, files: Reads[bytes]) -> S:
        """The state now, where ``files`` has read the next entries of many journals at once."""
        if self._state is None:
            return self.state()
        return self._sound(self._read_on(self._state, files))

    def transact(
        self,
        decide: Callable[[S], Sequence[Event]],
        envelope: Callable[[S, Sequence[Event]], Envelope],
        *,
        author: Any = None,
        asked: Any = None,
    ) -> S:
        """Append what ``decide`` decides, and the state after it; no entry where nothing had to happen. What it raises is raised.

        ``decide`` is called again on every newer state until its events land, by whichever thread leads. Requests with an equal
        ``author`` may share an entry. ``asked`` says what is wanted, where events have no key: the same again, after an outcome
        that was unknown, finds out what became of the first.
        """
        request = Request(decide, envelope, author, asked, deadline=time.monotonic() + DEADLINE_S)
        if (known := self._found_out(request)) is not None:
            return known
        self._turns.here().take(request, self._serve)
        return request.outcome()

    def slots(self) -> Iterator[Slot]:
        """Every slot from the first on, for history and check."""
        known = self._state.seq if self._state is not None else 0
        for seq, raw in read_on(self._store, self.model, 0, known=known):
            yield decode_entry(raw, model=self.model, seq=seq)

    # -- writing -------------------------------------------------------------------------------------------------------

    def _serve(self, requests: Sequence[Request[S]]) -> None:
        """One round: decide for all who wait, on one state, and write one entry for as many as may share it."""
        group, self._interrupted = self._interrupted, None
        if group is None or not any(member.request in requests for member in group.members):
            group = self._decided(requests)
        if group is not None and not self._write(group):
            self._lose(requests)

    def _decided(self, requests: Sequence[Request[S]]) -> Group[S] | None:
        sure = self._state is None or self._losses > 0 or any(request.doubted for request in requests)
        try:
            state = self._as_stored(self.state(fresh=sure))
            self._refuse_to_write(state)
        except Exception as error:
            for request in requests:
                request.error = error
            return None
        group = Group(state, state, self._replay)
        for request in requests:
            group.take(request, sure=sure)
        return group if group.members else None

    def _write(self, group: Group[S]) -> bool:
        """Whether the group has an outcome now; False: somebody else's entry has its number."""
        self._interrupted = group  # and stays so if this thread is interrupted: what it has begun the next leader ends
        try:
            settled = self._append(group, max(member.request.deadline for member in group.members))
            if settled:
                self._landed(group)
        except Exception as error:
            self._unsure = group if isinstance(error, Unavailable) and error.outcome == "unknown" else self._unsure
            group.fail(error)
            settled = True
        self._interrupted = None
        return settled

    def _append(self, group: Group[S], deadline: float) -> bool:
        (entry, raw), before = group.seal(), time.monotonic()
        landed = append(self._store, entry_path(self.model, entry.seq), raw, entry_id=entry.said.id, deadline=deadline)
        took_s = time.monotonic() - before
        self._put_s = took_s if self._put_s is None else 0.8 * self._put_s + 0.2 * took_s
        return landed

    def _landed(self, group: Group[S]) -> None:
        self._losses = 0
        self._sure_of = group.after.digest
        self._move_to(group.after)
        group.acknowledge()
        with contextlib.suppress(Exception):  # the entry stands, whatever becomes of a cache
            self._after_append(group.after)

    def _lose(self, requests: Sequence[Request[S]]) -> None:
        """Others were first: at once again, then after a wait of random length; who has waited too long is told."""
        self._losses += 1
        for request in requests:
            if not request.done and time.monotonic() > request.deadline:
                request.error = Conflict(
                    f"other writers of {self.model or 'the registry'} were first for {DEADLINE_S:.0f} s",
                    where="nothing was written",
                    do="try again",
                )
        if self._losses > 1:
            time.sleep(random.uniform(0, min(8 * (self._put_s or 0), LONGEST_WAIT_S)))

    def _found_out(self, request: Request[S]) -> S | None:
        """The outcome of an equal request that nobody knew then: its bytes are put at their place once more, which tells."""
        group = self._unsure
        same = [m for m in group.members if m.request.is_again(request)] if group else []
        if group is None or not same:
            return None
        landed = self._append(group, request.deadline)
        group.members = [other for other in group.members if other is not same[0]]
        if not landed:
            return None
        self._move_to(group.after)
        return group.state_after(same[0])

    def _as_stored(self, state: S) -> S:
        """``state``, whose newest entry is stored with the bytes that it was read with: the next entry names their digest for ever.

        Every other entry has one after it that names its digest. This one may have had a byte flipped on the way, where nothing but TCP
        guards it (plain HTTP); so there, before a writer builds on what somebody else wrote, it is read once more. It costs one
        request, and none where the writer goes on from its own entry, or over TLS, or on a disk.
        """
        for _ in range(LOOKS):
            if state.digest in (None, self._sure_of) or self._store.guards_bytes:
                return state
            raw = self._store.read(entry_path(self.model, state.seq))
            if raw is not None and digest_of(raw) == state.digest:
                self._sure_of = state.digest
                return state
            self._forget()
            state = self.state()
        raise _changed(self.model, state.seq, state.digest or "nothing")

    def _forget(self) -> None:
        with self._moving:
            self._state = None

    def _refuse_to_write(self, state: S) -> None:
        if state.unknown:
            raise Refused(
                f"{self.model or 'the registry'} was written by a newer flowreg ({', '.join(sorted(set(state.unknown)))})",
                where="it can be read; nothing was written",
                do='pip install --upgrade "flowreg"',
                code="needs-newer",
            )

    # -- reading -------------------------------------------------------------------------------------------------------

    def _open(self) -> S:
        with self._opening:
            return self._move_to(self._cold()) if self._state is None else self._state

    def _cold(self) -> S:
        opened = self._opened()
        slots = self._slots_after(opened.state.seq, known=opened.known_seq)
        digests = {opened.state.seq: opened.state.digest, **{slot.seq: slot.digest for slot in slots}}
        if opened.known_digest is not None and digests.get(opened.known_seq, opened.known_digest) != opened.known_digest:
            raise _changed(self.model, opened.known_seq, opened.known_digest)
        return self._replay(slots, opened.state) if slots else opened.state

    def _read_on(self, state: S, files: Reads[bytes] | None = None) -> S:
        slots = self._slots_after(state.seq, expected=max(self._unseen, min(self._losses, 1)), files=files)
        self._unseen = len(slots)
        return self._move_to(self._replay(slots, state)) if slots else state

    def _slots_after(self, seq: int, *, known: int = 0, expected: int = 0, files: Reads[bytes] | None = None) -> list[Slot]:
        found = read_on(files or self._store, self.model, seq, known=known, expected=expected)
        return [decode_entry(raw, model=self.model, seq=number) for number, raw in found]

    def _move_to(self, state: S) -> S:
        with self._moving:
            if self._state is None or state.seq >= self._state.seq:
                self._state = state
            return self._state

    def _sound(self, state: S) -> S:
        if state.broken is None:
            return state
        self._forget()  # so that a file that was restored, or arrives whole the next time, is seen
        where = entry_path(self.model, state.broken.seq)
        raise Corrupt(
            f"the journal of {self.model or 'the registry'} contradicts itself at entry {state.broken.seq}: {state.broken.reason}",
            where=f"{self._store.root}/{where}, or the entry before it was changed after it was written",
            do="restore the changed file from a backup or the bucket's versions, then run flowreg check",
            code="broken-chain",
        )


def _changed(model: str | None, seq: int, remembered: str) -> Corrupt:
    return Corrupt(
        f"entry {seq} of {model or 'the registry'} was changed after it was written",
        where=f"{entry_path(model, seq)}; what is remembered of it is {remembered}",
        do="restore the file from a backup or the bucket's versions, then run flowreg check",
        code="changed-entry",
    )
