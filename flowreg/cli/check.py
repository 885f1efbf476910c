"""The verb check: every fault of a registry, with its file, what it means, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ..errors import Corrupt
from .blocks import BLANK, Block, Line, Span, hint, quiet, strong
from .errors import EXIT_CODES
from .here import Here
from .options import AsJson, InHere
from .words import counted, size

if TYPE_CHECKING:
    from ..check import Finding, Report

NOTES_SHOWN = 20


def check(
    model: Annotated[str | None, Parameter(help="A model; the whole registry if left out.")] = None,
    /,
    *,
    here: InHere,
    read_data: Annotated[bool, Parameter(help="Read every byte of every blob.")] = False,
    repair: Annotated[bool, Parameter(help="Write wrong heads and checkpoints anew; journals and blobs are never touched.")] = False,
    json: AsJson = False,
) -> int:
    """Every fault of the registry. Ends with 6 where there is one."""
    report, written = _checked(here, model, read_data=read_data, repair=repair)
    value = {"root": report.root, "ok": report.ok, "findings": report.findings, "checked": report.checked, "repaired": written}
    here.answer(value, as_json=json, drawn=lambda: _drawn(report, written, repair=repair))
    return 0 if report.ok else EXIT_CODES[Corrupt]


def _checked(here: Here, model: str | None, *, read_data: bool, repair: bool) -> tuple[Report, Sequence[str]]:
    """The report, and what was repaired before it."""
    from .. import check as checking
    from ..root import default_root
    from ..storage.store import open_store

    store = open_store(here.root if here.root is not None else default_root())
    report = checking.check(store, model, read_data=read_data and not repair)
    written = checking.repair(store, report) if repair else ()
    if repair:
        report = checking.check(store, model, read_data=read_data)
    return report, written


def _drawn(report: Report, written: Sequence[str], *, repair: bool) -> Iterator[Block]:
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
