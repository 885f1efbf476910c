"""An alias goes back along its own history, and what it leaves is barred, so that no retraining brings it back."""

from __future__ import annotations

from ...errors import NotFound, Refused
from ..aliases import NOBODY, AliasState
from ..events import AliasMoved, Event, Restored, Retired
from ..state import ModelState, VersionState
from .finding import listed, number_text, what_there_is
from .moving import may_hold, moved
from .retiring import bytes_dropped


def rollback(state: ModelState, alias: str, to: int | None, *, model: str) -> AliasMoved:
    """The event that moves ``alias`` back to ``to``, or to the last good holder of those that led to the present one.

    Good is one that is not retired, and with it not dropped either, and has other bytes than the present one.
    """
    before = state.aliases.get(alias, NOBODY)
    if before.version is None:
        raise NotFound(
            f"nobody is {alias} of {model}", where=what_there_is(state, model), do=f"see flowreg history {model}", code="no-holder"
        )
    target = to if to is not None else _last_good(state, before)
    held = {move.said.version for move in before.moves}
    if target is None or target not in held or target == before.version:
        raise Refused(
            f"{model}@{alias} cannot go back to {'an earlier holder' if target is None else f'version {target}'}",
            where=f"it is held by version {before.version}; held before by {listed(held - {before.version})}; nothing was written",
            do=f"choose one that held it and is not retired (flowreg history {model}), or promote another version",
            code="no-way-back",
        )
    may_hold(state, target, alias, model=model)
    return moved(alias, target, before, "rollback")


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
            where=f"it is held by {number_text(before.version)}; nothing was written",
            do=f"see flowreg history {model}",
            code="no-rollback",
        )
    left = state.versions[last.said.base - 1]
    move = moved(alias, left.number, before, "rollback").model_copy(update={"undoes": last.stamp.seq})
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


def _last_good(state: ModelState, alias: AliasState) -> int | None:
    assert alias.version is not None
    bad = state.versions[alias.version - 1].manifest
    earlier = (state.versions[number - 1] for number in reversed(alias.trail))
    return next((v.number for v in earlier if v.manifest != bad and not v.retired), None)


def _left(state: ModelState, move: AliasMoved) -> VersionState:
    assert move.base is not None
    return state.versions[move.base - 1]
