"""A model card in Markdown: what people wrote, and round it what the journal knows.

Rule 1: what people wrote stands first and as they wrote it; nothing known replaces a section of theirs.
Rule 2: a template is text with places ``$name`` (``string.Template``); there is no code in it. Its places are those of ``facts``.
Rule 3: what was recorded is quoted so that Markdown shows it as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from string import Template
from typing import Any

from ..core.cards import parts, slug, split
from ..core.names import shown
from ..errors import BadInput
from .names import dataset_name
from .told import Told

TEMPLATE = """$front$title

$written

$measured

$decided

$made_of

$history

$identity
"""
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def card(told: Told, template: str | None = None) -> str:
    """The card. ``template`` may have ``$front``, ``$title``, ``$written``, ``$measured``, ``$decided``, ``$made_of``, ``$history``,
    ``$identity``, and ``$card_SECTION`` for a section that people wrote; ``BadInput`` for another place."""
    places = facts(told)
    try:
        text = Template(_filled(TEMPLATE if template is None else template, places)).substitute(places)
    except (KeyError, ValueError) as error:
        there = ", ".join(f"${name}" for name in places)
        raise BadInput(
            f"the template of the card has a place {shown(str(error), 60)} that nothing fills", where=f"there are {there}",
            do="write $$ for a dollar sign", code="bad-template",
        ) from None  # fmt: skip
    return text.strip() + "\n"


def _filled(template: str, places: Mapping[str, str]) -> str:
    """The template without the lines that nothing fills, and the blank lines that they would leave."""
    empty = {form for name, text in places.items() if not text for form in (f"${name}", f"${{{name}}}")}
    kept = [line for line in template.splitlines() if line.strip() not in empty]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept))


def facts(told: Told) -> Mapping[str, str]:
    """The places of a template."""
    front, body = split(told.card or "")
    if front.strip() and _mapping(front) is None:
        front, body = "", f"```\n{front.rstrip()}\n```\n\n{body}"
    title = "" if re.match(r"\s{0,3}# ", body) else f"# {_quoted(told.name)}"
    return {
        "front": _front(told, front), "title": title, "written": body.strip(), "measured": _measured(told), "decided": _decided(told),
        "made_of": _made_of(told), "history": _history(told), "identity": _identity(told),
        **{f"card_{name}": text for name, text in parts(told.card or "").items() if name.isascii() and slug(name) == name},
    }  # fmt: skip


def _front(told: Told, written: str) -> str:
    """Front matter as Hugging Face's cards have it: what people wrote, and what is known besides, where that can be added to it."""
    there = _mapping(written) if written.strip() else {}
    if there is None:
        return ""  # it is no front matter; it stands below, as it was written
    known: dict[str, Any] = {"model_name": told.name, "library_name": told.version.loader, "model-index": list(_index(told))}
    added = [f"{name}: {json.dumps(value)}\n" for name, value in known.items() if name not in there and value]
    own = written if not written or written.endswith("\n") else f"{written}\n"
    both = own + "".join(added)
    return f"---\n{own if _mapping(both) is None else both}---\n\n"


def _mapping(text: str) -> Mapping[Any, Any] | None:
    """What a front matter says, or None where it is no mapping in YAML."""
    import yaml

    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None


def _index(told: Told) -> Iterator[dict[str, Any]]:
    results = [
        {
            "dataset": {"name": evaluation.dataset or "not named", "type": "other"},
            "metrics": [{"type": name, "value": _number(value)} for name, value in evaluation.metrics.items()],
            "task": {"type": "other"},
        }
        for evaluation in told.version.evaluations
        if evaluation.metrics
    ]
    if results:
        yield {"name": told.version.model, "results": results}


def _measured(told: Told) -> str:
    if not told.version.evaluations:
        return ""
    lines = ["## Measured", "", "| dataset | slice | metric | value | n | by |", "| --- | --- | --- | --- | --- | --- |"]
    for said, rows in zip(told.version.evaluations, told.slices, strict=True):
        dataset, by = _quoted(said.dataset or "-"), _quoted(said.by.actor)
        lines += [_row(dataset, "all", name, value, said.n, by) for name, value in said.metrics.items()]
        for row in rows:
            where = ", ".join(f"{name}={value}" for name, value in sorted(row["slice"].items()))
            lines.append(_row(dataset, _quoted(where), row["metric"], row["value"], row["n"], by))
    return "\n".join(lines)


