"""The report: one page of HTML that an auditor reads, and prints. Pure: ``Told`` in, text out.

Rule 1: it stands alone: nothing is loaded from anywhere, and nothing in it runs.
Rule 2: every text of somebody is escaped; what is shown is what was recorded.
Rule 3: it says what it does not prove.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib.resources import files
from typing import Any

from ..core.decision import Decision, GateResult
from ..core.events import write_measure
from ..core.views import Approval
from ..standards.names import dataset_name
from ..standards.told import Told

FILES_SHOWN = 50
_WORDS = {"promote": ("good", "all gates passed"), "blocked": ("bad", "blocked"), "waiting": ("warn", "waiting for people")}
_STATUS = {"pass": "good", "fail": "bad", "error": "bad", "pending": "warn", "skip": "quiet"}


def report(told: Told) -> str:
    """The whole page."""
    css = files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    body = "\n".join(
        [
            *_head(told),
            *_promotions(told),
            *_measured(told),
            *_made_of(told),
            *_card(told),
            *_history(told),
            *_identity(told),
            *_limits(told),
        ]
    )
    title = f"Evidence for {told.name}"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{_t(title)}</title>\n<style>\n{css}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _head(told: Told) -> Iterator[str]:
    version, labels = told.version, told.version.labels
    yield f"<header><h1>Evidence for {_t(told.name)}</h1>"
    yield f'<p class="lead">{_standing(told)}</p>'
    yield f'<p class="quiet">As the registry <code>{_t(told.root)}</code> recorded it up to {_when(told.known_at)}.</p></header>'
    if version.retired is not None:
        yield f'<p class="note bad"><span class="bad">Retired.</span> {_t(version.retired)}</p>'
    if version.dropped is not None:
        yield f'<p class="note">Its files are kept no more: {_t(version.dropped)}</p>'
    if version.held is not None:
        yield f'<p class="note">On legal hold: {_t(version.held)}</p>'
    yield from _facts(
        [
            ("Owner", labels.get("owner")), ("Purpose", labels.get("purpose")), ("Risk", labels.get("risk")),
            ("Review by", labels.get("review_by")), ("Registered", f"{_at(version.registered_at)} by {version.by.actor}"),
            ("Because", version.because), ("Digest", version.digest),
        ]
    )  # fmt: skip


def _standing(told: Told) -> str:
    moves = [line for line in told.history if line.kind == "alias_moved" and line.version == told.version.number]
    if told.version.aliases:
        last = moves[-1] if moves else None
        by = f" since {_when(last.at)}, moved by <strong>{_t(last.by.actor if last.by else '?')}</strong>" if last else ""
        because = f" because “{_t(last.because)}”" if last and last.because else ""
        return f'It is <strong class="good">{_t(", ".join(told.version.aliases))}</strong>{by}{because}.'
    if moves:
        return f"It was {_t(', '.join(sorted({line.alias or '' for line in moves})))}, and holds no alias now."
    return "It holds no alias, and never has."


def _promotions(told: Told) -> Iterator[str]:
    yield "<section><h2>On what grounds</h2>"
    if not told.decisions:
        yield '<p class="warn">No gates were judged for this version.</p>'
        if any(line.kind == "alias_moved" for line in told.history):
            yield "<p>Its aliases were moved without a policy in force, so anybody who could write could move them.</p>"
    for decision in told.decisions:
        yield from _decision(decision, told.approvals)
    yield "</section>"


def _decision(decision: Decision, approvals: Iterable[Approval]) -> Iterator[str]:
    style, word = _WORDS.get(decision.outcome, ("", decision.outcome))
    base = f"version {decision.base.version}" if decision.base else "nobody"
    yield f'<h3>{_when(decision.asked_at)}: to become {_t(decision.alias)}, then {_t(base)} — <span class="{style}">{_t(word)}</span></h3>'
    on = f" on <strong>{_t(decision.dataset)}</strong>" if decision.dataset else ""
    digest = f" <code>{_t(decision.dataset_digest)}</code>" if decision.dataset_digest else ""
    yield f"<p>Asked by {_t(decision.asked_by)}, judged{on}{digest} by policy <strong>{_t(decision.policy_name)}</strong> "
    yield f"<code>{_t(decision.policy_digest)}</code>.</p>"
    if decision.override:
        yield f'<p class="note bad"><span class="bad">Overridden</span> by {_t(decision.override.by)}: {_t(decision.override.reason)}</p>'
    yield "<table><caption>Gates</caption><thead><tr><th>outcome</th><th>gate</th><th>what was found</th></tr></thead><tbody>"
    for result in decision.results:
        yield from _gate(result)
    yield "</tbody></table>"
    for warning in decision.warnings:
        yield f'<p class="warn">{_t(warning)}</p>'
    words = [said for said in approvals if said.alias == decision.alias and said.base == (decision.base.version if decision.base else None)]
    if words:
        yield "<table><caption>What people said</caption><thead><tr><th>when</th><th>who</th><th>word</th><th>because</th></tr></thead><tbody>"
        for said in words:
            word = '<span class="good">approved</span>' if said.approved else '<span class="bad">rejected</span>'
            via = f' <span class="quiet">via {_t(said.via)}, name not checked</span>' if said.via else ""
            yield f'<tr><td class="when">{_when(said.recorded_at)}</td><td>{_t(said.person)}{via}</td><td>{word}</td><td>{_t(said.because)}</td></tr>'
        yield "</tbody></table>"


def _gate(result: GateResult, depth: int = 0) -> Iterator[str]:
    mark = f'<span class="{_STATUS.get(result.status, "")}">{_t(result.status)}</span>'
    warn = ' <span class="quiet">(only warns)</span>' if result.severity == "warn" else ""
    why = f'<br><span class="quiet">{_t(result.why)}</span>' if result.why else ""
    method = f'<br><span class="quiet">{_t(_method(result))}</span>' if result.method else ""
    indent = "&emsp;" * depth
    yield f'<tr><td class="word">{mark}{warn}</td><td>{indent}<code>{_t(result.gate)}</code>{why}</td><td>{_t(result.sentence)}{method}</td></tr>'
    for part in result.parts if depth < 3 else ():
        yield from _gate(part, depth + 1)


def _method(result: GateResult) -> str:
    bounds = f", bounds {result.ci[0]:.4g} to {result.ci[1]:.4g}" if result.ci else ""
    count = f", n = {result.n}" if result.n is not None else ""
    return f"{result.method}{bounds}{count}{f', seed {result.seed}' if result.seed is not None else ''}"


def _measured(told: Told) -> Iterator[str]:
    yield "<section><h2>What was measured</h2>"
    if not told.version.evaluations:
        yield "<p>Nothing was recorded.</p>"
    for said, rows in zip(told.version.evaluations, told.slices, strict=True):
        digest = f" <code>{_t(said.dataset_digest)}</code>" if said.dataset_digest else ""
        yield f'<h3>{_t(said.dataset or "on data that was not named")}</h3><p class="quiet">{_when(said.recorded_at)} by {_t(said.by.actor)}{digest}</p>'
        yield '<table><thead><tr><th>slice</th><th>metric</th><th class="number">value</th><th class="number">n</th></tr></thead><tbody>'
        for name, value in said.metrics.items():
            yield _metric("all", name, value, said.n)
        for row in rows:
            yield _metric(", ".join(f"{k}={v}" for k, v in sorted(row["slice"].items())), row["metric"], row["value"], row["n"])
        yield "</tbody></table>"
    yield "</section>"


def _metric(where: str, name: str, value: float, n: int | None) -> str:
    shown, count = write_measure(value), "" if n is None else f"{n:,}"
    text = f"{shown:.6g}" if isinstance(shown, float) else str(shown)
    return f'<tr><td>{_t(where)}</td><td>{_t(name)}</td><td class="number">{_t(text)}</td><td class="number">{count}</td></tr>'


def _made_of(told: Told) -> Iterator[str]:
    run, version = told.run, told.version
    git, environment = run.git, run.environment
    code = (
        f"{git.commit or 'no commit'}{f' of {git.remote}' if git.remote else ''}{', with changes that were not committed' if git.dirty else ''}"
        if git
        else None
    )
    machine = ", ".join(filter(None, (environment.cpu, *environment.accelerators, environment.platform))) if environment else None
    yield "<section><h2>What it was made of</h2>"
    yield from _facts(
        [
            *(("Data", _data(each)) for each in version.data),
            *(("Parent version", f"{each.model}@{each.version} {each.manifest}") for each in version.parents),
            ("Code", code), ("Entrypoint", run.entrypoint), ("Flow", run.flow), ("Deployment", run.deployment),
            ("Run", " ".join(filter(None, (run.flow_run_name, run.url or run.flow_run)))), ("Started by", run.started_by),
            ("Parameters", _json(run.parameters)), ("Params", _json(version.params)), ("Seeds", _json(run.seeds)),
            ("Image", " ".join(filter(None, (run.image, run.image_digest)))),
            ("Python", environment.python if environment else None),
            ("Packages", f"{len(told.packages)}, listed in blobs/{environment.packages[7:]}" if environment and environment.packages else None),
            ("Computed on", machine),
        ]
    )  # fmt: skip
    if run.warnings:
        yield "<p>What could not be learnt:</p><ul>" + "".join(f"<li>{_t(warning)}</li>" for warning in run.warnings) + "</ul>"
    if version.run is None:
        yield '<p class="warn">Nobody recorded the run, the code or the environment.</p>'
    yield "</section>"


def _data(data: Any) -> str:
    rows = f", {data.rows:,} rows" if data.rows is not None else ""
    return " ".join(filter(None, (dataset_name(data), data.uri, f"({data.role})" if data.role else "", data.digest or "no digest"))) + rows


def _card(told: Told) -> Iterator[str]:
    if told.card:
        yield f"<section><h2>What people wrote</h2><pre>{_t(told.card)}</pre></section>"


def _history(told: Told) -> Iterator[str]:
    yield "<section><h2>What happened</h2><table><thead><tr><th>when (UTC)</th><th>who</th><th>what</th><th>because</th></tr></thead><tbody>"
    for line in told.history:
        who = _t(line.by.actor if line.by else "?")
        run = f' <span class="quiet">run {_t(line.by.flow_run[:8])}</span>' if line.by and line.by.flow_run else ""
        yield f'<tr><td class="when">{_when(line.at)}</td><td>{who}{run}</td><td>{_t(line.what)}</td><td>{_t(line.because or "")}</td></tr>'
    yield "</tbody></table></section>"


def _identity(told: Told) -> Iterator[str]:
    yield "<section><h2>Identity</h2>"
    yield from _facts(
        [("Version", told.version.stamp), ("Manifest", told.version.digest), ("Registry", told.registry), ("Format", told.version.loader)]
    )
    yield '<table><caption>Files</caption><thead><tr><th>path</th><th class="number">bytes</th><th>digest</th></tr></thead><tbody>'
    for file in told.files[:FILES_SHOWN]:
        yield f'<tr><td>{_t(file.path)}</td><td class="number">{file.size_bytes:,}</td><td><code>{_t(file.digest)}</code></td></tr>'
    yield "</tbody></table>"
    if len(told.files) > FILES_SHOWN:
        yield f"<p>and {len(told.files) - FILES_SHOWN:,} more, all in the manifest.</p>"
    yield "</section>"


def _limits(told: Told) -> Iterator[str]:
    yield "<section><h2>How to check this, and what it does not prove</h2><p>Beside this page lies all it was made from. <code>python3 verify.py</code> "
    yield "checks every digest, that both journals are whole, and that decisions, policies, approvals and the manifest fit together; "
    yield "<code>python3 verify.py --files FOLDER</code> also compares the artifact's files.</p><ul>"
    yield "<li>Nothing is signed: names are those that the writers gave. Who may write to the storage decides what they are worth.</li>"
    yield "<li>Times are those of the writers' clocks. The order of the entries does not depend on them.</li>"
    yield "<li>A digest shows that bytes did not change since they were recorded; it does not show that they were right.</li>"
    yield "<li>That nothing was cut from the end of the journals shows only by comparing with the registry, or with an earlier bundle.</li>"
    yield f"</ul></section><footer>Made by flowreg from the journal up to {_when(told.known_at)}. The same state gives the same bytes.</footer>"


def _facts(rows: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    told = [f'<tr><th scope="row">{_t(name)}</th><td>{_t(value)}</td></tr>' for name, value in rows if value]
    if told:
        yield f"<table><tbody>{''.join(told)}</tbody></table>"


def _json(values: Mapping[str, Any]) -> str | None:
    return json.dumps(dict(values), ensure_ascii=False, sort_keys=True, default=str) if values else None


def _when(at: str) -> str:
    return f'<time datetime="{_t(at)}">{_t(_at(at))}</time>'


def _at(at: str) -> str:
    """A moment for people, in UTC, to the second."""
    return f"{at[:10]} {at[11:19]} UTC"


def _t(text: object) -> str:
    return escape(str(text))
