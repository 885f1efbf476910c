"""The inventory: every model for those who answer for them: owner, purpose, what serves, since when, on what evidence."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime

from . import ids, reading, tables
from .core.aliases import Move
from .core.state import ModelState, VersionState
from .core.views import stamp
from .errors import Corrupt
from .inside import Inside, Moment
from .storage.parallel import parallel_map

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class InventoryLine:
    """One model, as those see it who answer for it. ``owner``, ``purpose``, ``risk`` and ``review_by`` are labels: of what ``alias``
    names, else of the newest version.

    ``evidence`` is a sentence; ``overdue`` whether ``review_by`` (a date) has passed. ``broken`` says why nothing is known.
    """

    model: str
    owner: str | None = None
    purpose: str | None = None
    risk: str | None = None
    alias: str | None = None
    version: int | None = None
    stamp: str | None = None
    since: str | None = None
    promoted_by: str | None = None
    policy: str | None = None
    evidence: str | None = None
    approved_by: str | None = None
    review_by: str | None = None
    overdue: bool | None = None
    versions: int = 0
    newest_at: str | None = None
    broken: str | None = None


def inventory(inside: Inside, *, alias: str = "champion", as_of: Moment = None) -> tuple[InventoryLine, ...]:
    """A line for each model, by name, about who holds ``alias``. A damaged model says so, and hides no other."""
    registry = inside.registry_state(as_of)
    names = sorted(set(reading.model_names(inside.store)) | set(registry.models))
    today = datetime.fromisoformat(reading.moment(as_of) or ids.now()).date()

    def line(model: str) -> InventoryLine | None:
        try:
            state = inside.state(model, as_of)
        except Corrupt as error:
            return InventoryLine(model, broken=error.what)
        record = registry.in_force(model, alias)
        return _line(inside, model, state, alias, record.name if record else None, today) if state.newest else None

    return tuple(each for each in parallel_map(line, names, threads=8) if each is not None)


def as_csv(lines: Iterable[InventoryLine]) -> str:
    """Comma-separated, with names of columns. What a spreadsheet would run as a formula begins with an apostrophe."""
    out = io.StringIO()
    names = [field.name for field in fields(InventoryLine)]
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    for line in lines:
        writer.writerow([_cell(getattr(line, name)) for name in names])
    return out.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(inside: Inside, model: str, state: ModelState, alias: str, policy: str | None, today: date) -> InventoryLine:
    holder = state.holder(alias)
    labels = (holder or state.versions[-1]).labels
    review_by = labels.get("review_by")
    found = InventoryLine(
        model, owner=labels.get("owner"), purpose=labels.get("purpose"), risk=labels.get("risk"), policy=policy, review_by=review_by,
        overdue=_overdue(review_by, today), versions=state.newest, newest_at=state.versions[-1].stamp.at,
    )  # fmt: skip
    return found if holder is None else _with_holder(inside, model, state, alias, holder, found)


def _with_holder(inside: Inside, model: str, state: ModelState, alias: str, holder: VersionState, found: InventoryLine) -> InventoryLine:
    move = state.aliases[alias].moves[-1]
    people = {
        word.person
        for word in state.approvals
        if (word.said.version, word.said.alias, word.said.verdict) == (holder.number, alias, "approved")
        and word.stamp.seq <= move.stamp.seq
    }
    return replace(
        found, alias=alias, version=holder.number, stamp=stamp(model, holder.number, holder.manifest), since=move.stamp.at,
        promoted_by=move.stamp.by.actor, approved_by=", ".join(sorted(people)) or None, evidence=_evidence(inside, move),
    )  # fmt: skip


def _evidence(inside: Inside, move: Move) -> str:
    """On what grounds an alias was moved, in a sentence."""
    because = f": {move.stamp.because}" if move.stamp.because else ""
    match move.said.how:
        case "promotion" | "override" if move.said.decision is not None:
            decision = tables.read_decision(inside.store, move.said.decision)
            passed = sum(result.status == "pass" for result in decision.results)
            on = f" on {decision.dataset}" if decision.dataset else ""
            gates = f"{passed} of {len(decision.results)} gates of {decision.policy_name} passed{on}"
            return f"OVERRIDE, {gates}{because}" if move.said.how == "override" else gates
        case "rollback":
            return f"rollback{because}"
    return f"no gates, {move.said.how} by hand{because}"


def _overdue(review_by: str | None, today: date) -> bool | None:
    try:
        return None if review_by is None else date.fromisoformat(review_by) < today
    except ValueError:
        return None
