"""Moving aliases: judged, asked for, approved, promoted, rolled back, and the rollback undone.

Rule 1: no rule lives here. They are in ``core.decide``, the gates in ``gates``.
Rule 2: whatever policy or group was acknowledged before a call counts for it.
Rule 3: the bytes that an alias goes back to are verified before it moves.
Rule 4: the gates and their language are imported by what judges; the rest does without.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from . import reading
from .core import decide, given
from .core.decision import Decision
from .core.events import Event, Run
from .core.names import alias_name
from .core.policies import PolicyRecord
from .core.state import ModelState
from .core.views import AliasMove, Approval, approval_view, version_view
from .errors import NotFound, Refused, Unavailable
from .inside import REPRODUCES, Inside, VersionRef
from .storage import blobs

if TYPE_CHECKING:
    from .judging import Promotion

CODE_REPRODUCING = "reproducing"


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says about a promotion: ``because`` is the reason. The rest says how it came here, see ``Registry.approve``."""

    verdict: Literal["approved", "rejected"]
    because: str
    person: str | None = None
    via: str | None = None
    key: str | None = None


def judge(inside: Inside, ref: VersionRef, to: str) -> Decision:
    """What the gates say now; nothing is recorded."""
    from . import judging

    (model, number), alias = inside.number(ref), alias_name(to)
    policy = _protecting(inside, model, alias)
    people = inside.journals.registry.state(fresh=False).people
    return judging.judged(inside.store, model, inside.state(model), number, policy, by=inside.journals.by(None), people=people)


def ask(inside: Inside, ref: VersionRef, to: str, *, because: str | None, run: Any) -> Decision:
    """What the gates say now; recorded where it waits for people, so that they see who asks. Nothing moves."""
    refuse_reproducing()
    reason, asked = given.reason(because), _promotion(inside, ref, to, override=None, run=run)
    _protecting(inside, asked.model, asked.alias)
    inside.journals.transact(asked.model, asked.question, because=reason, run=asked.run)
    return asked.decision or judge(inside, ref, to)


def promote(inside: Inside, ref: VersionRef, to: str, *, because: str | None, override: str | None, run: Any) -> AliasMove:
    """The alias moved because its gates passed, or ``GateBlocked``; the decision is recorded either way."""
    from . import judging

    refuse_reproducing()

    over, reason = given.reason(override), given.reason(because)
    promotion = _promotion(inside, ref, to, override=over, run=run)
    state = inside.journals.transact(promotion.model, promotion.events, because=over or reason, run=promotion.run)
    if promotion.decision is not None and not promotion.decision.override:
        decide.refuse_blocked(promotion.decision, judging.blocked_message(promotion.decision))
    return _moved(promotion.model, state, promotion.alias, promotion.decision)


def refuse_reproducing() -> None:
    """No alias moves in a process that only makes a version again."""
    if said := os.environ.get(REPRODUCES):
        raise Refused(
            f"this run makes {said} again, and moves no alias",
            where="nothing was written",
            do="see flowreg reproduce",
            code=CODE_REPRODUCING,
        )


def approve(inside: Inside, ref: VersionRef, to: str, word: Word, *, run: Any = None) -> Approval:
    """A person's word, recorded about the holder and the policy of this moment."""
    (model, number), alias = inside.number(ref), alias_name(to)
    reason, person, key = given.required_reason(word.because, "an approval"), given.actor(word.person), given.key(word.key)
    seen = inside.run(run)
    inside.journals.registry.state()
    state = inside.journals.transact(
        model,
        lambda state, policies: decide.approve(
            state, number, alias, word.verdict, model=model, policy=policies.in_force(model, alias), person=person, via=word.via, key=key
        ),
        because=reason,
        run=seen,
    )
    said = [a for a in state.approvals if (a.said.version, a.said.alias) == (number, alias) and (key is None or a.said.key == key)]
    return approval_view(model, said[-1])


def approvals(inside: Inside, ref: VersionRef) -> tuple[Approval, ...]:
    """What people have said about a version, the oldest first."""
    model, number = inside.number(ref)
    return tuple(approval_view(model, a) for a in inside.state(model).approvals if a.said.version == number)


