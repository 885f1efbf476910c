"""Requests that go out together as one entry.

Rule 1: each is decided on the state that those before it will have made, and gets back the state that its own events have made.
Rule 2: an entry has one author, one reason and one registry entry that it was decided under. A request with others waits for the
next entry.
Rule 3: a request that is refused, or breaks, or would have no effect, stays out; the others do not notice.
Rule 4: what is refused or found done on a remembered state may be out of date, so it is asked again; what is refused or found done
because of the group's own events is said once they are written, and so were true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from ..core.codec import ENTRY_LIMIT, Entry, Slot, Void, decode_entry, encode_entry
from ..core.events import Envelope, Event
from ..errors import FlowregError, Refused

MOST_MEMBERS = 64
MOST_BYTES = ENTRY_LIMIT // 4  # of an entry that carries several requests
_UNWRITTEN = "sha256:"  # the digest of an entry that still grows


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


@dataclass(slots=True, eq=False)
class Request(Generic[S]):
    """One wish of one thread. ``author`` is who and why; ``asked`` makes a repetition recognisable where no key does.

    ``doubted``: it was refused or found done on a remembered state, so the journal must be read before it is decided again.
    """

    decide: Callable[[S], Sequence[Event]]
    envelope: Callable[[S, Sequence[Event]], Envelope]
    author: Any
    asked: Any
    deadline: float
    doubted: bool = False
    state: S | None = None
    error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.state is not None or self.error is not None

    def is_again(self, other: Request[S]) -> bool:
        """Whether ``other`` asks for the same once more."""
        return self.asked is not None and (self.asked, self.author) == (other.asked, other.author)

    def outcome(self) -> S:
        """The state after it, or its own error."""
        if self.error is not None:
            raise self.error
        assert self.state is not None, "whoever waited for its turn has an outcome"
        return self.state


@dataclass(frozen=True, slots=True)
class Member(Generic[S]):
    """A request in a group: how many events stand up to its own last, or why it will be refused."""

    request: Request[S]
    events: int
    refusal: FlowregError | None = None


@dataclass(slots=True)
class Group(Generic[S]):
    """One entry in the making, and everybody it is for."""

    before: S
    after: S
    replay: Callable[[Sequence[Slot], S], S]
    entry: Entry | None = None
    raw: bytes = b""
    members: list[Member[S]] = field(default_factory=list)
    _size_bytes: int = 0

    def take(self, request: Request[S], *, sure: bool) -> None:
        """Decide ``request`` on the state so far, and add its events. ``sure``: ``before`` was read to the end just now."""
        if self.entry is not None and (self._is_full() or request.author != self.members[0].request.author):
            return
        try:
            events = request.decide(self.after)
            if events:
                self._add(request, events)
            else:
                self._say(request, None, sure=sure)
        except FlowregError as refusal:
            self._say(request, refusal, sure=sure)
        except Exception as error:
            request.error = error

    def seal(self) -> tuple[Entry, bytes]:
        """The entry and its exact bytes."""
        assert self.entry is not None
        if not self.raw:
            self.raw = encode_entry(self.entry.said)
            self.entry = self._readable(self.raw, self.entry.said)
            self.after = self.replay([self.entry], self.before)
        return self.entry, self.raw

    def acknowledge(self) -> None:
        """The entry stands: everybody gets what is theirs."""
        for member in self.members:
            if member.refusal is None:
                member.request.state = self.state_after(member)
            else:
                member.request.error = member.refusal

    def fail(self, error: BaseException) -> None:
        """Nobody knows whether the entry stands, or it does not: everybody hears why."""
        for member in self.members:
            member.request.error = error

    def state_after(self, member: Member[S]) -> S:
        """The state up to the member's last event, as if the entry ended there."""
        entry, _ = self.seal()
        if member.events == len(entry.said.events):
            return self.after
        return self.replay([Entry(_with_events(entry.said, entry.said.events[: member.events]), entry.digest)], self.before)

    def _is_full(self) -> bool:
        return len(self.members) >= MOST_MEMBERS or self._size_bytes > MOST_BYTES

    def _add(self, request: Request[S], events: Sequence[Event]) -> None:
        said = request.envelope(self.before, events)
        raw = encode_entry(said)
        entry = self._readable(raw, said)
        if self.entry is not None:
            so_far = self.entry.said
            if (so_far.registry, so_far.under) != (said.registry, said.under):
                return
            entry = Entry(_with_events(so_far, (*so_far.events, *entry.said.events)), _UNWRITTEN)
        after = self.replay([entry], self.before)
        if after.voids != self.before.voids or after.broken:
            raise _without_effect(said.model, (after.broken or after.voids[-1]).reason)
        self.raw = raw if self.entry is None else b""
        self.entry, self.after = entry, after
        self._size_bytes += len(raw)
        self.members.append(Member(request, len(entry.said.events)))

    def _readable(self, raw: bytes, said: Envelope) -> Entry:
        slot = decode_entry(raw, model=said.model, seq=said.seq)
        if isinstance(slot, Void):
            raise _without_effect(said.model, slot.reason)
        return slot

    def _say(self, request: Request[S], refusal: FlowregError | None, *, sure: bool) -> None:
        if self.entry is not None:
            self.members.append(Member(request, len(self.entry.said.events), refusal))
        elif not sure:
            request.doubted = True
        elif refusal is not None:
            request.error = refusal
        else:
            request.state = self.before


def _with_events(said: Envelope, events: Sequence[Event]) -> Envelope:
    return said.model_copy(update={"events": tuple(events)})


def _without_effect(model: str | None, reason: str) -> Refused:
    return Refused(f"this would have no effect: {reason}", where=f"{model or 'the registry'}; nothing was written", code="void")
