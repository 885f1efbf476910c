"""What shall happen: ``(state, request) -> events``, or a refusal that says why.

Rule 1: an empty list means that the request is fulfilled already: the same request again is not a twin.
Rule 2: a refusal writes nothing and says what did not happen. The same rules are applied by every reader afterwards
(``aliases.why_not_moved``), so a writer that skips this page achieves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ..errors import BadInput, Conflict, GateBlocked, NotFound, Refused
from .aliases import NOBODY, AliasState, Stamp
from .decision import Decision
from .events import (
    AliasMoved,
    Approved,
    BytesDropped,
    Decided,
    Evaluated,
    Event,
    Held,
    Labelled,
    Released,
    Restored,
    Retired,
    VersionRegistered,
)
from .names import Alias, ByDigest, Newest, Number, Ref, shown
from .policies import PolicyRecord
from .state import ModelState, VersionState, hold_key


def resolve(state: ModelState, ref: Ref) -> VersionState:
    """The version that ``ref`` names in this state, else ``NotFound`` with what there is."""
    match ref.selector:
        case Number(number):
            version = state.version(number)
        case Newest():
            version = state.version(state.newest)
        case Alias(name, back):
            version = _back(state, name, back)
        case ByDigest(hexes):
            version = _by_digest(state, ref, hexes)
    if version is None:
        raise NotFound(
            f"there is no {ref}",
            where=_what_there_is(state, ref.model),
            do="see flowreg ls, or flowreg show " + ref.model,
            code="no-version",
        )
    return version


def register(state: ModelState, draft: VersionRegistered, evaluation: Evaluated | None) -> list[Event]:
    """Events that make ``draft`` the next version (its own number is ignored). None if its key was used for these bytes."""
    if draft.key is not None and (number := state.by_key.get(draft.key)):
        earlier = state.versions[number - 1]
        if earlier.manifest == draft.manifest:
            return []
        raise Refused(
            f"the key {shown(draft.key)} was used before, for a different artifact",
            where=f"version {number} ({earlier.manifest[:19]}…) against {draft.manifest[:19]}…; nothing was registered",
            do="use a new key for a new artifact, or leave it out",
            code="key-reused",
        )
    number = state.newest + 1
    events: list[Event] = [draft.model_copy(update={"version": number})]
    return events if evaluation is None else [*events, evaluation.model_copy(update={"version": number})]


def evaluate(state: ModelState, draft: Evaluated) -> list[Event]:
    """Events that record ``draft``. None if an evaluation with its key stands."""
    version = _known(state, draft.version)
    if draft.key is not None and any(e.said.key == draft.key for e in version.evaluations):
        return []
    return [draft]


def label(state: ModelState, number: int, labels: Mapping[str, str | None]) -> list[Event]:
    """Events that set these labels; None takes one away. None where they stand already."""
    now = _known(state, number).labels
    changed = {name: value for name, value in labels.items() if now.get(name) != value}
    return [Labelled(version=number, labels=changed)] if changed else []


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
        return [] if before.version == number else [_move(alias, number, before, "set")]
    digest, record = decision
    _refuse_stale(record, before, version, policy, (model, alias))
    if before.version == number:
        return []
    decided = _decided(digest, record)
    if record.override:
        return [decided, _move(alias, number, before, "override", digest)]
    if record.outcome != "promote":
        return [decided]
    return [decided, _move(alias, number, before, "promotion", digest)]


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


def rollback(state: ModelState, alias: str, to: int | None, *, model: str) -> AliasMoved:
    """The event that moves ``alias`` back to ``to``, or to the last good holder of those that led to the present one.

    Good is one that is not retired, and with it not dropped either, and has other bytes than the present one.
    """
    before = state.aliases.get(alias, NOBODY)
    if before.version is None:
        raise NotFound(
            f"nobody is {alias} of {model}", where=_what_there_is(state, model), do=f"see flowreg history {model}", code="no-holder"
        )
    target = to if to is not None else _last_good(state, before)
    held = {move.said.version for move in before.moves}
    if target is None or target not in held or target == before.version:
        raise Refused(
            f"{model}@{alias} cannot go back to {'an earlier holder' if target is None else f'version {target}'}",
            where=f"it is held by version {before.version}; held before by {_listed(held - {before.version})}; nothing was written",
            do=f"choose one that held it and is not retired (flowreg history {model}), or promote another version",
            code="no-way-back",
        )
    may_hold(state, target, alias, model=model)
    return _move(alias, target, before, "rollback")


def has_gone_back(state: ModelState, alias: str, to: int) -> bool:
    """Whether the last move of ``alias`` was a rollback to ``to``: asked for once more by somebody who never heard the answer."""
    moves = state.aliases.get(alias, NOBODY).moves
    return bool(moves) and moves[-1].said.how == "rollback" and moves[-1].said.version == to


def retire_left(state: ModelState, move: AliasMoved) -> list[Event]:
    """Events that bar the bytes which a rollback left behind, so that no retraining brings them back. None where ``why_kept`` says why."""
    if why_kept(state, move):
        return []
    left = _left(state, move)
    return [Retired(version=left.number, manifest=left.manifest)]


def why_kept(state: ModelState, move: AliasMoved) -> str | None:
    """Why the version that a rollback leaves behind cannot be retired, in the state before that move."""
    left, target = _left(state, move), holder_after(state, move)
    if left.manifest == target.manifest:
        return f"version {target.number} has the same bytes"
    for same in state.same_bytes(left.manifest):
        if hold := state.hold_on(same.number):
            return f"version {same.number} is on hold since {hold.at[:10]}: {hold.because}"
        if held := [name for name in state.held_by(same.number) if name != move.alias]:
            return f"version {same.number} is {' and '.join(held)} still"
    return None


def undo_rollback(state: ModelState, alias: str, *, model: str) -> list[Event]:
    """Events that take the last rollback of ``alias`` back: its bad version may hold aliases again, and holds this one."""
    before = state.aliases.get(alias, NOBODY)
    last = before.moves[-1] if before.moves else None
    if last is None or last.said.how != "rollback" or last.said.undoes or last.said.base is None:
        raise Refused(
            f"the last move of {model}@{alias} is no rollback, so there is none to undo",
            where=f"it is held by {_number(before.version)}; nothing was written",
            do=f"see flowreg history {model}",
            code="no-rollback",
        )
    left = state.versions[last.said.base - 1]
    move = _move(alias, left.number, before, "rollback").model_copy(update={"undoes": last.stamp.seq})
    if left.dropped:
        raise bytes_dropped(f"{model}@{left.number}", left.dropped)
    if left.retired and left.retired.seq == last.stamp.seq:
        return [Restored(version=left.number), move]
    may_hold(state, left.number, alias, model=model)
    return [move]


def holder_after(state: ModelState, move: AliasMoved) -> VersionState:
    """The version that a move gives its alias to."""
    assert move.version is not None
    return state.versions[move.version - 1]


def remove_alias(state: ModelState, alias: str, *, model: str, policy: PolicyRecord | None) -> list[Event]:
    """Events after which nobody holds ``alias``."""
    before = state.aliases.get(alias, NOBODY)
    if policy is not None:
        raise Refused(
            f"{alias} of {model} is protected by policy {policy.name}; it was not removed", do="promote or roll back", code="protected"
        )
    return [] if before.version is None else [_move(alias, None, before, "removal")]


def retire(state: ModelState, number: int, *, model: str) -> list[Event]:
    """Events that bar the version from every alias, and its bytes under any number."""
    version = _known(state, number)
    if version.retired:
        return []
    held = state.held_by(number)
    if held:
        raise Refused(
            f"{model}@{number} is {' and '.join(held)} and may not be retired while it is",
            where="nothing was written",
            do=f"move the alias first: flowreg rollback {model}@{held[0]} --because '…'",
            code="holds-alias",
        )
    if hold := state.hold_on(number):
        raise _on_hold(f"{model}@{number}", hold, f"{model}@{number}" if hold_key(number) in state.holds else model)
    for same in state.same_bytes(version.manifest):
        if others := state.held_by(same.number):
            raise Refused(
                f"{model}@{same.number} has the same bytes and is {' and '.join(others)}",
                where=f"so {model}@{number} may not be retired; nothing was written",
                do=f"move the alias first: flowreg rollback {model}@{others[0]} --because '…'",
                code="holds-alias",
            )
        if hold := state.hold_on(same.number):
            raise _on_hold(f"{model}@{same.number}, which has the same bytes,", hold, f"{model}@{same.number}")
    return [Retired(version=number, manifest=version.manifest)]


def restore(state: ModelState, number: int) -> list[Event]:
    """Events that lift the bar of ``retire`` or of a rollback; ``Refused`` where its bytes were dropped since."""
    version = _known(state, number)
    if version.dropped:
        raise bytes_dropped(f"version {number}", version.dropped)
    return [Restored(version=number)] if version.retired else []


def drop_bytes(state: ModelState, number: int, *, retired_before: str) -> list[Event]:
    """Events after which the files of a retired version are kept no more. None where ``why_bytes_stay`` says why."""
    version = _known(state, number)
    if version.dropped or why_bytes_stay(state, number, retired_before=retired_before):
        return []
    return [BytesDropped(version=number, manifest=version.manifest)]


def why_bytes_stay(state: ModelState, number: int, *, retired_before: str) -> str | None:
    """Why a collection leaves the files of a version alone, whose bar must be older than ``retired_before``. None: they may go."""
    for same in state.same_bytes(_known(state, number).manifest):
        if same.retired is None:
            return "it is not retired" if same.number == number else f"version {same.number} has the same bytes and is not retired"
        if hold := state.hold_on(same.number):
            return f"version {same.number} is on hold since {hold.at[:10]}: {hold.because}"
        if same.retired.at > retired_before:
            return f"it was retired on {same.retired.at[:10]}, and may be restored still"
        if same.stamp.at > retired_before:
            return f"version {same.number} has the same bytes and was registered on {same.stamp.at[:10]}"
    return None


def bytes_dropped(what: str, gone: Stamp) -> Refused:
    """The refusal of whatever needs bytes that a collection dropped."""
    return Refused(
        f"the bytes of {what} were dropped by {gone.by.actor} on {gone.at[:10]}: {gone.because}",
        where="what was recorded of it is kept: its metrics, its history, the digest of every file",
        do="choose another version; registering the same files again brings the bytes back",
        code="bytes-dropped",
    )


def hold(state: ModelState, number: int | None) -> list[Event]:
    """Events that put the version (None: the whole model) on hold. None where it is."""
    if number is not None:
        _known(state, number)
    return [] if hold_key(number) in state.holds else [Held(version=number)]


def release(state: ModelState, number: int | None) -> list[Event]:
    """Events that lift the hold of ``hold``, which must be there."""
    if hold_key(number) in state.holds:
        return [Released(version=number)]
    whole = number is not None and hold_key(None) in state.holds
    raise Refused(
        "it is the whole model that is held" if whole else "there is no hold to release",
        where="nothing was written",
        do="release the model by its name alone" if whole else "see flowreg history for holds",
        code="not-held",
    )


def may_hold(state: ModelState, number: int, alias: str, *, model: str) -> VersionState:
    """The version, if it may hold an alias at all."""
    version = _known(state, number)
    if version.dropped:
        raise bytes_dropped(f"{model}@{number}", version.dropped)
    if version.retired is None:
        return version
    raise Refused(
        f"{model}@{number} may not become {alias}: {_why_retired(state, version, version.retired)}",
        where=f"{alias} stays at {_holder_text(state, alias, model)}; nothing was written",
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


def _known(state: ModelState, number: int) -> VersionState:
    version = state.version(number)
    if version is None:
        raise NotFound(f"there is no version {number}", where=f"the newest is {state.newest}", do="see flowreg ls", code="no-version")
    return version


def _back(state: ModelState, name: str, back: int) -> VersionState | None:
    alias = state.aliases.get(name, NOBODY)
    if back == 0:
        return state.version(alias.version) if alias.version else None
    return state.version(alias.trail[-back]) if back <= len(alias.trail) else None


def _by_digest(state: ModelState, ref: Ref, hexes: str) -> VersionState | None:
    found = [v for v in state.versions if v.manifest.startswith("sha256:" + hexes)]
    if len({v.manifest for v in found}) > 1:
        raise BadInput(
            f"{ref} is short for several versions: {_listed({v.number for v in found})}", do="give more digits", code="ambiguous"
        )
    return found[0] if found else None


def _last_good(state: ModelState, alias: AliasState) -> int | None:
    assert alias.version is not None
    bad = state.versions[alias.version - 1].manifest
    earlier = (state.versions[number - 1] for number in reversed(alias.trail))
    return next((v.number for v in earlier if v.manifest != bad and not v.retired), None)


def _left(state: ModelState, move: AliasMoved) -> VersionState:
    assert move.base is not None
    return state.versions[move.base - 1]


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


def _on_hold(what: str, hold: Stamp, held: str) -> Refused:
    return Refused(
        f"{what} is held by {hold.by.actor} since {hold.at[:10]}: {hold.because}",
        where="it may not be retired while it is; nothing was written",
        do=f"release it first: flowreg release {held} --because '…'",
        code="held",
    )


def _move(alias: str, number: int | None, before: AliasState, how: Any, decision: str | None = None) -> AliasMoved:
    return AliasMoved(alias=alias, version=number, base=before.version, how=how, decision=decision)


def _decided(digest: str, record: Decision) -> Decided:
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
            f"{record.alias} of {record.model} moved from {_number(judged)} to {_number(before.version)} while the gates ran",
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


def _number(number: int | None) -> str:
    return "nobody" if number is None else f"version {number}"


def _holder_text(state: ModelState, alias: str, model: str) -> str:
    holder = state.holder(alias)
    return f"{model}@{holder.number}" if holder else "nobody"


def _listed(numbers: set[int | None]) -> str:
    return ", ".join(str(n) for n in sorted(n for n in numbers if n is not None)) or "none"


def _what_there_is(state: ModelState, model: str) -> str:
    if not state.newest:
        return f"{model} has no versions"
    aliases = ", ".join(f"{name}@{a.version}" for name, a in sorted(state.aliases.items()) if a.version) or "no aliases"
    return f"{model} has versions 1 to {state.newest}, {aliases}"