def rollback(inside: Inside, ref: str, *, because: str, to: VersionRef | int | None, keep: bool, run: Any) -> AliasMove:
    """The alias moved back, the bytes that it leaves retired unless they are to be kept.

    Without ``to`` the same again is one step more, and nothing that is stored could tell a repetition from that. So the error of an
    outcome that nobody knows names the target, and with a target the same again is the same.
    """
    refuse_reproducing()
    reason, (model, alias, back) = given.required_reason(because, "a rollback"), reading.as_alias(ref)
    number = inside.number_in(model, to) if to is not None else inside.number(ref)[1] if back else None
    kept, target = "it was to be kept" if keep else None, number

    def events(state: ModelState) -> Sequence[Event]:
        nonlocal kept, target
        if to is not None and number is not None and decide.has_gone_back(state, alias, number):
            return []
        move = decide.rollback(state, alias, number, model=model)
        kept = "it was to be kept" if keep else decide.why_kept(state, move)
        target = move.version
        _verify(inside, state, target, model)
        return [move] if keep else [move, *decide.retire_left(state, move)]

    asked = ("rollback", alias, back, to and number, keep)
    try:
        state = _append(inside, model, events, reason, inside.run(run), asked)
    except Unavailable as error:
        raise (_unknown(error, model, alias, target) if error.outcome == "unknown" else error) from error.__cause__
    return replace(_moved(model, state, alias, None), kept=kept)


def _unknown(error: Unavailable, model: str, alias: str, target: int | None) -> Unavailable:
    again = f"flowreg rollback {model}@{alias} --to {target} --because '…'"
    do = f"repeat it with its target, which steps once however often it is said: {again}"
    return Unavailable(error.what, where=error.where, do=do, code=error.code, **{**error.facts, "to": target})


def undo_rollback(inside: Inside, ref: str, *, because: str, run: Any) -> AliasMove:
    """The last rollback of the alias taken back: its bytes are no longer retired, and it names them again."""
    reason, (model, alias, _) = given.required_reason(because, "undoing a rollback"), reading.as_alias(ref)

    def events(state: ModelState) -> Sequence[Event]:
        restored_and_moved = decide.undo_rollback(state, alias, model=model)
        _verify(inside, state, getattr(restored_and_moved[-1], "version", None), model)
        return restored_and_moved

    return _moved(model, _append(inside, model, events, reason, inside.run(run), ("undo", alias)), alias, None)


def remove_alias(inside: Inside, ref: str, *, because: str | None) -> None:
    """Nobody holds the alias then, which no policy protects."""
    model, alias, _ = reading.as_alias(ref)
    inside.journals.registry.state()
    inside.journals.transact(
        model,
        lambda state, policies: decide.remove_alias(state, alias, model=model, policy=policies.in_force(model, alias)),
        because=given.reason(because),
    )


def _promotion(inside: Inside, ref: VersionRef, to: str, *, override: str | None, run: Any) -> Promotion:
    from . import judging

    alias = alias_name(to)
    (model, number), seen = inside.number(ref), inside.run(run)
    inside.journals.of(model).state()  # a holder who changed before this call is no conflict
    inside.journals.registry.state()  # whatever policy was acknowledged before this call counts
    return judging.Promotion(inside.store, model, number, alias, by=inside.journals.by(seen), override=override, run=seen)


def _protecting(inside: Inside, model: str, alias: str) -> PolicyRecord:
    policy = inside.journals.registry.state().in_force(model, alias)
    if policy is None:
        raise NotFound(f"no policy protects {alias} of {model}", do="put one in force: flowreg policy set FILE", code="no-policy")
    return policy


def _append(
    inside: Inside, model: str, events: Callable[[ModelState], Sequence[Event]], because: str, run: Run | None, asked: object
) -> ModelState:
    return inside.journals.transact(model, lambda state, _: events(state), because=because, run=run, asked=asked)


def _verify(inside: Inside, state: ModelState, number: int | None, model: str) -> None:
    assert number is not None, "a rollback gives its alias to somebody"
    blobs.verify_artifact(inside.store, state.versions[number - 1].manifest, what=f"{model}@{number}")


def _moved(model: str, state: ModelState, alias: str, decision: Decision | None) -> AliasMove:
    moves, holder = state.aliases[alias].moves, state.holder(alias)
    assert holder is not None, "a promotion or rollback has just given it a holder"
    last, before = moves[-1], moves[-2] if len(moves) > 1 else None
    left = state.version(last.said.base or 0)
    retired = left and left.retired and left.retired.seq == last.stamp.seq
    return AliasMove(
        model, alias, version_view(model, state, holder), last.said.base, last.said.how, decision, last.stamp.because,
        before.stamp.at if before and last.said.how == "rollback" else None,
        left.manifest if left and retired else None, None, last.said.undoes,
    )  # fmt: skip
