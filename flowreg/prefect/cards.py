"""What the Prefect artifacts say, as text and rows. Pure: nothing here talks to Prefect.

Rule 1: a card is read by somebody who sees flowreg for the first time: what it is, how good, of what, by which run, how to load it.
Rule 2: every number and name stands in it as recorded; what people wrote is escaped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..core.decision import Decision, GateResult
from ..core.events import Dataset, Run
from ..core.views import Evaluation, HistoryLine, Version
from .markdown import cell, code, escaped, table

ROWS_LIMIT = 50
FILES = "files"  # no format: the version is fetched, not loaded
RUN_CODE = frozenset({"pickle", "joblib"})

_NO_KEY = re.compile(r"[^a-z0-9]+")


def artifact_key(model: str, what: str = "") -> str:
    """``flowreg-risk-churn`` for the model ``risk/churn``: Prefect allows small letters, digits and dashes.

    Names that differ only in punctuation share a key, and with it a page; the text names the model. What is left of a name
    that is not ASCII gets some digits of its digest.
    """
    slug = _NO_KEY.sub("-", model.lower()).strip("-")
    if not model.isascii():
        slug = "-".join(filter(None, [slug, hashlib.sha256(model.encode()).hexdigest()[:8]]))
    return "-".join(filter(None, ["flowreg", slug, what]))


def version_card(version: Version, *, root: str) -> str:
    """The card of a version, in Markdown."""
    sections = [
        _title(version),
        _facts(version, root),
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


def history_rows(lines: Iterable[HistoryLine]) -> list[dict[str, str]]:
    """What happened to a model, the newest first."""
    newest = list(lines)[::-1][:ROWS_LIMIT]
    return [
        {
            "when": line.at,
            "what": cell(line.what),
            "by": cell(line.by.actor if line.by else ""),
            "because": cell(line.because or line.void or ""),
        }
        for line in newest
    ]


def _title(version: Version) -> list[str]:
    said = f"Registered {version.registered_at} by {escaped(version.by.actor)}"
    because = f": {escaped(version.because)}" if version.because else ""
    retired = [f"**Retired:** {escaped(version.retired)}"] if version.retired else []
    return [f"# {escaped(version.ref)}", "", f"{said}{because}", *retired]


def _facts(version: Version, root: str) -> list[str]:
    facts = {
        "digest": code(version.digest),
        "aliases": escaped(", ".join(version.aliases)),
        "format": escaped(version.loader),
        "size": f"{version.size_bytes:,} bytes in {version.file_count} file{'' if version.file_count == 1 else 's'}",
        "registry": code(root),
        "run": _run(version.run),
        "code": _code(version.run),
        "made from": ", ".join(code(f"{parent.model}@{parent.version}") for parent in version.parents),
    }
    return table(["", ""], ([name, said] for name, said in facts.items() if said))


def _run(run: Run | None) -> str:
    if run is None or not (run.flow_run or run.task_run):
        return ""
    name = escaped(run.flow_run_name or run.flow_run or run.task_run_name or run.task_run)
    named = f"[{name}]({run.url})" if run.url and "://" in run.url else name
    flow = f" of {escaped(run.flow)}" if run.flow else ""
    deployment = f", deployment {escaped(run.deployment)}" if run.deployment else ""
    started = f", started by {escaped(run.started_by)}" if run.started_by else ""
    return f"{named}{flow}{deployment}{started}"


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
            escaped(d.uri or d.name or ""),
            code(d.digest[:19]) if d.digest else "",
            "" if d.rows is None else str(d.rows),
        ]
        for d in data
    ]
    return ["## Data", "", *_table(["role", "dataset", "digest", "rows"], rows)] if rows else []


def _loading(version: Version, root: str) -> list[str]:
    """How to get it, as lines that can be pasted."""
    trust = ", trust=True)  # runs code of its author" if version.loader in RUN_CODE else ")"
    get = (
        f"folder = registry.fetch({version.ref!r}, into='model')"
        if version.loader == FILES
        else f"model = registry.load({version.ref!r}{trust}"
    )
    lines = ["from flowreg import Registry", "", f"registry = Registry({root!r})", get]
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
