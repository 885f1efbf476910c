"""The form that a person fills in on the page of a waiting run, and what stands above it. Pure but for the class of the form.

Rule 1: who reads it has not seen the run: what is asked, what the gates found, how it compares with the holder, where to look.
Rule 2: what people wrote is escaped; the name that is typed is a claim, since Prefect's own server has no users.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from prefect.input import RunInput
from pydantic import Field

from ..core.decision import Decision
from ..core.views import Version
from .markdown import code, escaped

MARKS = {"pass": "✓", "fail": "✗", "error": "✗", "pending": "…", "skip": "-"}
METRICS_LIMIT = 40


class PromotionForm(RunInput):
    """A person's word about a promotion."""

    verdict: Literal["approve", "reject", "look again"] = Field(
        title="Verdict", description="'look again' says nothing by itself: for when somebody has used flowreg approve meanwhile."
    )
    name: str = Field(
        title="Your name", min_length=1, max_length=200, description="As the registry knows you: the name in the group that is asked."
    )
    reason: str = Field(title="Reason", min_length=1, max_length=2000, description="Kept in the history, for ever.")


def question(decision: Decision, candidate: Version, holder: Version | None, *, root: str, run_url: str | None = None) -> str:
    """What stands above the form, in Markdown: short lines and the main thing first, since the form leaves it a small window."""
    now = f"now {escaped(holder.ref)}" if holder else "which nobody holds yet"
    sections = [
        [f"### Shall {escaped(candidate.ref)} become {escaped(decision.alias)} ({now})?"],
        list(_metrics(candidate, holder)),
        [f"**Gates** of policy {code(decision.policy_name)} on {code(decision.dataset or 'the newest data')}", "", *_gates(decision)],
        ["**Where to look**", "", *_links(decision, candidate, holder, root, run_url)],
    ]
    return "\n\n".join("\n".join(section) for section in sections if section)


def _gates(decision: Decision) -> Iterator[str]:
    for result in decision.results:
        why = f" ({escaped(result.why)})" if result.why else ""
        yield f"- {MARKS[result.status]} {code(result.gate)}: {escaped(result.sentence)}{why}"


def _metrics(candidate: Version, holder: Version | None) -> Iterator[str]:
    """The metrics of the candidate beside those of the holder, each on the data that it was measured on last."""
    before: Mapping[str, float] = holder.metrics if holder else {}
    for name, value in list(candidate.metrics.items())[:METRICS_LIMIT]:
        yield f"- {code(name)} **{value:.6g}**{_against(value, before.get(name), holder)}"


def _against(value: float, before: float | None, holder: Version | None) -> str:
    if holder is None:
        return ""
    return f", {escaped(holder.ref)} has " + (f"{before:.6g} ({value - before:+.4g})" if before is not None else "none")


def _links(decision: Decision, candidate: Version, holder: Version | None, root: str, run_url: str | None) -> Iterator[str]:
    if run_url:
        yield f"- [the run that asks]({run_url})"
    if candidate.run and candidate.run.url:
        yield f"- [the run that made it]({candidate.run.url})"
    yield f"- the version: {code(f'flowreg --root {root} show {candidate.ref} --slices')}"
    if holder is not None:
        yield f"- the difference: {code(f'flowreg --root {root} diff {holder.ref} {candidate.ref}')}"
    said = f"flowreg --root {root} approve {candidate.ref} --to {decision.alias} --because '…'"
    yield f"- to answer on the command line: {code(said)}, then answer 'look again'"
