"""The verb check: every fault of a registry, with its file, what it means, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ..errors import Corrupt
from .blocks import BLANK, Block, Line, Span, hint, quiet, strong
from .errors import EXIT_CODES
from .here import Here
from .options import AsJson, InHere
from .progress import Done, watched
from .words import counted, size

if TYPE_CHECKING:
    from ..check import Finding, Report
    from ..check.reading import Reading

NOTES_SHOWN = 20


def check(
    model: Annotated[str | None, Parameter(help="A model; the whole registry if left out.")] = None,
    /,
    *,
    here: InHere,
    read_data: Annotated[bool, Parameter(help="Read every byte of every blob.")] = False,
    sample: Annotated[str | None, Parameter(help="Read every byte of some blobs: 10%, or a number of them.")] = None,
    seed: Annotated[str | None, Parameter(help="Which blobs the sample has. Default: the date, so that every day has others.")] = None,
    repair: Annotated[bool, Parameter(help="Write wrong heads and checkpoints anew; journals and blobs are never touched.")] = False,
    json: AsJson = False,
) -> int:
    """Every fault of the registry. Ends with 6 where there is one."""
    from ..check.reading import EVERYTHING, NOTHING
    from ..check.reading import sample as drawn_by

    seed = None if sample is None else seed or f"{here.now:%Y-%m-%d}"
    reading = drawn_by(sample, seed=seed or "") if sample is not None else EVERYTHING if read_data else NOTHING
    report, written = _checked(here, model, reading, repair=repair)
    value = {
        "root": report.root, "ok": report.ok, "findings": report.findings, "checked": report.checked, "repaired": written,
        "seed": seed,
    }  # fmt: skip
    here.answer(value, as_json=json, drawn=lambda: _drawn(report, written, repair=repair, seed=seed))
    return 0 if report.ok else EXIT_CODES[Corrupt]


def _checked(here: Here, model: str | None, reading: Reading, *, repair: bool) -> tuple[Report, Sequence[str]]:
    """The report, and what was repaired before it."""
    from .. import check as checking

    store = here.store()

    def watching(total_bytes: int) -> AbstractContextManager[Done]:
        return watched(here.err, "reading", total_bytes)

    written = checking.repair(store, checking.check(store, model)) if repair else ()
    return checking.check(store, model, reading=reading, watching=watching), written


def _drawn(report: Report, written: Sequence[str], *, repair: bool, seed: str | None) -> Iterator[Block]:
    for path in written:
        yield Line.of(Span("✓ ", "good"), "Written anew from the journal: ", strong(path))
    if repair and not written:
        yield Line.of(quiet("Nothing was repaired: no head or checkpoint of a sound journal is wrong."))
    for finding in report.faults:
        yield from _finding(finding)
    for finding in report.notes[:NOTES_SHOWN]:
        yield from _finding(finding)
    if len(report.notes) > NOTES_SHOWN:
        yield Line.of(quiet(f"  and {counted(len(report.notes) - NOTES_SHOWN, 'note')} more; all with --json"))
    if report.findings:
        yield BLANK
    yield _verdict(report)
    if seed is not None:
        yield Line.of(quiet(f"  The blobs of this sample are drawn again with --seed {seed}"))
    if not repair and any("--repair" in finding.meaning for finding in report.findings):
        yield hint("Write heads and checkpoints anew", "flowreg check --repair")


def _finding(finding: Finding) -> Iterator[Block]:
    mark = Span("✗ fault ", "bad") if finding.severity == "fault" else Span("· note  ", "warn")
    yield Line.of(mark, strong(finding.code), f"  {finding.where}", quiet(f"  ({finding.model})" if finding.model else ""))
    yield Line.of(f"    {finding.what}")
    yield Line.of(quiet(f"    {finding.meaning}"))


def _verdict(report: Report) -> Line:
    seen = report.checked
    read = f", {size(seen.bytes_read)} of them read" if seen.bytes_read else ""
    looked = f" {counted(seen.models, 'model')}, {seen.entries} entries, {counted(seen.blobs, 'blob')}{read}."
    if report.ok:
        notes = f" ({counted(len(report.notes), 'note')})" if report.notes else ""
        return Line.of(Span(f"✓ No faults{notes}.", "good"), quiet(looked))
    return Line.of(Span(f"✗ {counted(len(report.faults), 'fault')}.", "bad"), quiet(looked))
