"""Who may what: the policies that protect aliases, and the groups of people that they ask. All in the registry's own journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from . import reading
from .core import given
from .core.codec import digest_of, encode
from .core.events import Event, PeopleSet, PolicyRemoved, PolicySet
from .core.names import shown
from .core.policies import PolicyRecord, RegistryState
from .errors import BadInput, NotFound
from .inside import Inside, Moment

if TYPE_CHECKING:
    from .gates import Policy


def set_policy(inside: Inside, policy: Policy, *, because: str | None) -> PolicyRecord:
    """The policy put in force; the same text again changes nothing."""
    if not hasattr(policy, "to_json"):
        raise BadInput(f"{shown(policy)} is not a policy", do="give Policy.load(path) or Policy.parse(text)", code="bad-policy")

    def events(state: RegistryState) -> Sequence[Event]:
        now, event = state.named(policy.policy), _set(policy, state)
        return [] if now and now.digest == event.digest else [event]

    inside.journals.created()
    after = inside.journals.transact_registry(events, because=given.reason(because))
    inside.journals.fence_all(after, tuple(policy.models), reading.model_names(inside.store))
    return reading.policy_named(after, policy.policy)


def whole(inside: Inside, policy: Policy) -> PolicyRecord:
    """The policy as it would be recorded now, with all that it inherits; nothing is written."""
    state = inside.registry_state()
    event, now = _set(policy, state), state.named(policy.policy)
    revision = 1 + sum(p.name == event.name for p in state.policies)
    if now and now.digest == event.digest:
        return now
    return PolicyRecord(event.name, revision, event.models, event.alias, event.digest, event.policy, state.seq + 1, "", "")


def _set(policy: Policy, state: RegistryState) -> PolicySet:
    from .gates.extending import extended

    text = extended(policy, state.named).to_json()
    return PolicySet(name=policy.policy, models=tuple(policy.models), alias=policy.alias, digest=digest_of(encode(text)), policy=text)


def remove_policy(inside: Inside, name: str, *, because: str) -> None:
    """The policy taken out of force."""
    reason = given.required_reason(because, "removing a policy")

    def events(state: RegistryState) -> Sequence[Event]:
        return [PolicyRemoved(name=reading.policy_named(state, name).name)]

    inside.journals.created()
    after = inside.journals.transact_registry(events, because=reason)
    covered = next(p.models for p in reversed(after.policies) if p.name == name)
    inside.journals.fence_all(after, covered, reading.model_names(inside.store))


def policies(inside: Inside, as_of: Moment) -> tuple[PolicyRecord, ...]:
    """The policies in force, by name."""
    return tuple(sorted((p for p in inside.registry_state(as_of).policies if p.until is None), key=lambda p: p.name))


def revisions(inside: Inside, name: str) -> tuple[PolicyRecord, ...]:
    """Every revision of a policy there was, the oldest first."""
    found = tuple(p for p in inside.registry_state().policies if p.name == name)
    if not found:
        raise NotFound(f"there was never a policy {shown(name)}", do="see flowreg policy ls", code="no-policy")
    return found


def set_people(inside: Inside, groups: Mapping[str, Iterable[str]], *, only: bool, because: str | None) -> Mapping[str, tuple[str, ...]]:
    """The groups after these were set; with ``only`` there are no others."""
    wanted = given.groups(groups)

    def events(state: RegistryState) -> Sequence[Event]:
        after = wanted if only else {**state.people, **wanted}
        there = {name: people for name, people in after.items() if people}
        return [] if there == state.people else [PeopleSet(groups=there)]

    inside.journals.created()
    return inside.journals.transact_registry(events, because=given.reason(because)).people


def people(inside: Inside, as_of: Moment) -> Mapping[str, tuple[str, ...]]:
    """The people of each group."""
    return dict(sorted(inside.registry_state(as_of).people.items()))
