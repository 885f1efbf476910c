"""An alias moves forward: nothing protects it, its gates passed, or somebody overrode them. And people have their say.

Rule: a decision counts only for the holder, the candidate, the bytes and the policy that it was made about.
"""

from __future__ import annotations

from typing import Any, Literal

from ...errors import Conflict, GateBlocked, NotFound, Refused
from ..aliases import NOBODY, AliasState, Stamp
from ..decision import Decision
from ..events import AliasMoved, Approved, Decided, Event
from ..policies import PolicyRecord
from ..state import ModelState, VersionState
from .finding import holder_text, known, number_text
from .retiring import bytes_dropped


def promote(
    state: ModelState,
    number: int,
    alias: str,
    *,
    model: str,
    policy: PolicyRecord | None,
    decision: tuple[str, Decision] | None,
) -> list[Event]:
    """Events that move ``alias`` to version ``number`` because ``decision`` (digest and record) passed.

    Without a policy the alias simply moves; a decision not to promote is recorded and moves nothing. Raises ``Conflict`` where
    the decision was about another holder, candidate or policy than those of this state.
    """
    version = may_hold(state, number, alias, model=model)
    before = state.aliases.get(alias, NOBODY)
    if policy is None or decision is None:
        return [] if before.version == number else [moved(alias, number, before, "set")]
    digest, record = decision
    _refuse_stale(record, before, version, policy, (model, alias))
    if before.version == number:
        return []
    decided = recorded_decision(digest, record)
    if record.override:
        return [decided, moved(alias, number, before, "override", digest)]
    if record.outcome != "promote":
        return [decided]
    return [decided, moved(alias, number, before, "promotion", digest)]


def approve(
    state: ModelState,
    number: int,
    alias: str,
    verdict: Literal["approved", "rejected"],
    *,
    model: str,
    policy: PolicyRecord | None,
    person: str | None = None,
    via: str | None = None,
    key: str | None = None,
) -> list[Event]:
    """Events that record a person's word about moving ``alias`` to version ``number``, as things stand. None if its key was used."""
    if key is not None and any(said.said.key == key for said in state.approvals):
        return []
    version, before = may_hold(state, number, alias, model=model), state.aliases.get(alias, NOBODY)
    if policy is None:
        raise NotFound(
            f"no policy protects {alias} of {model}, so nobody is asked",
            where="nothing was written",
            do=f"promote it: flowreg promote {model}@{number} --to {alias}; or put a policy in force: flowreg policy set FILE",
            code="no-policy",
        )
    if before.version == number:
        raise Refused(
            f"{model}@{number} is {alias} already", where="nothing was written", do=f"see flowreg history {model}", code="holds-alias"
        )
    said = Approved(
        version=number, manifest=version.manifest, alias=alias, verdict=verdict, base=before.version, generation=before.generation,
        policy=policy.name, policy_digest=policy.digest, person=person, via=via, key=key,
    )  # fmt: skip
    return [said]


def remove_alias(state: ModelState, alias: str, *, model: str, policy: PolicyRecord | None) -> list[Event]:
    """Events after which nobody holds ``alias``."""
    before = state.aliases.get(alias, NOBODY)
    if policy is not None:
        raise Refused(
            f"{alias} of {model} is protected by policy {policy.name}; it was not removed", do="promote or roll back", code="protected"
        )
    return [] if before.version is None else [moved(alias, None, before, "removal")]


def may_hold(state: ModelState, number: int, alias: str, *, model: str) -> VersionState:
    """The version, if it may hold an alias at all."""
    version = known(state, number)
    if version.dropped:
        raise bytes_dropped(f"{model}@{number}", version.dropped)
    if version.retired is None:
        return version
    raise Refused(
        f"{model}@{number} may not become {alias}: {_why_retired(state, version, version.retired)}",
        where=f"{alias} stays at {holder_text(state, alias, model)}; nothing was written",
        do=f"choose another version, or lift it: flowreg retire {model}@{number} --restore --because '…'",
        code="retired",
    )


def refuse_blocked(decision: Decision, text: str) -> None:
    """Raise ``GateBlocked`` with this text unless the decision is to promote."""
    if decision.outcome == "promote":
        return
    here = f"{decision.model}@{decision.base.version}" if decision.base else "nobody"
    raise GateBlocked(
        text,
        where=f"policy {decision.policy_name!r} of {decision.model}; {decision.alias} stays at {here}; the decision was recorded",
        do=f"see the report with: flowreg gates {decision.model}@{decision.candidate.version} --to {decision.alias}",
        code=decision.outcome,
        decision=decision,
    )


def moved(alias: str, number: int | None, before: AliasState, how: Any, decision: str | None = None) -> AliasMoved:
    return AliasMoved(alias=alias, version=number, base=before.version, how=how, decision=decision)


def recorded_decision(digest: str, record: Decision) -> Decided:
    return Decided(
        decision=digest,
        outcome=record.outcome,
        alias=record.alias,
        version=record.candidate.version,
        manifest=record.candidate.manifest,
        base=record.base.version if record.base else None,
        generation=record.generation,
        policy=record.policy_name,
        policy_digest=record.policy_digest,
        dataset=record.dataset,
        dataset_digest=record.dataset_digest,
        expires_at=record.expires_at,
    )


def _refuse_stale(record: Decision, before: AliasState, version: VersionState, policy: PolicyRecord, meant: tuple[str, str]) -> None:
    judged = record.base.version if record.base else None
    if (judged, record.generation) != (before.version, before.generation):
        raise Conflict(
            f"{record.alias} of {record.model} moved from {number_text(judged)} to {number_text(before.version)} while the gates ran",
            where=f"by {before.moves[-1].stamp.by.actor}; nothing changed" if before.moves else "nothing changed",
            do="run promote again: the gates are judged against the new holder",
            code="holder-moved",
        )
    about = (record.model, record.alias, record.candidate.version, record.candidate.manifest)
    if about != (*meant, version.number, version.manifest):
        raise Conflict(
            f"the decision {record.id} is about {record.model}@{record.candidate.version} as {record.alias}, "
            f"not {meant[0]}@{version.number} as {meant[1]}",
            where="or about other bytes; nothing changed",
            do="judge again",
            code="stale-decision",
        )
    if record.policy_digest != policy.digest:
        raise Conflict(
            f"policy {policy.name} changed while the gates ran", where="nothing changed", do="run promote again", code="policy-changed"
        )


def _why_retired(state: ModelState, version: VersionState, gone: Stamp) -> str:
    """By whom, when and why; with the alias that was rolled back then, and the number under which these bytes were barred."""
    said = f"by {gone.by.actor} on {gone.at[:10]}: {gone.because}"
    for alias, history in sorted(state.aliases.items()):
        for move in history.moves:
            if move.stamp.seq == gone.seq and move.said.how == "rollback":
                same = "it was" if move.said.base == version.number else f"these are the bytes of version {move.said.base}, which was"
                return f"{same} rolled back from {alias} {said}"
    if gone.seq < version.stamp.seq:
        return f"these are bytes that were retired {said}"
    return f"it was retired {said}"
