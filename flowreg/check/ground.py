"""The registry's own journal: identity, policies, and whether what models remember of it is still there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ..core.codec import Entry
from ..core.layout import REGISTRY_JOURNAL, entry_path
from ..core.policies import RegistryState, replay_registry
from ..errors import FlowregError
from .chain import Claim, examined
from .journals import Ground, chain_findings, void_findings
from .report import Finding, found
from .slots import Slots


def examined_ground(own: Slots, models: Mapping[str, Slots]) -> tuple[Ground, list[Finding]]:
    """The ground of these models, and what is wrong with it."""
    identity = _named_identity(own, models)
    if not own.run and not own.beyond and models:
        what = f"the registry's own journal is gone, though {len(models)} of its models are there"
        return Ground(replace(RegistryState(), registry=identity)), [found("lost-journal", REGISTRY_JOURNAL, what, None)]
    claims = [Claim(1, identity, "every model", "every other entry")] if identity else []
    chain = examined(own.run, [*claims, *_deepest(own, models, identity)])
    end = len(own.run) if chain.first_wrong is None else chain.first_wrong - 1
    state = replay_registry(own.run[:end])

    def foreign(seq: int) -> bool:
        slot = own.at(seq)
        return isinstance(slot, Entry) and slot.said.registry not in (None, state.registry)

    findings = [*chain_findings(None, own, chain), *void_findings(None, own, chain, state.voids, foreign), *_bad_policies(state)]
    return Ground(replace(state, registry=state.registry or identity), state.seq), findings


def _named_identity(own: Slots, models: Mapping[str, Slots]) -> str | None:
    """The identity that entries agree on: that of entry 1 if any names it, else the one that most name."""
    named = Counter(entry.said.registry for slots in (own, *models.values()) for entry in slots.entries if entry.said.registry)
    first = own.run[0].digest if own.run else None
    return first if first in named or not named else named.most_common(1)[0][0]


def _deepest(own: Slots, models: Mapping[str, Slots], identity: str | None) -> Iterator[Claim]:
    """A model's entry that was decided under a later entry than the last one that is there: the tail is lost, or the entry forged."""
    if own.run and identity != own.run[0].digest:
        return
    for model, slots in models.items():
        entries = [e for e in slots.entries if e.said.registry == identity and e.said.under > len(own.run)]
        if entries:
            deepest = max(entries, key=lambda entry: entry.said.under)
            yield Claim(deepest.said.under, "", entry_path(model, deepest.seq), f"entry {deepest.seq} of {model}")


def _bad_policies(state: RegistryState) -> Iterable[Finding]:
    from ..gates import Policy

    for record in state.policies:
        if record.until is None:
            try:
                Policy.parse(record.policy)
            except (FlowregError, ValueError, TypeError, RecursionError) as error:
                what = error.what if isinstance(error, FlowregError) else str(error)
                yield found("bad-policy", entry_path(None, record.since), f"the policy {record.name} cannot be read: {what}", None)
