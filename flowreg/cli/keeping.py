"""The verbs about what is kept: collect, hold, release."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ..errors import BadInput, Unavailable
from .blocks import BLANK, Block, Cell, Column, Grid, Line, Span, hint, quiet, strong
from .errors import EXIT_CODES
from .here import Here
from .options import AsJson, DryRun, InHere, Reason
from .words import counted, size

if TYPE_CHECKING:
    from ..collected import Collection

ROWS_SHOWN = 30
GRACE = "7d"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
Held = Annotated[str, Parameter(help="A version: churn@12; or a whole model: churn.")]


def collect(
    *,
    here: InHere,
    now: Annotated[bool, Parameter(help="Remove them. Without it nothing is written.")] = False,
    grace: Annotated[str, Parameter(help="Spare what is younger: 7d, 12h, 30m, 0s.")] = GRACE,
    retired: Annotated[bool, Parameter(help="Drop the files of versions retired longer ago than the grace, too.")] = False,
    json: AsJson = False,
) -> int:
    """Blobs that nothing refers to, told or with --now removed. Ends with 7 where the storage did not remove one."""
    asked = (f" --grace {grace}" if grace != GRACE else "") + (" --retired" if retired else "")
    done = here.registry().collect(dry_run=not now, grace=_grace(grace), retired=retired)
    value = {
        "root": done.root, "dry_run": done.dry_run, "dropped_bytes": done.dropped_bytes, "counts": dict(done.counts), "blobs": done.blobs,
        "leftovers": done.leftovers, "versions": done.versions, "unseen": done.unseen,
    }  # fmt: skip
    here.answer(value, as_json=json, drawn=lambda: _drawn(done, asked))
    return EXIT_CODES[Unavailable] if done.stuck else 0


def hold(ref: Held, /, *, here: InHere, because: Reason, dry_run: DryRun = False, json: AsJson = False) -> int:
    """A legal hold: no retiring, no byte is removed."""
    here.registry(dry_run=dry_run).hold(ref, because=because)
    return _said(here, ref, "on hold" if not dry_run else "would be on hold", dry_run=dry_run, as_json=json)


def release(ref: Held, /, *, here: InHere, because: Reason, dry_run: DryRun = False, json: AsJson = False) -> int:
    """A hold lifted."""
    here.registry(dry_run=dry_run).release(ref, because=because)
    return _said(here, ref, "released" if not dry_run else "would be released", dry_run=dry_run, as_json=json)


def _said(here: Here, ref: str, what: str, *, dry_run: bool, as_json: bool) -> int:
    line = Line.of(strong(ref), f" {what}" if dry_run else f" is {what}", quiet(" (a dry run: nothing was written)" if dry_run else ""))
    return here.answer({"ref": ref, "done": what, "dry_run": dry_run}, as_json=as_json, drawn=lambda: [line])


def _grace(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    if found is None:
        raise BadInput(f"{text!r} is no length of time", where="nothing was removed", do="write 7d, 12h, 30m or 0s", code="bad-grace")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _drawn(done: Collection, asked: str) -> Iterator[Block]:
    rows: list[tuple[Cell, ...]] = [
        (_fate(why.partition(": ")[0], done), why.partition(": ")[2], str(count)) for why, count in sorted(done.counts.items())
    ]
    if rows:
        yield Grid((Column(""), Column("why", wraps=True), Column("blobs", right=True)), tuple(rows))
        yield BLANK
    yield from _beside(done)
    going = [blob for blob in done.blobs if blob.fate != "kept"]
    for blob in going[:ROWS_SHOWN]:
        yield Line.of(quiet("  " + blob.where), f"  {size(blob.size_bytes)}", quiet("" if blob.fate == "dropped" else f"  {blob.reason}"))
    if len(going) > ROWS_SHOWN:
        yield Line.of(quiet(f"  and {len(going) - ROWS_SHOWN} more; all with --json"))
    yield from (Line.of(Span(f"! {unseen}", "warn")) for unseen in done.unseen)
    yield from _summed_up(done, asked)


def _beside(done: Collection) -> Iterator[Block]:
    """The retired versions that were asked for, and what uploads left."""
    rows: list[tuple[Cell, ...]] = [(one.ref, _fate(one.fate, done), one.reason, "") for one in done.versions[:ROWS_SHOWN]]
    for one in done.leftovers[:ROWS_SHOWN]:
        rows.append((one.where, _fate(one.fate, done), one.reason, quiet("unknown") if one.size_bytes is None else size(one.size_bytes)))
    if rows:
        yield Grid((Column(""), Column(""), Column("why", wraps=True), Column("size", right=True)), tuple(rows))
    if left := max(len(done.versions) - ROWS_SHOWN, 0) + max(len(done.leftovers) - ROWS_SHOWN, 0):
        yield Line.of(quiet(f"  and {left} more; all with --json"))
    if rows:
        yield BLANK


def _summed_up(done: Collection, asked: str) -> Iterator[Block]:
    beside = sum(one.fate == "dropped" for one in done.leftovers)
    more = f", and {counted(beside, 'leftover')} of uploads" if beside else ""
    told = f"{counted(len(done.dropped), 'blob')} {'would be removed' if done.dry_run else 'removed'}, {size(done.dropped_bytes)}{more}"
    yield Line.of(Span("✓ ", "good"), told, quiet(" (a dry run: nothing was written)" if done.dry_run else ""))
    if done.stuck:
        yield Line.of(Span("✗ ", "bad"), f"{len(done.stuck)} could not be removed; the next collection tries again")
    if done.dry_run and (done.dropped or beside or any(one.fate == "dropped" for one in done.versions)):
        yield hint("Remove them", f"flowreg collect --now{asked}")


def _fate(fate: str, done: Collection) -> Span:
    if fate == "kept":
        return Span(fate, "good")
    return Span("would go" if done.dry_run else fate, "bad")
