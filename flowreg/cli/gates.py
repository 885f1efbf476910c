"""The verbs about aliases: gates, promote, rollback, retire."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ..errors import BadInput, GateBlocked
from . import report
from .blocks import Line, quiet, strong
from .options import AsJson, AsOf, Because, DryRun, InHere, Reason, Ref, To
from .report import BLOCKED


def gates(
    ref: Ref,
    /,
    *,
    here: InHere,
    to: Annotated[str | None, Parameter(help="The alias it would become: champion.")] = None,
    recorded: Annotated[bool, Parameter(help="The decisions that were recorded about it, instead of a new one.")] = False,
    json: AsJson = False,
    as_of: AsOf = None,
) -> int:
    """What the gates say about a promotion. Ends with 4 unless all is well."""
    registry = here.registry()
    if recorded:
        found = [d for d in registry.decisions(ref, as_of=as_of) if to in (None, d.alias)]
        return here.answer(found, as_json=json, drawn=lambda: report.recorded(ref, found, here.now))
    if to is None or as_of is not None:
        raise BadInput(
            "which alias?" if to is None else "gates judge what is now, not what was", where="nothing was judged",
            do=f"write flowreg gates {ref} --to champion, or --recorded for the decisions of the past", code="usage",
        )  # fmt: skip
    decision = registry.judge(ref, to=to)
    here.answer(decision, as_json=json, drawn=lambda: report.judged(decision))
    return 0 if decision.outcome == "promote" else BLOCKED


def promote(
    ref: Ref,
    /,
    *,
    here: InHere,
    to: To,
    because: Because = None,
    override: Annotated[str | None, Parameter(help="Go over the gates, for this reason, where the policy allows you to.")] = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> int:
    """An alias to a version, if its gates pass."""
    try:
        move = here.registry(dry_run=dry_run).promote(ref, to=to, because=because, override=override)
    except GateBlocked as error:
        if json:
            raise
        from .paint import paint

        paint(here.out, report.blocked(error.decision, dry_run=dry_run))
        return BLOCKED
    return here.answer(move, as_json=json, drawn=lambda: report.moved(move, dry_run=dry_run))


def rollback(
    ref: Annotated[str, Parameter(help="The alias: churn@champion, or churn@champion~2 for two holders back.")],
    /,
    *,
    here: InHere,
    because: Reason,
    to: Annotated[str | None, Parameter(help="An earlier holder, by number or reference.")] = None,
    keep: Annotated[bool, Parameter(help="Do not retire the bytes that it leaves.")] = False,
    undo: Annotated[bool, Parameter(help="Take the last rollback of the alias back instead.")] = False,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> int:
    """An alias back along its own history."""
    registry = here.registry(dry_run=dry_run)
    if undo:
        if to is not None or keep:
            raise BadInput("--undo stands alone", where="nothing was written", do="leave out --to and --keep", code="usage")
        move = registry.undo_rollback(ref, because=because)
    else:
        target = int(to) if to is not None and to.isascii() and to.isdigit() and len(to) < 10 else to
        move = registry.rollback(ref, because=because, to=target, keep=keep)
    return here.answer(move, as_json=json, drawn=lambda: report.moved(move, dry_run=dry_run))


def retire(
    ref: Ref,
    /,
    *,
    here: InHere,
    because: Reason,
    restore: Annotated[bool, Parameter(help="Lift the bar instead.")] = False,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> int:
    """A version out of every alias' reach, or back."""
    registry = here.registry(dry_run=dry_run)
    version = registry.restore(ref, because=because) if restore else registry.retire(ref, because=because)
    if restore:
        done = "would be restored" if dry_run else "may hold aliases again"
    else:
        done = ("would be" if dry_run else "is") + " retired: no alias may name it; its bytes stay"
    line = Line.of(strong(version.ref), f" {done}", quiet(report.DRY if dry_run else ""))
    return here.answer(version, as_json=json, drawn=lambda: [line])
