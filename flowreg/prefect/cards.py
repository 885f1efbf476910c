"""What the Prefect artifacts say, as text and rows. Pure: nothing here talks to Prefect.

Rule 1: a card is read by somebody who sees flowreg for the first time: what it is, how good, of what, by which run, how to load it.
Rule 2: every number and name stands in it as recorded; what people wrote is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.decision import Decision, GateResult
from ..core.events import Dataset, Run
from ..core.pages import artifact_page, deployment_page, flow_run_page
from ..core.views import Evaluation, HistoryLine, Version
from ..lineage.masking import without_credentials
from .keys import HISTORY, artifact_key
from .markdown import cell, code, escaped, link, table

ROWS_LIMIT = 50
METRICS_IN_LINE = 3
FILES = "files"  # no format: the version is fetched, not loaded
RUN_CODE = frozenset({"pickle", "joblib"})


def version_card(version: Version, *, root: str, beside: str | None = None) -> str:
    """The card of a version, in Markdown. ``beside`` is the page of the run that shows it."""
    sections = [
        _title(version),
        _facts(version, root, beside),
        _metrics(version.evaluations),
        _named("Parameters", version.params),
        _named("Labels", version.labels),
        _data(version.data),
        _loading(version, root),
    ]
    return "\n\n".join("\n".join(section) for section in sections if section)


def gate_rows(decision: Decision) -> list[dict[str, str]]:
    """One row for each gate: its text, what became of it, the sentence that says so."""
    return [_gate_row(result) for result in decision.results]


def gate_summary(decision: Decision) -> str:
    """One line over the gate table, in Markdown; the decision's warnings are in it."""
    candidate = f"{decision.model}@{decision.candidate.version}"
    holder = f"{decision.model}@{decision.base.version}" if decision.base else "nobody"
    outcome = "overridden" if decision.override else {"promote": "passed"}.get(decision.outcome, decision.outcome)
    said = f"**{outcome}**: {escaped(candidate)} as {escaped(decision.alias)}, held by {escaped(holder)} until then"
    policy = f"policy {code(decision.policy_name)}"
    reason = f", because {escaped(decision.override.reason)}" if decision.override else ""
    warnings = "".join(f". Note: {escaped(warning)}" for warning in decision.warnings)
    return f"{said} ({policy}){reason}{warnings}"


def version_line(version: Version) -> str:
    """One line over a version card, in Markdown: how good it is, and who registered it."""
    measured = [f"{escaped(name)} {number(value)}" for name, value in _few(version.metrics)]
    said = ", ".join([*measured, f"registered by {escaped(version.by.actor)}"])
    return f"**{escaped(version.ref)}**: {said}"


def history_page(model: str, versions: Iterable[Version], lines: Iterable[HistoryLine], *, root: str, beside: str | None = None) -> str:
    """A model's page, in Markdown: who holds which alias, and what happened, the newest first, with a way to each run."""
    rows = [_happened(line, beside) for line in _of_interest(list(lines))[::-1]]
    sections = [
        [f"# {escaped(model)}", "", f"In the registry {code(root)}; all of it: {code(f'flowreg --root {root} history {model}')}"],
        _holders(versions),
        ["## What happened", "", *_table(["when", "what", "by", "because"], rows)],
    ]
    return "\n\n".join("\n".join(section) for section in sections if section)


def last_line(model: str, lines: Iterable[HistoryLine]) -> str:
    """One line over a model's page, in Markdown: what happened last to an alias, and else to the model."""
    told = list(lines)
    last = next((line for line in reversed(told) if line.kind == "alias_moved"), told[-1] if told else None)
    if last is None:
        return escaped(model)
    because = f", because {escaped(_short(last.because))}" if last.because else ""
    return f"**{escaped(last.what)}**{because} ({escaped(model)})"


def _holders(versions: Iterable[Version]) -> list[str]:
    rows = [
        [
            escaped(alias),
            str(version.number),
            ", ".join(f"{escaped(n)} {number(v)}" for n, v in _few(version.metrics)),
            _run(version.run),
        ]
        for version in versions
        for alias in version.aliases
    ]
    return ["## Now", "", *_table(["alias", "version", "metrics", "made by"], sorted(rows))] if rows else []


def _of_interest(lines: list[HistoryLine]) -> list[HistoryLine]:
    """Without measurements, and without a decision that a move of the same decision follows: the page is about who serves."""
    acted_on = {line.decision for line in lines if line.kind == "alias_moved"} - {None}
    return [line for line in lines if line.kind != "evaluated" and not (line.kind == "decided" and line.decision in acted_on)]


def _happened(line: HistoryLine, beside: str | None) -> list[str]:
    """What happened, when (a way to the run that did it), who and why."""
    when = link(_minute(line.at), flow_run_page(beside, line.by.flow_run if line.by else None))
    return [when, escaped(line.what), escaped(line.by.actor if line.by else ""), escaped(_short(line.because or line.void or ""))]


