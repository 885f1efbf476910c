"""``flowreg evidence`` and ``flowreg inventory``: for those who answer for models, and those who ask them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from .blocks import NOTHING, Block, Cell, Column, Grid, Line, Span, hint, quiet, strong
from .options import AsJson, AsOf, InHere, Ref
from .words import ago, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ..inventory import InventoryLine


def evidence(
    ref: Ref,
    /,
    *,
    here: InHere,
    into: Annotated[Path, Parameter(help="A folder that does not exist yet, or an empty one.")],
    with_files: Annotated[bool, Parameter(negative=(), help="Put the artifact itself into it, too.")] = False,
    json: AsJson = False,
    as_of: AsOf = None,
) -> int:
    """A bundle of evidence in a new folder."""
    from hashlib import sha256

    folder = here.registry().evidence(ref, into, as_of=as_of, with_files=with_files)
    digest = f"sha256:{sha256((folder / 'bundle.json').read_bytes()).hexdigest()}"
    files = sum(1 for path in folder.rglob("*") if path.is_file())
    value = {"ref": ref, "into": str(folder), "digest": digest, "files": files}

    def drawn() -> Iterator[Block]:
        yield Line.of(Span("✓ ", "good"), "the evidence for ", strong(ref), f" is in {folder}", quiet(f" ({counted(files, 'file')})"))
        yield hint("Note its digest elsewhere", digest)
        yield hint("Read it", str(folder / "report.html"))
        yield hint("Check it", f"python3 {folder / 'verify.py'}")

    return here.answer(value, as_json=json, drawn=drawn)


def inventory(
    *,
    here: InHere,
    alias: Annotated[str, Parameter(help="Whose holder it is about.")] = "champion",
    csv: Annotated[bool, Parameter(name="--csv", negative=(), help="Print CSV, for spreadsheets.")] = False,
    json: AsJson = False,
    as_of: AsOf = None,
) -> int:
    """Every model, for those who answer for them."""
    lines = here.registry().inventory(alias=alias, as_of=as_of)
    if csv:
        from ..inventory import as_csv

        here.out.write(as_csv(lines))
        return 0
    return here.answer(lines, as_json=json, drawn=lambda: _table(lines, alias, here.now))


def _table(lines: Sequence[InventoryLine], alias: str, now: datetime) -> Iterator[Block]:
    if not lines:
        yield Line.of(quiet("there is no model yet"))
        return
    rows = tuple(_row(line, now) for line in lines)
    names = ("model", "owner", "purpose", alias, "since", "by", "evidence", "approved by", "review by")
    yield Grid(tuple(Column(name) for name in names), rows)


def _row(line: InventoryLine, now: datetime) -> tuple[Cell, ...]:
    if line.broken:
        return (strong(line.model), "", "", Span(line.broken, "bad"), "", "", "", "", "")
    review: Cell = NOTHING if line.review_by is None else Span(f"{line.review_by} overdue", "bad") if line.overdue else line.review_by
    evidence = line.evidence or ""
    shown: Cell = Span(evidence, "warn") if evidence.startswith(("OVERRIDE", "no gates")) else evidence
    if line.version is None:
        return (strong(line.model), line.owner or NOTHING, line.purpose or NOTHING, NOTHING, "", "", "", "", review)
    return (
        strong(line.model), line.owner or NOTHING, line.purpose or NOTHING, str(line.version), ago(line.since or "", now),
        line.promoted_by or "", shown, line.approved_by or NOTHING, review,
    )  # fmt: skip