def _row(dataset: str, where: str, metric: str, value: float, n: int | None, by: str) -> str:
    return f"| {dataset} | {where} | {_quoted(metric)} | {_number(value)} | {'-' if n is None else n} | {by} |"


def _decided(told: Told) -> str:
    lines = []
    for decision in told.decisions:
        over = f", over the gates by {_quoted(decision.override.by)}: {_quoted(decision.override.reason)}" if decision.override else ""
        head = f"* {decision.asked_at[:16]}Z, as {_quoted(decision.alias)} under policy {_quoted(decision.policy_name)}: "
        lines.append(f"{head}**{decision.outcome}**{over}")
        lines += [f"    * {result.status}: {_quoted(result.sentence)}" for result in decision.results]
    for said in told.approvals:
        word = "approved" if said.approved else "rejected"
        lines.append(f"* {said.recorded_at[:16]}Z, {_quoted(said.person)} {word} it as {_quoted(said.alias)}: {_quoted(said.because)}")
    return "\n".join(["## Decided", "", *lines]) if lines else ""


def _made_of(told: Told) -> str:
    run = told.run
    rows: list[tuple[str, str]] = [("data", _data(each)) for each in told.version.data]
    rows += [("parent version", f"{_quoted(f'{p.model}@{p.version}')} `{p.manifest}`") for p in told.version.parents]
    if run.git and run.git.commit:
        dirty = ", with changes that were not committed" if run.git.dirty else ""
        rows.append(("code", f"`{run.git.commit}`{f' of {_quoted(run.git.remote)}' if run.git.remote else ''}{dirty}"))
    for name, value in (
        ("flow", run.flow), ("deployment", run.deployment), ("run", run.url or run.flow_run), ("image", run.image_digest or run.image),
        ("Python", run.environment.python if run.environment else None),
        ("packages", f"{len(told.packages)} recorded" if told.packages else None),
    ):  # fmt: skip
        if value:
            rows.append((name, _quoted(value)))
    for title, values in (("parameters", run.parameters), ("params", told.version.params), ("seeds", run.seeds)):
        if values:
            rows.append((title, "`" + json.dumps(dict(values), sort_keys=True, default=str).replace("`", "'").replace("|", "\\|") + "`"))
    return "\n".join(["## Made of", "", "| what | which |", "| --- | --- |", *(f"| {a} | {b} |" for a, b in rows)]) if rows else ""


def _data(data: Any) -> str:
    named = " ".join(filter(None, (dataset_name(data), data.uri, f"({data.role})" if data.role else "")))
    rows = f", {data.rows} rows" if data.rows is not None else ""
    return f"{_quoted(named)}{rows}{f' `{data.digest}`' if data.digest else ''}"


def _history(told: Told) -> str:
    lines = [
        f"* {line.at[:16]}Z, {_quoted(line.by.actor if line.by else '?')}: {_quoted(line.what)}"
        f"{f' ({_quoted(line.because)})' if line.because else ''}"
        for line in told.history
    ]
    return "\n".join(["## What happened", "", *lines]) if lines else ""


def _identity(told: Told) -> str:
    version = told.version
    lines = [
        f"* version `{told.name}`, stamp `{version.stamp}`",
        f"* digest `{version.digest}`",
        f"* registry `{told.registry}` at {_quoted(told.root)}",
    ]
    lines += [f"* `{file.path.replace('`', chr(39))}`, {file.size_bytes} bytes, `{file.digest}`" for file in told.files[:100]]
    if len(told.files) > 100:
        lines.append(f"* and {len(told.files) - 100} more files, all in the manifest")
    if version.labels:
        lines.append("* labels " + ", ".join(f"{_quoted(name)}: {_quoted(value)}" for name, value in sorted(version.labels.items())))
    if version.retired:
        lines.append(f"* **retired**: {_quoted(version.retired)}")
    return "\n".join(["## Identity", "", *lines])


def _quoted(text: str) -> str:
    """Text as Markdown shows it: on one line, and nothing in it means anything."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def _number(value: float) -> Any:
    return value if value == value and abs(value) != float("inf") else str(value)