def _minute(at: str) -> str:
    """``2026-11-27 20:13``, of a time in UTC."""
    return at[:16].replace("T", " ")


def _few(metrics: Mapping[str, float]) -> list[tuple[str, float]]:
    return list(metrics.items())[:METRICS_IN_LINE]


def _title(version: Version) -> list[str]:
    said = f"Registered {version.registered_at} by {escaped(version.by.actor)}"
    because = f": {escaped(version.because)}" if version.because else ""
    retired = [f"**Retired:** {escaped(version.retired)}"] if version.retired else []
    return [f"# {escaped(version.ref)}", "", f"{said}{because}", *retired]


def _facts(version: Version, root: str, beside: str | None) -> list[str]:
    page = artifact_page(beside or (version.run.url if version.run else None), artifact_key(version.model, HISTORY))
    facts = {
        "digest": code(f"{version.digest[:23]}…"),  # all of it is wider than the page
        "aliases": escaped(", ".join(version.aliases)),
        "format": escaped(version.loader),
        "size": f"{version.size_bytes:,} bytes in {version.file_count} file{'' if version.file_count == 1 else 's'}",
        "registry": code(root),
        "run": _run(version.run),
        "deployment": _deployment(version.run),
        "code": _code(version.run),
        "made from": ", ".join(code(f"{parent.model}@{parent.version}") for parent in version.parents),
        "history": link("all promotions", page) if page else "",
    }
    return table(["version", code(version.stamp)], ([name, said] for name, said in facts.items() if said))


def _run(run: Run | None) -> str:
    if run is None or not (run.flow_run or run.task_run):
        return ""
    named = link(run.flow_run_name or run.flow_run or run.task_run_name or run.task_run, run.url)
    flow = f" of {escaped(run.flow)}" if run.flow else ""
    started = f", started by {escaped(run.started_by)}" if run.started_by else ""
    return f"{named}{flow}{started}"


def _deployment(run: Run | None) -> str:
    named = (run.deployment or run.deployment_id) if run else None
    return link(named, deployment_page(run)) if named else ""


def _code(run: Run | None) -> str:
    git = run.git if run else None
    if git is None or not git.commit:
        return ""
    where = f" of {escaped(git.remote)}" if git.remote else ""
    dirty = ", with uncommitted changes" if git.dirty else ""
    return f"commit {code(git.commit[:12])}{where}{dirty}"


def _metrics(evaluations: tuple[Evaluation, ...]) -> list[str]:
    rows = [
        [escaped(name), number(value), escaped(e.dataset or ""), "" if e.n is None else str(e.n)]
        for e in evaluations
        for name, value in sorted(e.metrics.items())
    ]
    return ["## Metrics", "", *_table(["metric", "value", "measured on", "examples"], rows)] if rows else []


def _named(title: str, values: Mapping[str, Any]) -> list[str]:
    rows = [[escaped(name), code(_short(value))] for name, value in sorted(values.items())]
    return [f"## {title}", "", *_table(["name", "value"], rows)] if rows else []


def _data(data: tuple[Dataset, ...]) -> list[str]:
    rows = [
        [
            escaped(d.role or ""),
            escaped(_place(d)),
            code(d.digest[:19]) if d.digest else "",
            "" if d.rows is None else str(d.rows),
        ]
        for d in data
    ]
    return ["## Data", "", *_table(["role", "dataset", "digest", "rows"], rows)] if rows else []


def _place(data: Dataset) -> str:
    return without_credentials(data.uri) if data.uri and "://" in data.uri else data.uri or data.name or ""


def _loading(version: Version, root: str) -> list[str]:
    """How to get it, as lines that can be pasted."""
    trust = ", trust=True)  # runs code of its author" if version.loader in RUN_CODE else ")"
    get = (
        f"folder = registry.fetch({version.ref!r}, into='model')"
        if version.loader == FILES
        else f"model = registry.load({version.ref!r}{trust}"
    )
    lines = [f"# {version.digest}", "from flowreg import Registry", "", f"registry = Registry({root!r})", get]
    return ["## Load it", "", "```python", *lines, "```"]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    more = [f"… and {len(rows) - ROWS_LIMIT} more"] if len(rows) > ROWS_LIMIT else []
    return [*table(head, rows[:ROWS_LIMIT]), *(["", *more] if more else [])]


def number(value: float) -> str:
    """A number with six digits, as many as a person compares."""
    return f"{value:.6g}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 100 else f"{text[:99]}…"


def _gate_row(result: GateResult) -> dict[str, str]:
    warns = " (only warns)" if result.severity == "warn" and result.status not in ("pass", "skip") else ""
    return {
        "gate": cell(result.gate),
        "status": f"{result.status}{warns}",
        "what was found": cell(result.sentence),
        "why": cell(result.why or ""),
    }
