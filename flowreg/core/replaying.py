"""The journal adds up: ``replay(slots) -> ModelState``.

Rule 1: nothing here reads a clock, a file or the environment.
Rule 2: ``replay`` never raises. A slot that breaks a rule of this page has no effect, is kept in ``voids`` with its reason, and
stops nothing. Only a well-formed entry that contradicts the chain sets ``broken``: from there on nothing is believed.
Rule 3: an entry counts whole or not at all.
Rule 4: it folds into private dicts and freezes once at the end: copying maps for each event would be quadratic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, cast

from . import codec
from .aliases import NOBODY, AliasState, Move, Stamp, trail_after, why_not_moved
from .events import AliasMoved, Approved, BytesDropped, Decided, Evaluated, Held, Labelled, Released, Restored, Retired, VersionRegistered
from .policies import NO_POLICIES, RegistryState
from .state import EMPTY, ApprovalState, DecisionState, EvaluationState, ModelState, VersionState, hold_key


def replay(slots: Iterable[codec.Slot], start: ModelState = EMPTY, *, policies: RegistryState = NO_POLICIES) -> ModelState:
    """The state after these slots, which follow ``start`` without a gap.

    ``policies`` must know every registry entry that the slots were decided under: moves of a protected alias count only as
    its policy allows. Law: ``replay(b, replay(a)) == replay(a + b)``.
    """
    fold = _Fold(start, policies)
    for slot in slots:
        if fold.broken is not None:
            break
        fold.add(slot)
    return fold.frozen()


class _Rejected(Exception):
    """A rule says that an entry has no effect."""


class _Fold:
    """The mutable inside of ``replay``. Every change registers how to take it back, so that an entry counts whole or not at all."""

    def __init__(self, start: ModelState, policies: RegistryState) -> None:
        self.start = start
        self.policies = policies
        self.seq, self.digest, self.at, self.under = start.seq, start.digest, start.at, start.under
        self.versions = list(start.versions)
        self.aliases = dict(start.aliases)
        self.by_key = dict(start.by_key)
        self.decisions = list(start.decisions)
        self.voids = list(start.voids)
        self.unknown = list(start.unknown)
        self.broken = start.broken
        self.holds = dict(start.holds)
        self.approvals = list(start.approvals)
        self.retired_bytes = dict(start.retired_bytes)
        self.ever_dropped = {version.manifest for version in start.versions if version.dropped}
        self.undo: list[Callable[[], Any]] = []

    def frozen(self) -> ModelState:
        return ModelState(
            self.seq, self.digest, self.at, self.under, tuple(self.versions), self.aliases, self.by_key,
            tuple(self.decisions), tuple(self.voids), tuple(self.unknown), self.broken, self.holds,
            tuple(self.approvals), self.retired_bytes,
        )  # fmt: skip

    def add(self, slot: codec.Slot) -> None:
        if isinstance(slot, codec.Entry) and slot.said.parent != self.digest:
            reason = f"its parent is {slot.said.parent}, but the entry before has the digest {self.digest}"
            self.broken = codec.Void(slot.seq, slot.digest, reason)
            return
        if isinstance(slot, codec.Void):
            self.voids.append(slot)
            self.unknown.extend(["format"] if slot.newer else [])
        else:
            self._add_entry(slot)
        self.seq, self.digest = slot.seq, slot.digest

    def _add_entry(self, entry: codec.Entry) -> None:
        self.undo = []
        try:
            self._check_place(entry)
            for event in entry.said.events:
                self._apply(event, entry)
        except _Rejected as reason:
            for take_back in reversed(self.undo):
                take_back()
            self.voids.append(codec.Void(entry.seq, entry.digest, str(reason)))
        else:
            self.at, self.under = entry.said.at, entry.said.under
            self.unknown.extend(codec.unknown_kinds(entry))

    def _check_place(self, entry: codec.Entry) -> None:
        if entry.said.registry != self.policies.registry and self.policies.registry is not None:
            raise _Rejected("belongs to another registry")
        if entry.said.under < self.under:
            raise _Rejected(f"decided under registry entry {entry.said.under}, older than {self.under} of the entry before")
        if entry.said.under > self.policies.seq and self.policies.registry is not None:
            raise _Rejected(f"decided under registry entry {entry.said.under}, which does not exist")

    def _apply(self, event: Any, entry: codec.Entry) -> None:
        stamp = Stamp(entry.seq, entry.said.at, entry.said.by, entry.said.because)
        match event:
            case VersionRegistered():
                self._register(event, stamp)
            case Evaluated():
                self._evaluate(event, stamp)
            case Labelled():
                self._label(event)
            case Decided():
                self._decide(event, stamp)
            case Approved():
                self._approve(event, stamp, entry)
            case AliasMoved():
                self._move(event, stamp, entry)
            case Retired():
                self._retire(event, stamp)
            case Restored():
                self._restore(event)
            case BytesDropped():
                self._drop(event, stamp)
            case Held():
                self._hold(event.version, stamp)
            case Released():
                self._hold(event.version, None)
            case _:
                pass  # of a newer flowreg, or the registry's own: kept in the journal, no effect here

    def _version(self, number: int) -> VersionState:
        if not 1 <= number <= len(self.versions):
            raise _Rejected(f"there is no version {number}")
        return self.versions[number - 1]

    def _put(self, version: VersionState) -> None:
        at, before = version.number - 1, self.versions[version.number - 1]
        self.versions[at] = version
        self.undo.append(lambda: self.versions.__setitem__(at, before))

    def _register(self, event: VersionRegistered, stamp: Stamp) -> None:
        if event.version != len(self.versions) + 1:
            raise _Rejected(f"version {event.version} cannot follow version {len(self.versions)}")
        if event.key is not None:
            if event.key in self.by_key:
                raise _Rejected(f"the key {event.key!r} was used for version {self.by_key[event.key]}")
            key = event.key
            self.by_key[key] = event.version
            self.undo.append(lambda: self.by_key.pop(key))
        for same in self._dropped_of(event.manifest):
            self._put(replace(same, dropped=None))  # whoever registers has stored the bytes again
        self.versions.append(VersionState(event, stamp, labels=event.labels, retired=self.retired_bytes.get(event.manifest)))
        self.undo.append(self.versions.pop)

    def _evaluate(self, event: Evaluated, stamp: Stamp) -> None:
        version = self._version(event.version)
        if event.key is not None and any(e.said.key == event.key for e in version.evaluations):
            raise _Rejected(f"the evaluation {event.key!r} was recorded before")
        self._put(replace(version, evaluations=(*version.evaluations, EvaluationState(event, stamp))))

    def _label(self, event: Labelled) -> None:
        version = self._version(event.version)
        labels = {**version.labels, **event.labels}
        self._put(replace(version, labels={name: value for name, value in labels.items() if value is not None}))

    def _decide(self, event: Decided, stamp: Stamp) -> None:
        if self._version(event.version).manifest != event.manifest:
            raise _Rejected(f"decides about other bytes than those of version {event.version}")
        self.decisions.append(DecisionState(event, stamp))
        self.undo.append(self.decisions.pop)

    def _approve(self, event: Approved, stamp: Stamp, entry: codec.Entry) -> None:
        before = self.aliases.get(event.alias, NOBODY)
        policy = self.policies.in_force(cast(str, entry.said.model), event.alias, under=entry.said.under)
        if self._version(event.version).manifest != event.manifest:
            raise _Rejected(f"is about other bytes than those of version {event.version}")
        if (event.base, event.generation) != (before.version, before.generation):
            raise _Rejected(f"is about another holder of {event.alias} than version {before.version}, or another moment")
        if policy is None or policy.digest != event.policy_digest:
            raise _Rejected(f"is about another policy than the one that protects {event.alias}")
        if not stamp.because:
            raise _Rejected("an approval needs a reason")
        if event.key is not None and any(said.said.key == event.key for said in self.approvals):
            raise _Rejected(f"the approval {event.key!r} was recorded before")
        self.approvals.append(ApprovalState(event, stamp))
        self.undo.append(self.approvals.pop)

    def _move(self, event: AliasMoved, stamp: Stamp, entry: codec.Entry) -> None:
        before = self.aliases.get(event.alias, NOBODY)
        reason = self._why_not(event, before, entry)
        if reason:
            raise _Rejected(f"{event.alias} may not move: {reason}")
        after = AliasState(event.version, (*before.moves, Move(event, stamp)), trail_after(before, event))
        self.aliases[event.alias] = after
        self.undo.append(lambda: self.aliases.__setitem__(event.alias, before) if before.moves else self.aliases.pop(event.alias))

    def _why_not(self, event: AliasMoved, before: AliasState, entry: codec.Entry) -> str | None:
        if event.base != before.version:
            return f"the holder is version {before.version}, not {event.base}"
        if event.version is not None and self._version(event.version).retired:
            return f"version {event.version} is retired"
        model = cast(str, entry.said.model)
        policy = self.policies.in_force(model, event.alias, under=entry.said.under)
        decided = next((e for e in entry.said.events if isinstance(e, Decided) and e.decision == event.decision), None)
        said = entry.said
        return why_not_moved(event, before, policy=policy, decided=decided, actor=said.by.actor, because=said.because, at=said.at)

    def _retire(self, event: Retired, stamp: Stamp) -> None:
        version = self._version(event.version)
        if version.retired:
            raise _Rejected(f"version {event.version} is retired already")
        if event.manifest not in (None, version.manifest):
            raise _Rejected(f"these are not the bytes of version {event.version}")
        barred = self._same_bytes(version) if event.manifest else [version]
        numbers = {same.number for same in barred}
        holding = [name for name, alias in self.aliases.items() if alias.version in numbers]
        if holding:
            raise _Rejected(f"version {event.version} is {', '.join(holding)}")
        if any(self.holds.get(hold_key(number)) for number in (None, *numbers)):
            raise _Rejected(f"version {event.version} is held")
        for same in barred:
            self._put(replace(same, retired=same.retired or stamp))
        if event.manifest:
            self._bar(event.manifest, stamp)

    def _drop(self, event: BytesDropped, stamp: Stamp) -> None:
        version = self._version(event.version)
        if event.manifest != version.manifest:
            raise _Rejected(f"these are not the bytes of version {event.version}")
        if version.dropped:
            raise _Rejected(f"the bytes of version {event.version} are dropped already")
        for same in self._same_bytes(version):
            if not same.retired:
                raise _Rejected(f"version {same.number} has these bytes and is not retired")
            if self.holds.get(hold_key(None)) or self.holds.get(hold_key(same.number)):
                raise _Rejected(f"version {same.number} is held")
        for same in self._same_bytes(version):
            self._put(replace(same, dropped=stamp))
        self.ever_dropped.add(version.manifest)

    def _dropped_of(self, manifest: str) -> list[VersionState]:
        """The versions with these bytes, if they were dropped."""
        if manifest not in self.ever_dropped:  # so that registering need not look at every version
            return []
        return [version for version in self.versions if version.dropped and version.manifest == manifest]

    def _same_bytes(self, version: VersionState) -> list[VersionState]:
        return [other for other in self.versions if other.manifest == version.manifest]

    def _bar(self, manifest: str, stamp: Stamp | None) -> None:
        before = self.retired_bytes.pop(manifest, None)
        if stamp is not None:
            self.retired_bytes[manifest] = stamp
        self.undo.append(
            lambda: self.retired_bytes.pop(manifest, None) if before is None else self.retired_bytes.__setitem__(manifest, before)
        )

    def _hold(self, number: int | None, stamp: Stamp | None) -> None:
        if number is not None:
            self._version(number)
        key = hold_key(number)
        before = self.holds.pop(key, None)
        if (before is None) != (stamp is not None):
            if before is not None:
                self.holds[key] = before
            raise _Rejected("it is held already" if stamp else "it is not held")
        if stamp is not None:
            self.holds[key] = stamp
        self.undo.append(lambda: self.holds.pop(key, None) if before is None else self.holds.__setitem__(key, before))

    def _restore(self, event: Restored) -> None:
        version = self._version(event.version)
        if not version.retired:
            raise _Rejected(f"version {event.version} is not retired")
        if version.dropped:
            raise _Rejected(f"the bytes of version {event.version} are dropped")
        with_bytes = version.manifest in self.retired_bytes
        for same in self._same_bytes(version) if with_bytes else [version]:
            self._put(replace(same, retired=None))
        if with_bytes:
            self._bar(version.manifest, None)
