"""A version is barred from every alias, and comes back; its bytes go, unless a hold keeps them."""

from __future__ import annotations

from ...errors import Refused
from ..aliases import Stamp
from ..events import BytesDropped, Event, Held, Released, Restored, Retired
from ..state import ModelState, hold_key
from .finding import known


def retire(state: ModelState, number: int, *, model: str) -> list[Event]:
    """Events that bar the version from every alias, and its bytes under any number."""
    version = known(state, number)
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
    version = known(state, number)
    if version.dropped:
        raise bytes_dropped(f"version {number}", version.dropped)
    return [Restored(version=number)] if version.retired else []


def drop_bytes(state: ModelState, number: int, *, retired_before: str) -> list[Event]:
    """Events after which the files of a retired version are kept no more. None where ``why_bytes_stay`` says why."""
    version = known(state, number)
    if version.dropped or why_bytes_stay(state, number, retired_before=retired_before):
        return []
    return [BytesDropped(version=number, manifest=version.manifest)]


def why_bytes_stay(state: ModelState, number: int, *, retired_before: str) -> str | None:
    """Why a collection leaves the files of a version alone, whose bar must be older than ``retired_before``. None: they may go."""
    for same in state.same_bytes(known(state, number).manifest):
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
        known(state, number)
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


def _on_hold(what: str, hold: Stamp, held: str) -> Refused:
    return Refused(
        f"{what} is held by {hold.by.actor} since {hold.at[:10]}: {hold.because}",
        where="it may not be retired while it is; nothing was written",
        do=f"release it first: flowreg release {held} --because '…'",
        code="held",
    )
