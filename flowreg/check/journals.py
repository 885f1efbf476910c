"""One journal against itself, against what is remembered of it, and replayed from its first entry.

Rule 1: from the first entry that cannot be believed on nothing is judged, and nothing that merely follows from it is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..core import codec
from ..core.codec import Entry, Slot, Void
from ..core.layout import entry_path
from ..core.policies import NO_POLICIES, RegistryState
from ..core.replaying import replay
from ..core.state import EMPTY, ModelState
from .chain import Chain, Claim, examined
from .report import Finding, found
from .slots import Slots


@dataclass(frozen=True, slots=True)
class Ground:
    """What models stand on: the registry's journal as far as it is sound. ``trusted`` is its last entry that is believed."""

    policies: RegistryState = NO_POLICIES
    trusted: int = 0


@dataclass(frozen=True, slots=True)
class Walked:
    """A model's journal after the walk: what was found, the state as far as it is sound, and the state at each number asked for."""

    findings: tuple[Finding, ...]
    chain: Chain
    state: ModelState = EMPTY
    states: Mapping[int, ModelState] = field(default_factory=dict)


def chain_findings(model: str | None, slots: Slots, chain: Chain) -> Iterator[Finding]:
    """Changed entries, gaps, lost tails."""
    for seq, reason in chain.blamed.items():
        slot = slots.run[seq - 1]
        code = slots.wrong.get(seq, "")
        said = f"; {slot.reason}" if isinstance(slot, Void) else ""
        code = code if code in ("misplaced-entry", "unreadable") else "changed-entry"
        yield found(code, entry_path(model, seq), f"entry {seq} is not the one that was written: {reason}{said}", model)
    for seq, reason in chain.doubtful.items():
        yield found("broken-chain", entry_path(model, seq), f"entry {seq}: {reason}", model)
    yield from _lost(model, slots, chain)


def _lost(model: str | None, slots: Slots, chain: Chain) -> Iterator[Finding]:
    first = len(slots.run) + 1
    lost = [claim for claim in chain.lost if claim.seq not in slots.beyond]
    if slots.beyond:
        beyond = min(slots.beyond)
        gone = f"entry {first} is" if beyond == first + 1 else f"entries {first} to {beyond - 1} are"
        yield found("missing-entry", entry_path(model, first), f"{gone} gone, though entry {beyond} stands", model)
    elif lost:
        last = max(lost, key=lambda claim: claim.seq)
        gone = f"entry {first} is" if last.seq == first else f"entries {first} to {last.seq} are"
        yield found(
            "missing-entry", entry_path(model, first), f"{gone} gone, though {last.who} ({last.where}) remembers entry {last.seq}", model
        )


def void_findings(
    model: str | None, slots: Slots, chain: Chain, voids: Iterable[Void], foreign: Callable[[int], bool]
) -> Iterator[Finding]:
    """Slots without effect. What a later entry was knowingly written after is a note: it is history."""
    reasons = {slot.seq: slot.reason for slot in slots.run if isinstance(slot, Void)}
    codes = dict(slots.wrong)
    for void in voids:
        reasons.setdefault(void.seq, void.reason)
        codes.setdefault(void.seq, "foreign-entry" if foreign(void.seq) else "refused-entry")
    for seq, reason in sorted(reasons.items()):
        if seq not in chain.blamed:
            what = f"entry {seq} has no effect: {reason}"
            yield found(codes[seq], entry_path(model, seq), what, model, settled=_accepted(slots.run, seq) and codes[seq] != "unreadable")
    for slot in slots.run:
        if isinstance(slot, Entry) and (kinds := codec.unknown_kinds(slot)):
            yield found("unknown-kind", entry_path(model, slot.seq), f"entry {slot.seq} says {', '.join(kinds)}", model)


def _accepted(run: Sequence[Slot], seq: int) -> bool:
    """Whether somebody went on after this very slot: a run of voids is accepted by the entry that follows it."""
    follower = next((slot for slot in run[seq:] if isinstance(slot, Entry)), None)
    return follower is not None and follower.said.parent == run[follower.seq - 2].digest


def walked(model: str, slots: Slots, claims: Sequence[Claim], ground: Ground, wanted: Iterable[int]) -> Walked:
    """Walk a model's journal. ``wanted`` are the numbers whose state is asked for."""
    chain = examined(slots.run, claims)
    sound = _sound(slots.run, chain, ground)
    state, states, last = EMPTY, {}, 0
    for seq in sorted({seq for seq in wanted if 0 < seq <= len(sound)} | {len(sound)}):
        state = states[seq] = replay(sound[last:seq], state, policies=ground.policies)
        last = seq
    identity = ground.policies.registry

    def foreign(seq: int) -> bool:
        slot = slots.at(seq)
        return isinstance(slot, Entry) and slot.said.registry != identity

    findings = (*chain_findings(model, slots, chain), *void_findings(model, slots, chain, state.voids, foreign))
    return Walked(findings, chain, state, states)


def _sound(run: Sequence[Slot], chain: Chain, ground: Ground) -> Sequence[Slot]:
    """The entries that can be judged: before the first wrong one, and before the first that stands on lost policies."""
    end = len(run) if chain.first_wrong is None else chain.first_wrong - 1
    for slot in run[:end]:
        if isinstance(slot, Entry) and slot.said.under > ground.trusted and slot.said.registry == ground.policies.registry:
            return run[: slot.seq - 1]
    return run[:end]
