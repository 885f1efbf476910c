"""All about one version: what it is, what was measured, where it comes from, its files. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..core.pages import deployment_page
from .blocks import BLANK, NOTHING, Block, Cell, Column, Grid, Line, Span, facts, hint, quiet, strong
from .tables import run_name, standing
from .words import ago, anything, counted, digest, moment, number, pairs, size

if TYPE_CHECKING:
    from ..core.events import Dataset, Environment, Run
    from ..core.views import Evaluation, Version

FILES_SHOWN = 20


def version(
    found: Version, files: Mapping[str, str], slices: Sequence[Sequence[Mapping[str, Any]]], now: datetime
) -> Iterator[Block]:  # fmt: skip
    """``flowreg show REF``"""
    style: Any = "bad" if found.retired is not None else "good"
    yield Line.of(Span(found.ref, "name"), "  ", Span(standing(found), style))
    yield _what_it_is(found, now)
    yield from _measured(found.evaluations, now)
    yield from _by_slice(found.evaluations, slices)
    yield from _lineage(found)
    yield from _files(files)
    if found.evaluations and not any(slices) and any(e.table for e in found.evaluations):
        yield BLANK
        yield hint("Values by slice", f"flowreg show {found.ref} --slices")


def _what_it_is(found: Version, now: datetime) -> Block:
    return facts(
        [
            ("digest", found.digest),
            ("registered", f"{ago(found.registered_at, now)} ({moment(found.registered_at)}) by {found.by.actor}"),
            ("because", found.because or ""),
            ("retired", found.retired or ""),
            ("bytes dropped", found.dropped or ""),
            ("on hold", found.held or ""),
            ("format", f"{found.loader}, {size(found.size_bytes)} in {counted(found.file_count, 'file')}"),
            ("labels", pairs(found.labels)),
            ("params", pairs(found.params)),
            ("key", found.key or ""),
            ("signature", anything(found.signature) if found.signature else ""),
            ("card", digest(found.card)),
        ]
    )


def _measured(evaluations: Sequence[Evaluation], now: datetime) -> Iterator[Block]:
    if not evaluations:
        return
    yield from _section("measured")
    rows: list[tuple[Cell, ...]] = []
    for said in evaluations:
        count = NOTHING if said.n is None else str(said.n)
        when, who = quiet(ago(said.recorded_at, now)), said.by.actor
        dataset = said.dataset or "-"
        for place, (name, value) in enumerate(said.metrics.items()):
            rows.append((f"  {dataset}" if not place else "", name, _measure(value), *((count, when, who) if not place else ("", "", ""))))
    columns = (
        Column("  on"),
        Column("metric"),
        Column("value", right=True),
        Column("n", right=True),
        Column("recorded", right=True),
        Column("by"),
    )
    yield Grid(columns, tuple(rows))


def _by_slice(evaluations: Sequence[Evaluation], slices: Sequence[Sequence[Mapping[str, Any]]]) -> Iterator[Block]:
    rows: list[tuple[Cell, ...]] = []
    for said, found in zip(evaluations, slices, strict=True):
        for row in found:
            where = ",".join(f"{name}={value}" for name, value in row["slice"].items())
            count = NOTHING if row["n"] is None else str(row["n"])
            rows.append((f"  {said.dataset or '-'}", where, row["metric"], _measure(row["value"]), count))
    if rows:
        yield from _section("by slice")
        yield Grid((Column("  on"), Column("slice"), Column("metric"), Column("value", right=True), Column("n", right=True)), tuple(rows))


def _lineage(found: Version) -> Iterator[Block]:
    rows: list[tuple[str, Cell]] = list(_run(found, found.run)) if found.run is not None else []
    rows += [("data", _dataset(data)) for data in found.data]
    rows += [("parent", f"{parent.model}@{parent.version} {digest(parent.manifest)}") for parent in found.parents]
    rows += [("not known", Span(warning, "warn")) for warning in (found.run.warnings if found.run else ())]
    if rows:
        yield from _section("comes from")
        yield facts(rows)


def _run(found: Version, run: Run) -> Iterator[tuple[str, Cell]]:
    yield "run", " ".join(filter(None, (run_name(found), run.url)))
    yield "deployment", " ".join(filter(None, (run.deployment, deployment_page(run))))
    yield "started by", run.started_by or ""
    yield "parameters", pairs(run.parameters)
    yield "seeds", pairs(run.seeds)
    if (git := run.git) is not None:
        dirty = ", with changes that are not committed" if git.dirty else ""
        where = " ".join(filter(None, (f"on {git.branch}" if git.branch else "", f"of {git.remote}" if git.remote else "")))
        yield "code", Span(f"{(git.commit or 'no commit')[:12]} {where}".rstrip() + dirty, "warn" if dirty else "")
        yield "changes", digest(git.diff)
    yield "entrypoint", run.entrypoint or ""
    yield "image", " ".join(filter(None, (run.image, "" if run.image and "@" in run.image else run.image_digest)))
    if (environment := run.environment) is not None:
        named = filter(None, (f"Python {environment.python}" if environment.python else "", environment.platform))
        yield "environment", ", ".join([*named, *([f"packages {digest(environment.packages)}"] if environment.packages else [])])
        yield "lockfile", f"{environment.lockfile.path} {digest(environment.lockfile.digest)}" if environment.lockfile else ""
        yield "computed on", _hardware(environment)


def _hardware(environment: Environment) -> str:
    memory = size(environment.memory_bytes) if environment.memory_bytes else ""
    cores = counted(environment.cpu_count, "core") if environment.cpu_count else ""
    return ", ".join(filter(None, (environment.cpu, cores, memory, *environment.accelerators)))


def _dataset(data: Dataset) -> str:
    named = data.name if data.name and data.name not in (data.uri or "") else ""
    rows = counted(data.rows, "row") if data.rows is not None else ""
    return " ".join(filter(None, (named, data.uri, f"({data.role})" if data.role else "", rows, digest(data.digest))))


def _files(files: Mapping[str, str]) -> Iterator[Block]:
    yield from _section("files")
    listed = list(files.items())[:FILES_SHOWN]
    yield Grid((Column(""), Column("")), tuple((f"  {path}", quiet(digest(of))) for path, of in listed))
    if len(files) > FILES_SHOWN:
        yield Line.of(quiet(f"  and {len(files) - FILES_SHOWN} more; all with --json"))


def _measure(value: float) -> Cell:
    text = number(value)
    return Span(text, "bad") if text.lstrip("-") in ("nan", "inf") else text


def _section(title: str) -> Iterator[Block]:
    yield BLANK
    yield Line.of(strong(title))
