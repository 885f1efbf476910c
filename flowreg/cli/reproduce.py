"""``flowreg reproduce``: what it would take to make a version again; with ``--run`` do it, and say what came of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..errors import BadInput
from . import given
from .blocks import BLANK, Block, Cell, Line, Span, facts, hint, quiet, strong
from .options import AsJson, InHere, Ref, Texts
from .words import counted, digest, pairs

if TYPE_CHECKING:
    from ..reproducing.plan import Change, Plan
    from ..reproducing.verdict import Verdict

BLOCKED = 4
_MARKS: dict[str, tuple[str, Any]] = {"same": ("✓", "good"), "changed": ("✗", "bad"), "gone": ("✗", "bad"), "cannot tell": ("?", "warn")}
SHOWN = 20


def reproduce(
    ref: Ref,
    /,
    *,
    here: InHere,
    run: Annotated[bool, Parameter(negative=(), help="Do it: run the flow again, and compare what it registers.")] = False,
    against: Annotated[str | None, Parameter(help="Run nothing; compare with this version, which is there already.")] = None,
    in_place: Annotated[
        bool, Parameter(name="--here", negative=(), help="Use the packages that are here, instead of a new environment.")
    ] = False,
    deployment: Annotated[
        bool, Parameter(negative=(), help="Run the deployment that made it, where Prefect's server still has it.")
    ] = False,
    param: Annotated[Texts, Parameter(help="NAME=VALUE of a parameter that was not kept; NAME alone takes $NAME. Once for each.")] = (),
    tolerance: Annotated[float | None, Parameter(help="Relative. Default: 1e-6, or 1e-3 where an accelerator computed.")] = None,
    trust: Annotated[bool, Parameter(negative=(), help="Load pickles, which run their code.")] = False,
    timeout: Annotated[float, Parameter(help="Seconds that the flow may take.")] = 24 * 3600,
    json: AsJson = False,
) -> int:
    """Make a version again."""
    registry = here.registry()
    if not run and against is None:
        found = registry.reproduce(ref)
        return here.answer(found, as_json=json, drawn=lambda: _plan(found))
    if against is not None:
        verdict = registry.compare(ref, against, tolerance=tolerance, trust=trust)
    else:
        if here.storage_options:
            raise BadInput("--storage-option does not reach the flow that is run", do="set them in its environment", code="usage")
        verdict = registry.make_again(
            ref, params=_params(param), here=in_place, deployment=deployment, tolerance=tolerance, trust=trust, timeout_s=timeout,
            said=lambda text: here.err.write(f"{text}\n"),
        )  # fmt: skip
    here.answer(verdict, as_json=json, drawn=lambda: _verdict(verdict))
    return 0 if verdict.reproduced else BLOCKED


def _params(typed: Texts) -> Mapping[str, Any]:
    """Values by name; those that are only named are taken from the environment, so that no secret is typed."""
    asked = [text for text in typed if "=" not in text]
    if missing := [name for name in asked if name not in os.environ]:
        raise BadInput(f"${missing[0]} is not set", do=f"set it, or write --param {missing[0]}=VALUE", code="secret-param")
    return {**given.params([text for text in typed if "=" in text]), **{name: os.environ[name] for name in asked}}


def _plan(plan: Plan) -> Iterator[Block]:
    run, git = plan.run, plan.run.git
    yield Line.of("To make ", strong(plan.ref), " again", quiet(f"  {digest(plan.digest)}"))
    dirty = " with changes that were not committed" + (f" ({digest(git.diff)})" if git.diff else "") if git and git.dirty else ""
    rows: list[tuple[str, Cell]] = [
        ("code", f"{(git.commit or '')[:12]}{f' of {git.remote}' if git.remote else ''}{dirty}" if git and git.commit else ""),
        ("entrypoint", run.entrypoint or ""), ("deployment", run.deployment or ""), ("image", run.image_digest or run.image or ""),
        ("parameters", pairs(run.parameters)), ("seeds", pairs(run.seeds) or Span("none was recorded: chance decides", "warn")),
        ("compare by", "bytes, golden inputs, metrics" if plan.golden else Span("bytes and metrics: there are no golden inputs", "warn")),
    ]  # fmt: skip
    rows += [("data", _data(data)) for data in plan.data]
    yield facts([(name, value) for name, value in rows if value])
    yield from _changes("packages that differ here", plan.packages)
    if plan.extra_packages:
        yield Line.of(quiet(f"  and {counted(plan.extra_packages, 'package')} here that it did not have"))
    yield from _changes("the machine", plan.environment)
    yield BLANK
    if plan.secrets:
        yield Line.of(Span(f"! Not kept, as they are secret: {', '.join(plan.secrets)}. Give them with --param.", "warn"))
    for obstacle in plan.obstacles:
        yield Line.of(Span(f"✗ {obstacle}", "bad"))
    if plan.ready:
        yield hint("Do it", f"flowreg reproduce {plan.ref} --run")


def _data(data: Any) -> Cell:
    mark, style = _MARKS[data.found]
    said = {"same": "as it was", "changed": f"is {digest(data.now)} now", "gone": "is gone", "cannot tell": "cannot be looked at from here"}
    where = f" {data.uri}" if data.uri and data.uri != data.name else ""
    return Span(f"{mark} {data.name}{where} {digest(data.then)} {said[data.found]}".replace("  ", " "), style)


def _changes(title: str, changes: tuple[Change, ...]) -> Iterator[Block]:
    if not changes:
        return
    yield BLANK
    yield Line.of(strong(title))
    yield facts([(change.what, f"{_short(change.then)} → {_short(change.now)}") for change in changes[:SHOWN]])
    if len(changes) > SHOWN:
        yield Line.of(quiet(f"  and {len(changes) - SHOWN} more; all with --json"))


def _verdict(verdict: Verdict) -> Iterator[Block]:
    mark = Span(f"✓ {verdict.outcome}", "good") if verdict.reproduced else Span(f"✗ {verdict.outcome}", "bad")
    worst = f", furthest apart {verdict.worst:.3g} (allowed {verdict.tolerance:g})" if verdict.worst not in (None, 0.0) else ""
    yield Line.of(mark, ": ", strong(verdict.after), " against ", strong(verdict.before))
    yield Line.of(quiet(f"  compared by {', '.join(verdict.compared)}{worst}"))
    for note in verdict.notes:
        yield Line.of(Span(f"! {note}", "warn"))
    if verdict.first is not None and verdict.outcome != "identical":
        first = verdict.first
        yield Line.of("  first input that differs: ", strong(first.what), f"  {_short(first.then)} → {_short(first.now)}")
        rest = verdict.differences[1:]
        if rest:
            yield facts([(change.what, f"{_short(change.then)} → {_short(change.now)}") for change in rest[:SHOWN]])
    elif not verdict.reproduced:
        yield Line.of("  no input that was recorded differs: look for chance (seeds, threads) or time in the code")


def _short(text: str | None) -> str:
    if text is None:
        return "not there"
    return digest(text) if text.startswith("sha256:") else text if len(text) <= 60 else f"{text[:57]}…"
