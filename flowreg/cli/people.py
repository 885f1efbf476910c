"""The verbs about people: approve, and who is in which group."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..errors import BadInput, Unavailable
from . import given, report
from .blocks import Block, Column, Grid, Line, Span, hint, quiet, strong
from .here import Here
from .options import AsJson, AsOf, Because, DryRun, InHere, Reason, Ref, Texts, To
from .report import DRY

if TYPE_CHECKING:
    from ..core.decision import Decision
    from ..core.views import Approval
    from ..registry import Registry

Groups = Mapping[str, tuple[str, ...]]


def approve(
    ref: Ref,
    /,
    *,
    here: InHere,
    to: To,
    because: Reason,
    reject: Annotated[bool, Parameter(help="Say no instead: it blocks until you say yes.")] = False,
    resume: Annotated[bool, Parameter(help="Have the flow run that asked for it go on, if it waits for nobody else.")] = False,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> int:
    """A person's word about a promotion, and what the gates say with it."""
    registry = here.registry(dry_run=dry_run)
    said = registry.approve(ref, to=to, because=because, reject=reject)
    if json and not resume:
        return here.answer(said, as_json=True, drawn=lambda: ())
    decision, waiting = registry.judge(ref, to=to), _waiting_run(registry, said)
    told = here.answer(said, as_json=json, drawn=lambda: _said(said, decision, waiting, dry_run, resume))
    return _resumed(here, waiting) if resume and not dry_run and waiting and decision.outcome != "waiting" else told


def put(
    file: Annotated[str | None, Parameter(help="A file in YAML or JSON: the names of people by group. All groups there are.")] = None,
    /,
    *,
    here: InHere,
    group: Annotated[Texts, Parameter(help="GROUP=NAME,NAME for one group, once for each; GROUP= takes it away.")] = (),
    because: Because = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> int:
    """Who is in which group."""
    if (file is None) == (not group):
        raise BadInput(
            "give a file or --group",
            where="nothing was written",
            do="write --group model-risk=ana,bo, or the path of a YAML file",
            code="usage",
        )
    groups = given.groups_file(file) if file is not None else given.groups(group)
    after = here.registry(dry_run=dry_run).set_people(groups, only=file is not None, because=because)
    return here.answer(after, as_json=json, drawn=lambda: _groups(after, DRY if dry_run else ""))


def show(*, here: InHere, json: AsJson = False, as_of: AsOf = None) -> int:
    """The groups."""
    found = here.registry().people(as_of=as_of)
    return here.answer(found, as_json=json, drawn=lambda: _groups(found, ""))


def _resumed(here: Here, flow_run: str) -> int:
    """Prefect is asked by a process of its own: nothing of the command line imports it."""
    ended = subprocess.run([sys.executable, "-m", "flowreg.prefect.resume", flow_run], capture_output=True, text=True)
    if ended.returncode:
        reason = ended.stderr.strip().rpartition("\n")[2] if "Traceback" in ended.stderr else ended.stderr.strip()
        raise Unavailable(
            f"flow run {flow_run} was not resumed: {reason}",
            where="what was said stands in the registry",
            do="resume it in Prefect's UI with 'look again'",
            code="not-resumed",
        )
    here.err.write(ended.stdout)
    return 0


def _said(said: Approval, decision: Decision, waiting: str | None, dry_run: bool, resume: bool) -> Iterator[Block]:
    yield from report.gate_rows(decision)
    verb = ("would " if dry_run else "") + ("approve" if said.approved else "reject") + ("" if dry_run else "d" if said.approved else "ed")
    mark = Span("✓ ", "good") if said.approved else Span("✗ ", "bad")
    yield Line.of(mark, strong(said.person), f" {verb} {said.ref} as {said.alias}", quiet(DRY if dry_run else ""))
    if not _asks_people(decision):
        yield Line.of(Span(f"! Policy {decision.policy_name} has no approval gate, so this changes nothing.", "warn"))
    if dry_run:
        return
    if waiting is not None and decision.outcome != "waiting":
        if not resume:
            yield hint("A flow run waits for this; have it go on", f"python -m flowreg.prefect.resume {waiting}")
    elif decision.outcome == "promote":
        yield hint("All gates pass now", f"flowreg promote {said.ref} --to {said.alias}")
    yield hint("What was said", f"flowreg history {said.model}")


def _waiting_run(registry: Registry, said: Approval) -> str | None:
    """The flow run that asked for this promotion last, if one did."""
    asked = [d.flow_run for d in registry.decisions(said.ref) if d.alias == said.alias and d.outcome == "waiting" and d.flow_run]
    return asked[-1] if asked else None


def _asks_people(decision: Decision) -> bool:
    results = [part for result in decision.results for part in (result, *result.parts)]
    return any(result.kind == "approval" for result in results)


def _groups(found: Groups, dry: str) -> Iterator[Block]:
    if not found:
        yield Line.of("No group of people is known.", quiet(dry))
        yield hint("Name one", "flowreg people set --group model-risk=ana,bo")
        return
    rows: tuple[Any, ...] = tuple((Span(name, "name"), ", ".join(people)) for name, people in found.items())
    yield Grid((Column("group"), Column("people", wraps=True)), rows)
    if dry:
        yield Line.of(quiet(dry.strip()))
