"""The verbs that look at policies without touching them: schema, history, diff; and what a new one would have done."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from .blocks import Block, Column, Grid, Line, Span, hint, quiet, strong
from .options import AsJson, InHere
from .words import ago, counted

if TYPE_CHECKING:
    from datetime import datetime

    from ..core.policies import PolicyRecord
    from ..registry import Registry
    from ..rehearsing import Rehearsed

Name = Annotated[str, Parameter(help="The policy's name.")]
Side = Annotated[str, Parameter(help="A file, the name of a policy, or one of its revisions: churn-prod@2.")]
WOULD = {"promote": ("✓", "good"), "blocked": ("✗", "bad"), "waiting": ("…", "warn")}


def schema(*, here: InHere) -> int:
    """The JSON Schema of the language."""
    from ..gates.published import FILE

    here.out.write(FILE.read_text(encoding="utf-8"))
    return 0


def history(name: Name, /, *, here: InHere, json: AsJson = False) -> int:
    """Every revision of a policy, the newest first."""
    found = here.registry().policy_history(name)
    return here.answer(found, as_json=json, drawn=lambda: _revisions(found, here.now))


def diff(
    first: Side,
    second: Annotated[str | None, Parameter(help="The other; left out: the last two revisions of the first.")] = None,
    /,
    *,
    here: InHere,
    json: AsJson = False,
) -> int:
    """What differs between two policies, or between the last two revisions of one."""
    registry = here.registry()
    titles, texts = _sides(registry, first, second)
    before, after = (yaml_of(text).splitlines() for text in texts)
    lines = list(difflib.unified_diff(before, after, *titles, lineterm="", n=2))
    return here.answer({"before": texts[0], "after": texts[1]}, as_json=json, drawn=lambda: _painted(lines, titles))


def rehearsed(found: Sequence[Rehearsed], now: datetime) -> Iterator[Block]:
    """Which past promotions a policy would have let pass."""
    if not found:
        yield Line.of(quiet("  It covers no promotion of the past."))
        return
    stopped = [one for one in found if one.decision.outcome == "blocked"]
    yield Line.of(f"Of {counted(len(found), 'past promotion')} it would have blocked ", strong(str(len(stopped))), ":" if stopped else ".")
    rows = []
    for one in found:
        mark, style = WOULD[one.decision.outcome]
        failing = one.decision.failing()
        reason = f"{failing[0].gate}: {failing[0].sentence}" if failing else ""
        more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
        rows.append((Span(f" {mark}", style), f"{one.model}@{one.version}", quiet(ago(one.at, now)), one.by, reason + more))  # type: ignore[arg-type]
    yield Grid((Column(""), Column(""), Column(""), Column(""), Column("", wraps=True)), tuple(rows))


def yaml_of(policy: Mapping[str, Any]) -> str:
    """A policy as its author would write it."""
    import yaml

    from .plain import plain

    text: str = yaml.safe_dump(plain(policy), sort_keys=False, allow_unicode=True, width=10_000)
    return text


def _sides(registry: Registry, first: str, second: str | None) -> tuple[tuple[str, str], tuple[Mapping[str, Any], Mapping[str, Any]]]:
    if second is not None:
        return (first, second), (_text(registry, first), _text(registry, second))
    revisions = registry.policy_history(first)
    before, after = revisions[-2:] if len(revisions) > 1 else (None, revisions[-1])
    titles = (f"{first}@{before.revision}" if before else "nothing", f"{first}@{after.revision}")
    return titles, (_in_order(before.policy) if before else {}, _in_order(after.policy))


def _text(registry: Registry, side: str) -> Mapping[str, Any]:
    """A file that is there, else a policy by its name."""
    from pathlib import Path

    from ..gates import Policy

    name, _, revision = side.partition("@")
    if Path(side).is_file() or "/" in side or side.endswith((".yaml", ".yml", ".json")):
        return Policy.load(side).to_json()
    found = registry.policy_history(name)
    return _in_order((_revision(found, side, revision) if revision else found[-1]).policy)


def _in_order(recorded: Mapping[str, Any]) -> Mapping[str, Any]:
    """A recorded policy with its keys in the order of the language; what is recorded is sorted."""
    from ..gates import Policy
    from ..gates.missing import with_missing

    return Policy.parse(with_missing(recorded)).to_json()


def _revision(found: Sequence[PolicyRecord], side: str, revision: str) -> PolicyRecord:
    from ..core.names import shown
    from ..errors import NotFound

    one = next((record for record in found if str(record.revision) == revision), None)
    if one is None:
        raise NotFound(
            f"there is no {shown(side)}", where=f"its revisions are 1 to {len(found)}", do="see flowreg policy history", code="no-policy"
        )
    return one


def _revisions(found: Sequence[PolicyRecord], now: datetime) -> Iterator[Block]:
    rows = [
        (
            f"{p.name}@{p.revision}", p.alias, ", ".join(p.models), str(len(p.policy["gates"])), quiet(ago(p.set_at, now)), p.set_by,
            Span("in force", "good") if p.until is None else "", quiet(p.digest[:19] + "…"),
        )
        for p in reversed(found)
    ]  # fmt: skip
    columns = (Column("policy"), Column("alias"), Column("models", wraps=True), Column("gates", right=True), Column("set", right=True))
    yield Grid((*columns, Column("by"), Column(""), Column("digest")), tuple(rows))
    yield hint("What changed last", f"flowreg policy diff {found[-1].name}")


def _painted(lines: Sequence[str], titles: Sequence[str]) -> Iterator[Block]:
    if not lines:
        yield Line.of(f"{titles[0]} and {titles[1]} say the same.")
    for line in lines:
        style = "good" if line.startswith("+") else "bad" if line.startswith("-") else "quiet" if line.startswith("@@") else ""
        yield Line.of(Span(line, style))  # type: ignore[arg-type]
