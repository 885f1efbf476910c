"""What the registry's own journal adds up to: its identity, models, doomed blobs, groups of people, and which policies were in force when.

Rule 1: a policy in force at entry ``n`` of this journal stays answerable for ever, so that an old decision can be checked.
Rule 2: of several policies that cover an alias of a model the most specific counts: a model named in full before a pattern, a
longer pattern before a shorter, the later set before the earlier.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from . import codec
from .events import BlobsDoomed, ModelCreated, PeopleSet, PolicyRemoved, PolicySet, RegistryCreated


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """One revision of a policy, in force for entries decided under ``since`` up to before ``until`` (None: still)."""

    name: str
    revision: int
    models: tuple[str, ...]
    alias: str
    digest: str
    policy: Mapping[str, Any]
    since: int
    set_at: str
    set_by: str
    until: int | None = None

    def covers(self, model: str, alias: str) -> bool:
        return self.alias == alias and any(fnmatchcase(model, pattern) for pattern in self.models)

    def allows_override_by(self, actor: str) -> bool:
        override = self.policy.get("override")
        allowed = override.get("by") if isinstance(override, Mapping) else None
        return isinstance(allowed, list | tuple) and any(isinstance(p, str) and fnmatchcase(actor, p) for p in allowed)

    def closeness(self, model: str) -> tuple[bool, int, int]:
        """How closely this policy means ``model``: by its full name, by its longest pattern that matches, set last."""
        return model in self.models, max(len(p) for p in self.models if fnmatchcase(model, p)), self.since


@dataclass(frozen=True, slots=True)
class RegistryState:
    """The registry's journal replayed: identity (digest of the genesis), newest entry, and every policy there was."""

    registry: str | None = None
    seq: int = 0
    digest: str | None = None
    at: str = ""
    policies: tuple[PolicyRecord, ...] = ()
    voids: tuple[codec.Void, ...] = ()
    unknown: tuple[str, ...] = ()
    broken: codec.Void | None = None
    models: frozenset[str] = frozenset()
    doomed: Mapping[str, int] = field(default_factory=dict)  # by digest, how often: the incarnation that counts now
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the actors of each group

    def in_force(self, model: str, alias: str, *, under: int | None = None) -> PolicyRecord | None:
        """The policy that protects ``alias`` of ``model`` for an entry decided under entry ``under`` (None: the newest)."""
        at = self.seq if under is None else under
        covering = [p for p in self.policies if p.since <= at and (p.until is None or at < p.until) and p.covers(model, alias)]
        return max(covering, key=lambda p: p.closeness(model), default=None)

    def named(self, name: str) -> PolicyRecord | None:
        """The revision of the policy ``name`` that is in force now."""
        return next((p for p in reversed(self.policies) if p.name == name and p.until is None), None)


NO_POLICIES = RegistryState()


def replay_registry(slots: Iterable[codec.Slot], start: RegistryState = NO_POLICIES) -> RegistryState:
    """The state after these slots, which follow ``start``. Like ``replaying.replay`` it never raises."""
    state = start
    for slot in slots:
        if state.broken is not None:
            break
        state = _after(state, slot)
    return state


def _after(state: RegistryState, slot: codec.Slot) -> RegistryState:
    if isinstance(slot, codec.Entry) and slot.said.parent != state.digest:
        reason = f"its parent is {slot.said.parent}, but the entry before has the digest {state.digest}"
        return replace(state, broken=codec.Void(slot.seq, slot.digest, reason))
    moved = replace(state, seq=slot.seq, digest=slot.digest)
    if isinstance(slot, codec.Void):
        return replace(moved, voids=(*state.voids, slot), unknown=state.unknown + (("format",) if slot.newer else ()))
    void_because = _why_void(state, slot)
    if void_because:
        return replace(moved, voids=(*state.voids, codec.Void(slot.seq, slot.digest, void_because)))
    moved = replace(moved, at=slot.said.at, unknown=state.unknown + codec.unknown_kinds(slot))
    for event in slot.said.events:
        moved = _apply(moved, event, slot)
    return moved


def _why_void(state: RegistryState, entry: codec.Entry) -> str | None:
    creates = any(isinstance(event, RegistryCreated) for event in entry.said.events)
    if creates != (state.registry is None):
        return "the registry was created before" if creates else "the first entry does not create the registry"
    if entry.said.registry != state.registry:
        return "belongs to another registry"
    for event in entry.said.events:
        if isinstance(event, PolicySet) and codec.digest_of(codec.encode(event.policy)) != event.digest:
            return f"policy {event.name}: the digest does not match its text"
    return None


def _apply(state: RegistryState, event: Any, entry: codec.Entry) -> RegistryState:
    match event:
        case RegistryCreated():
            return replace(state, registry=entry.digest)
        case PolicySet():
            revision = 1 + sum(p.name == event.name for p in state.policies)
            record = PolicyRecord(
                event.name, revision, event.models, event.alias, event.digest, event.policy, entry.seq, entry.said.at, entry.said.by.actor
            )
            return replace(state, policies=(*_ended(state, event.name, entry.seq), record))
        case ModelCreated():
            return replace(state, models=state.models | {event.model})
        case BlobsDoomed():
            return replace(state, doomed={**state.doomed, **{digest: state.doomed.get(digest, 0) + 1 for digest in event.digests}})
        case PeopleSet():
            return replace(state, people=dict(event.groups))
        case PolicyRemoved():
            return replace(state, policies=_ended(state, event.name, entry.seq))
        case _:
            return state


def _ended(state: RegistryState, name: str, seq: int) -> tuple[PolicyRecord, ...]:
    return tuple(replace(p, until=seq) if p.name == name and p.until is None else p for p in state.policies)
