"""Models, versions, history and differences as tables. Pure: views and the present moment in, blocks out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .blocks import NOTHING, Block, Cell, Column, Grid, Line, Span, hint, quiet, strong
from .words import ago, apart, counted, number, pairs

if TYPE_CHECKING:
    from ..core.views import Difference, HistoryLine, ModelLine, Version

FIRST_ALIASES = ("champion", "challenger")
ALIAS_COLUMNS = 4  # more aliases than this share one column
METRIC_COLUMNS = 4


def models(
    lines: Sequence[ModelLine], root: str, now: datetime, metrics: Sequence[str], newest: Mapping[str, Mapping[str, float]]
) -> Iterator[Block]:
    """``flowreg ls``"""
    if not lines:
        yield Line.of(f"No models in {root}")
        yield hint("Register the first", "flowreg register model.pkl --model churn")
        return
    aliases = _ordered({name for line in lines for name in line.aliases})
    together = len(aliases) > ALIAS_COLUMNS
    columns = [Column("model"), Column("newest", right=True)]
    columns += [Column("aliases", wraps=True)] if together else [Column(name, right=True) for name in aliases]
    columns += [*(Column(name, right=True) for name in metrics), Column("registered", right=True), Column("by", wraps=True)]
    rows = []
    for line in lines:
        held: list[Cell] = [str(line.aliases[name]) if name in line.aliases else NOTHING for name in aliases]
        if together:
            held = [", ".join(f"{name} {line.aliases[name]}" for name in aliases if name in line.aliases) or NOTHING]
        measured = [_metric(newest.get(line.model, {}), name) for name in metrics]
        if line.broken:
            rows.append((Span(line.model, "name"), NOTHING, *held, *measured, Span("damaged: flowreg check", "bad"), ""))
            continue
        rows.append((Span(line.model, "name"), str(line.newest), *held, *measured, quiet(ago(line.registered_at, now)), line.by))
    yield Grid(tuple(columns), tuple(rows))


def versions(model: str, found: Sequence[Version], now: datetime, last: int) -> Iterator[Block]:
    """``flowreg show MODEL``: the newest first."""
    shown = list(reversed(found))[: last or None]
    held = {alias: version.number for version in found for alias in version.aliases}
    said = ", ".join(f"{alias} is {model}@{held[alias]}" for alias in _ordered(held)) or "no alias yet"
    yield Line.of(Span(model, "name"), f"  {counted(len(found), 'version')}; {said}")
    metrics = _main_metrics(shown)
    columns = [Column("version", right=True), Column("aliases"), *(Column(name, right=True) for name in metrics)]
    columns += [Column("labels", wraps=True)] if any(v.labels for v in shown) else []
    columns += [Column("registered", right=True), Column("by"), *([Column("run", wraps=True)] if any(map(run_name, shown)) else [])]
    rows = []
    for version in shown:
        row: list[Cell] = [strong(str(version.number)), _standing(version), *(_metric(version.metrics, name) for name in metrics)]
        row += [pairs(version.labels)] if any(v.labels for v in shown) else []
        row += [quiet(ago(version.registered_at, now)), version.by.actor]
        row += [run_name(version)] if any(map(run_name, shown)) else []
        rows.append(tuple(row))
    yield Grid(tuple(columns), tuple(rows))
    yield from _older(len(found) - len(shown), len(found))
    if shown:
        yield hint("All about one", f"flowreg show {shown[0].ref}")


def history(model: str, lines: Sequence[HistoryLine], now: datetime, last: int) -> Iterator[Block]:
    """``flowreg history``: the newest first."""
    shown = list(reversed(lines))[: last or None]
    columns = Column("#", right=True), Column("when", right=True), Column("who"), Column("what", wraps=True), Column("because", wraps=True)
    rows = [(quiet(str(line.seq)), quiet(ago(line.at, now)), _actor(line), *_happened(line)) for line in shown]
    yield Grid(columns, tuple(rows))
    yield from _older(len(lines) - len(shown), len(lines))


def difference(found: Difference) -> Iterator[Block]:
    """``flowreg diff``"""
    if not found.sections:
        yield Line.of(f"{found.before} and {found.after} are the same in metrics, params, labels, files, data and code")
        return
    rows: list[tuple[Cell, ...]] = []
    for section, changes in found.sections.items():
        for name, (before, after) in changes.items():
            a, b = apart(_short(section, before), _short(section, after))
            rows.append((quiet(section), strong(name), _value(a), _value(b), _change(section, before, after)))
    columns = (
        Column("in"),
        Column("what", wraps=True),
        Column(found.before, wraps=True),
        Column(found.after, wraps=True),
        Column("change", right=True),
    )
    yield Grid(columns, tuple(rows))


def run_name(version: Version) -> str:
    """``train-churn/amber-fox``, or what there is of it."""
    run = version.run
    named = (run.flow, run.flow_run_name or (run.flow_run or "")[:8]) if run else ()
    return "/".join(filter(None, named))


def standing(version: Version) -> str:
    """Its aliases, and whether it was retired."""
    said = {"retired": version.retired, "bytes dropped": version.dropped, "on hold": version.held}
    return ", ".join([*_ordered(version.aliases), *(word for word, stamp in said.items() if stamp is not None)])


def _standing(version: Version) -> Cell:
    text = standing(version)
    return Span(text, "bad" if version.retired is not None else "good") if text else NOTHING


def _ordered(aliases: Any) -> list[str]:
    return [*(a for a in FIRST_ALIASES if a in aliases), *sorted(a for a in aliases if a not in FIRST_ALIASES)]


def _main_metrics(found: Sequence[Version]) -> list[str]:
    """The metrics that most versions have; of equals those that were named first."""
    seen: dict[str, int] = {}
    for version in found:
        for name in version.metrics:
            seen[name] = seen.get(name, 0) + 1
    return sorted(seen, key=lambda name: -seen[name])[:METRIC_COLUMNS]


def _metric(metrics: Mapping[str, float], name: str) -> Cell:
    return number(metrics[name]) if name in metrics else NOTHING


def _actor(line: HistoryLine) -> str:
    return line.by.actor if line.by else "?"


def _happened(line: HistoryLine) -> tuple[Cell, Cell]:
    if line.void is not None:
        return Span(f"{line.what}: {line.void}", "bad"), ""
    styled = {"alias_moved": Span(line.what, "strong"), "retired": Span(line.what, "warn")}
    return styled.get(line.kind, line.what), line.because or ""


def _older(left: int, all_of_them: int) -> Iterator[Block]:
    if left:
        yield Line.of(quiet(f"  {left} older not shown; all {all_of_them} with --last 0"))


def _short(section: str, value: Any) -> Any:
    is_digest = isinstance(value, str) and value.startswith(("sha256:", "frame-sha256:", "files-sha256:"))
    return f"{value[:19]}…" if is_digest else value[:12] if section == "code" and isinstance(value, str) else value


def _value(text: str) -> Cell:
    return NOTHING if text == "-" else text


def _change(section: str, before: Any, after: Any) -> Cell:
    if before is None or after is None:
        return quiet("new" if before is None else "gone")
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (before, after))
    return f"{after - before:+.4g}" if numbers and section in ("metrics", "params") else ""
