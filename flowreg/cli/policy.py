"""The verbs about policies: set, show, ls, check, remove."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from .blocks import BLANK, Block, Column, Grid, Line, Span, hint, quiet, strong
from .options import AsJson, AsOf, Because, DryRun, InHere, Reason
from .policies import rehearsed, yaml_of
from .words import ago, counted

if TYPE_CHECKING:
    from datetime import datetime

    from ..core.policies import PolicyRecord
    from ..gates import Policy
    from .here import Here

File = Annotated[str, Parameter(help="A policy in YAML or JSON.")]
Name = Annotated[str, Parameter(help="The policy's name.")]
DRY = " (a dry run: nothing was written)"


def put(file: File, /, *, here: InHere, because: Because = None, dry_run: DryRun = False, json: AsJson = False) -> int:
    """A policy into force."""
    from ..gates import Policy

    policy = Policy.load(file)
    if dry_run:
        return _foretold(policy, because=because, here=here, json=json)
    record = here.registry().set_policy(policy, because=because)
    done = Line.of(Span("✓ ", "good"), strong(record.name), f" is in force: {_protects(record)}")
    return here.answer(record, as_json=json, drawn=lambda: [done, hint("Try it", f"flowreg gates MODEL@newest --to {record.alias}")])


def _foretold(policy: Policy, *, because: str | None, here: Here, json: bool) -> int:
    """What would be recorded, and what it would have said about the promotions of the past."""
    registry = here.registry(dry_run=True)
    past = registry.rehearse(policy)
    record = registry.set_policy(policy, because=because)
    done = Line.of(Span("✓ ", "good"), strong(record.name), f" would be in force: {_protects(record)}", quiet(DRY))
    return here.answer(
        {"policy": record, "rehearsed": past}, as_json=json, drawn=lambda: [done, *rehearsed(past, here.now)]
    )  # fmt: skip


def show(
    name: Annotated[str | None, Parameter(help="The policy's name; all of them if left out.")] = None,
    /,
    *,
    here: InHere,
    json: AsJson = False,
    as_of: AsOf = None,
) -> int:
    """The policies in force, or one."""
    found = here.registry().policies(as_of=as_of)
    if name is None:
        return here.answer(found, as_json=json, drawn=lambda: _all(found, here.now))
    record = next((record for record in found if record.name == name), None)
    if record is None:
        from ..core.names import shown
        from ..errors import NotFound

        there = ", ".join(record.name for record in found) or "none"
        raise NotFound(f"there is no policy {shown(name)}", where=f"in force: {there}", do="see flowreg policy ls", code="no-policy")
    return here.answer(record, as_json=json, drawn=lambda: _one(record, here.now))


def ls(*, here: InHere, json: AsJson = False, as_of: AsOf = None) -> int:
    """The policies in force."""
    found = here.registry().policies(as_of=as_of)
    return here.answer(found, as_json=json, drawn=lambda: _listed(found, here.now))


def check(file: File, /, *, here: InHere, json: AsJson = False) -> int:
    """What a policy file means."""
    from ..gates import Policy

    policy = Policy.load(file)
    text = policy.to_json()
    gates = counted(len(policy.gates), "gate")
    first = Line.of(Span("✓ ", "good"), strong(policy.policy), f" is a policy: {gates} for {policy.alias} of {', '.join(policy.models)}")
    return here.answer(text, as_json=json, drawn=lambda: [first, *_yaml(text), hint("Put it in force", f"flowreg policy set {file}")])


def remove(name: Name, /, *, here: InHere, because: Reason, dry_run: DryRun = False, json: AsJson = False) -> int:
    """A policy out of force."""
    here.registry(dry_run=dry_run).remove_policy(name, because=because)
    verb = "would be out of force" if dry_run else "is out of force"
    done = Line.of(strong(name), f" {verb}: what it protected may be moved by anybody", quiet(DRY if dry_run else ""))
    return here.answer({"name": name, "because": because}, as_json=json, drawn=lambda: [done])


def _listed(found: tuple[PolicyRecord, ...], now: datetime) -> Iterator[Block]:
    if not found:
        yield Line.of("No policy is in force: every alias moves freely.")
        yield hint("Protect one", "flowreg policy set FILE")
        return
    columns = (
        Column("policy"),
        Column("alias"),
        Column("models", wraps=True),
        Column("gates", right=True),
        Column("set", right=True),
        Column("by"),
    )
    rows = [(Span(p.name, "name"), p.alias, ", ".join(p.models), _gates(p), quiet(ago(p.set_at, now)), p.set_by) for p in found]
    yield Grid(columns, tuple(rows))


def _all(found: tuple[PolicyRecord, ...], now: datetime) -> Iterator[Block]:
    if not found:
        yield from _listed(found, now)
    for place, record in enumerate(found):
        if place:
            yield BLANK
        yield from _one(record, now)


def _one(record: PolicyRecord, now: datetime) -> Iterator[Block]:
    yield Line.of(Span(record.name, "name"), f"  {_protects(record)}")
    yield Line.of(quiet(f"  revision {record.revision}, set {ago(record.set_at, now)} by {record.set_by}, {record.digest[:19]}…"))
    yield from _yaml(record.policy)


def _yaml(policy: Mapping[str, Any]) -> Iterator[Block]:
    yield from (Line.of(f"  {line}") for line in yaml_of(policy).splitlines())


def _protects(record: PolicyRecord) -> str:
    return f"{record.alias} of {', '.join(record.models)} is protected by {counted(len(record.policy['gates']), 'gate')}"


def _gates(record: PolicyRecord) -> str:
    return str(len(record.policy["gates"]))
