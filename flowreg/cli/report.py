"""What the gates found, as people read it: a line that says what is asked, a row for each gate, what follows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from .blocks import BLANK, Block, Cell, Column, Grid, Line, Span, Style, hint, quiet, strong, text_of
from .words import ago, counted, moment

if TYPE_CHECKING:
    from ..core.decision import Decision, GateResult
    from ..core.views import AliasMove

BLOCKED = 4
PARTS_SHOWN = 8
DRY = " (a dry run: nothing was written)"
MARKS: dict[str, tuple[str, Style]] = {
    "pass": ("✓", "good"), "fail": ("✗", "bad"), "error": ("✗", "bad"), "pending": ("…", "warn"), "skip": ("-", "quiet"),
}  # fmt: skip


def judged(decision: Decision) -> Iterator[Block]:
    """``flowreg gates``: what would happen."""
    yield from gate_rows(decision)
    if decision.outcome == "promote":
        yield Line.of(Span("✓ These gates let it pass.", "good"), quiet(" Nothing was recorded."))
        yield hint("Do it", f"flowreg promote {_candidate(decision)} --to {decision.alias}")
    else:
        yield Line.of(Span(f"✗ {_verdict(decision)}", "bad"), quiet(" Nothing was recorded."))
        yield from _next_steps(decision)


def blocked(decision: Decision, *, dry_run: bool) -> Iterator[Block]:
    """``flowreg promote`` where a gate stands in the way."""
    yield from gate_rows(decision)
    kept = DRY if dry_run else f" Decision {decision.id} was recorded."
    yield Line.of(Span(f"✗ {_verdict(decision)}", "bad"), f" {decision.alias} stays at {_holder(decision)}.", quiet(kept))
    yield from _next_steps(decision)


def moved(move: AliasMove, *, dry_run: bool) -> Iterator[Block]:
    """``flowreg promote`` and ``flowreg rollback``: the alias moved."""
    if move.decision is not None:
        yield from gate_rows(move.decision)
    before = f"{move.model}@{move.previous}" if move.previous is not None else "nobody"
    verb = "would be" if dry_run else "is"
    yield Line.of(
        Span("✓ ", "good"), strong(move.version.ref), f" {verb} {move.alias}", quiet(f" (before: {before})"), quiet(DRY if dry_run else "")
    )
    yield from _left_behind(move, dry_run=dry_run)
    if move.decision is not None and move.decision.override:
        yield Line.of(Span("! The gates were overridden; this shows for ever.", "warn"))
    if dry_run:
        return
    if move.how == "rollback" and move.undoes is None:
        yield hint("Take it back", f"flowreg rollback {move.model}@{move.alias} --undo --because '…'")
    elif move.how != "rollback" and move.previous is not None:
        yield hint("Undo", f"flowreg rollback {move.model}@{move.alias} --because '…'")
    yield hint("Who moved it when", f"flowreg history {move.model}")


def _left_behind(move: AliasMove, *, dry_run: bool) -> Iterator[Block]:
    """What a rollback leaves: since when it served, and whether its bytes can come back."""
    left = f"{move.model}@{move.previous}"
    if move.how != "rollback" or move.undoes is not None:
        return
    if move.served_since is not None:
        yield Line.of(f"  {left} was {move.alias} since {moment(move.served_since)}")
    if move.retired is not None:
        verb = "would be" if dry_run else "are"
        yield Line.of(f"  its bytes {verb} retired under any number: no retraining brings them back")
    elif move.kept is not None:
        yield Line.of(Span(f"! {left} was not retired: {move.kept}", "warn"))


def recorded(ref: str, decisions: Sequence[Decision], now: datetime) -> Iterator[Block]:
    """``flowreg gates --recorded``: the newest last, since it is read first in a terminal."""
    if not decisions:
        yield Line.of(f"No decision about {ref} was recorded.")
    for place, decision in enumerate(decisions):
        if place:
            yield BLANK
        yield from gate_rows(decision)
        style: Style = "good" if decision.outcome == "promote" else "bad"
        over = f"; overridden by {decision.override.by}: {decision.override.reason}" if decision.override else ""
        yield Line.of(
            Span(decision.outcome, style), f" {ago(decision.asked_at, now)} by {decision.asked_by}{over}", quiet(f"  {decision.id}")
        )


def gate_rows(decision: Decision) -> Iterator[Block]:
    """What is asked, and a row for each gate."""
    data = decision.dataset or "the newest of each metric"
    yield Line.of(
        strong(f"{_candidate(decision)} → {decision.alias}"),
        f" (now {_holder(decision)})   ",
        quiet(f"policy {decision.policy_name}   data {data}"),
    )
    rows = tuple(row for result in decision.results for row in _rows(result))
    yield Grid((Column(""), Column("", wraps=True), Column("", wraps=True), Column("", wraps=True)), rows)
    for warning in decision.warnings:
        yield Line.of(Span(f" ! {warning}", "warn"))


def _rows(result: GateResult) -> Iterator[tuple[Cell, ...]]:
    """The gate, and under it those of its parts that did not pass; a single one is in its sentence already."""
    yield (*_row(result), quiet(result.why or ""))
    failing = [part for part in result.parts if part.status not in ("pass", "skip")]
    for part in failing[:PARTS_SHOWN] if len(failing) > 1 else ():
        mark, gate, sentence = _row(part)
        yield mark, f"  {text_of(gate)}", sentence, ""
    if len(failing) > PARTS_SHOWN:
        yield "", "", quiet(f"and {len(failing) - PARTS_SHOWN} more; all with --json"), ""


def _row(result: GateResult) -> tuple[Cell, Cell, Cell]:
    mark, style = MARKS[result.status]
    if result.severity == "warn" and result.status in ("fail", "error"):
        mark, style = "!", "warn"
    return Span(f" {mark}", style), result.gate + (" (warn)" if result.severity == "warn" else ""), result.sentence


def _verdict(decision: Decision) -> str:
    failing = decision.failing()
    pending = sum(result.status == "pending" for result in failing)
    if decision.outcome == "waiting":
        return f"Waiting: {counted(pending, 'gate')} not answered yet."
    if not failing:
        return "Blocked: not one gate was measured."
    missing = f", {pending} not answered yet" if pending else ""
    return f"Blocked: {counted(len(failing) - pending, 'gate')} failed{missing}."


def _next_steps(decision: Decision) -> Iterator[Block]:
    if any("[" in result.gate for result in decision.failing()):
        yield hint("See the slices", f"flowreg show {_candidate(decision)} --slices")
    if any(result.status == "error" and result.kind in ("expression", "any_of") for result in decision.failing()):
        yield hint(
            "Record what is missing", f"flowreg evaluate {_candidate(decision)} --metric NAME=VALUE --on {decision.dataset or 'DATASET'}"
        )
    if any(result.status == "pending" for result in decision.failing()):
        yield hint("Answer", f"flowreg approve {_candidate(decision)} --to {decision.alias} --because '…'")
    if decision.base is not None:
        yield hint("Compare", f"flowreg diff {decision.model}@{decision.base.version} {_candidate(decision)}")
    yield hint("The policy", f"flowreg policy show {decision.policy_name}")


def _candidate(decision: Decision) -> str:
    return f"{decision.model}@{decision.candidate.version}"


def _holder(decision: Decision) -> str:
    return f"{decision.model}@{decision.base.version}" if decision.base else "nobody"
