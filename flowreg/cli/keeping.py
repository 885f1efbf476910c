"""The verbs about what is kept: collect, hold, release."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ..errors import BadInput
from .blocks import BLANK, Block, Cell, Column, Grid, Line, Span, hint, quiet, strong
from .here import Here
from .options import AsJson, DryRun, InHere, Reason
from .words import counted, size

if TYPE_CHECKING:
    from ..collecting import Collection

ROWS_SHOWN = 30
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
Held = Annotated[str, Parameter(help="A version: churn@12; or a whole model: churn.")]


def collect(
    *,
    here: InHere,
    now: Annotated[bool, Parameter(help="Remove them. Without it nothing is written.")] = False,
    grace: Annotated[str, Parameter(help="Spare what is younger: 7d, 12h, 30m, 0s.")] = "7d",
    json: AsJson = False,
) -> int:
    """Blobs that nothing refers to, told or with --now removed."""
    done = here.registry().collect(dry_run=not now, grace=_grace(grace))
    value = {
        "root": done.root, "dry_run": done.dry_run, "dropped_bytes": done.dropped_bytes, "counts": dict(done.counts), "blobs": done.blobs,
    }  # fmt: skip
    return here.answer(value, as_json=json, drawn=lambda: _drawn(done))


def hold(ref: Held, /, *, here: InHere, because: Reason, dry_run: DryRun = False) -> int:
    """A legal hold: no retiring, no byte is removed."""
    here.registry(dry_run=dry_run).hold(ref, because=because)
    return _said(here, ref, "on hold" if not dry_run else "would be on hold", dry_run=dry_run)


def release(ref: Held, /, *, here: InHere, because: Reason, dry_run: DryRun = False) -> int:
    """A hold lifted."""
    here.registry(dry_run=dry_run).release(ref, because=because)
    return _said(here, ref, "released" if not dry_run else "would be released", dry_run=dry_run)


def _said(here: Here, ref: str, what: str, *, dry_run: bool) -> int:
    line = Line.of(strong(ref), f" {what}", quiet(" (a dry run: nothing was written)" if dry_run else ""))
    return here.answer({"ref": ref, "done": what}, as_json=False, drawn=lambda: [line])


def _grace(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    if found is None:
        raise BadInput(f"{text!r} is no length of time", where="nothing was removed", do="write 7d, 12h, 30m or 0s", code="bad-grace")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _drawn(done: Collection) -> Iterator[Block]:
    rows: list[tuple[Cell, ...]] = [
        (Span(why.partition(": ")[0], "bad" if why.startswith("dropped") else "good"), why.partition(": ")[2], str(count))
        for why, count in sorted(done.counts.items())
    ]
    if rows:
        yield Grid((Column(""), Column("why", wraps=True), Column("blobs", right=True)), tuple(rows))
        yield BLANK
    for blob in done.dropped[:ROWS_SHOWN]:
        yield Line.of(quiet("  " + blob.where), f"  {size(blob.size_bytes)}")
    if len(done.dropped) > ROWS_SHOWN:
        yield Line.of(quiet(f"  and {len(done.dropped) - ROWS_SHOWN} more; all with --json"))
    verb = "would be removed" if done.dry_run else "removed"
    told = f"{counted(len(done.dropped), 'blob')} {verb}, {size(done.dropped_bytes)}"
    yield Line.of(Span("✓ ", "good"), told, quiet(" (a dry run: nothing was written)" if done.dry_run else ""))
    if done.dry_run and done.dropped:
        yield hint("Remove them", "flowreg collect --now")
