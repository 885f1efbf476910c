"""``flowreg lineage``: a tree for people, JSON for programs, Mermaid for pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ..errors import BadInput
from .blocks import BLANK, Block, Cell, Line, Span, Tree, hint, quiet, strong
from .options import AsJson, AsOf, InHere
from .words import counted, digest, moment

if TYPE_CHECKING:
    from ..lineage.graph import Lineage, Node, Row

SAID = {"up": "comes from", "down": "went into"}


def lineage(
    ref: Annotated[str | None, Parameter(name="REF", help="A version: churn@12, churn@champion, churn@newest.")] = None,
    /,
    *,
    here: InHere,
    data: Annotated[
        str | None, Parameter(help="Instead of REF, a dataset: a file (it is read for its digest), a URI, a name, sha256:9f2c41.")
    ] = None,
    run: Annotated[str | None, Parameter(help="Instead of REF, a flow run, by id or name: amber-fox.")] = None,
    commit: Annotated[str | None, Parameter(help="Instead of REF, a commit, by its first digits.")] = None,
    up: Annotated[bool, Parameter(help="Only where it comes from.")] = False,
    down: Annotated[bool, Parameter(help="Only what came of it.")] = False,
    depth: Annotated[int, Parameter(help="How many levels to show; 0 for all. JSON and Mermaid have all.")] = 8,
    last: Annotated[int, Parameter(help="How many side by side to show, the newest first; 0 for all. JSON and Mermaid have all.")] = 20,
    json: AsJson = False,
    mermaid: Annotated[bool, Parameter(help="Print a Mermaid flowchart.")] = False,
    as_of: AsOf = None,
) -> int:
    """Where something comes from, and what came of it."""
    if json and mermaid:
        raise BadInput("--json and --mermaid are two answers", do="give one of them", code="bad-question")
    direction = None if up == down else "up" if up else "down"
    found = here.registry().lineage(ref, data=data, run=run, commit=commit, direction=direction, as_of=as_of)
    if mermaid:
        from ..lineage.graph import mermaid as chart

        here.out.write(chart(found))
        return 0
    return here.answer(found, as_json=json, drawn=lambda: drawn(found, max(0, last), max(0, depth)))


def drawn(found: Lineage, last: int, depth: int) -> Iterator[Block]:
    """The trees of a lineage, and what is missing from them. Pure."""
    both = found.direction == "both"
    if found.direction != "down":
        yield from _part(found, "up", last, depth, titled=both)
    if both:
        yield BLANK
    if found.direction != "up":
        yield from _part(found, "down", last, depth, titled=both)
    for model in found.unread:
        yield Line.of(Span(f"{model.model} could not be read, and may have more: {model.why}", "bad"))
    if found.unread:
        yield hint("Look closer", f"flowreg check {found.unread[0].model}")


def _part(found: Lineage, direction: Literal["up", "down"], last: int, depth: int, *, titled: bool) -> Iterator[Block]:
    from ..lineage.graph import rows

    told = rows(found, direction, last=last, depth=depth)
    if titled:
        yield Line.of(strong(SAID[direction]))
    yield Tree(tuple((row.depth, tuple(_cells(row))) for row in told))
    if len(told) == len(found.roots):
        yield Line.of(quiet(f"  nothing is recorded that it {'comes from' if direction == 'up' else 'went into'}"))
    options = [
        name
        for name, cut in (("--last 0", any(r.left_out and not r.deeper for r in told)), ("--depth 0", any(r.deeper for r in told)))
        if cut
    ]
    if options:
        yield hint("All of it", " ".join(options))


def _cells(row: Row) -> Iterator[Cell]:
    if row.node is None:
        yield quiet(f"… {row.left_out} more{', deeper' if row.deeper else ''}")
        return
    if row.words:
        yield quiet(f"{'was' if row.facts.get('until') else row.words} ")
    yield from _node(row.node)
    yield from _how(row)
    if row.again:
        yield quiet(" (shown above)")


def _how(row: Row) -> Iterator[Cell]:
    """What is known of the way that led to a node."""
    facts = row.facts
    if (role := facts.get("role")) and (role, row.relation) != ("train", "trained"):
        yield quiet(f" ({role})")
    if facts.get("dirty"):
        yield Span(" with changes that were not committed", "warn")
    if row.relation == "alias":
        yield quiet(f"  since {moment(facts['since'])}" + (f", until {moment(facts['until'])}" if facts["until"] else ""))


def _node(node: Node) -> Iterator[Cell]:
    facts = node.facts
    match node.kind:
        case "version":
            yield from _version(node)
        case "dataset":
            yield strong(node.name)
            if facts["digest"] and facts["digest"] != node.name:
                yield quiet(f"  {digest(facts['digest'])}")
            if facts["rows"] is not None:
                yield quiet(f"  {counted(facts['rows'], 'row')}")
            others = [name for name in facts["uris"] if name != node.name]
            if others:
                yield quiet(f"  also {', '.join(others[:3])}{' …' if len(others) > 3 else ''}")
        case "commit":
            yield from (quiet("commit "), strong(node.name[:12]), quiet(f" of {facts['remote']}" if facts["remote"] else ""))
        case "run":
            yield from (quiet("run "), strong(node.name), *([quiet(f"  {facts['url']}")] if facts["url"] else []))
        case _:
            yield from (quiet(f"{node.kind} "), strong(node.name))


def _version(node: Node) -> Iterator[Cell]:
    yield Span(node.name, "name")
    if not node.facts.get("known", True):
        yield Span("  not in this registry, or its model cannot be read", "warn")
        return
    if node.facts["aliases"]:
        yield Span(f"  {', '.join(node.facts['aliases'])}", "good")
    if node.facts["retired"]:
        yield Span(f"  retired: {node.facts['retired']}", "bad")
    if node.facts["dropped"]:
        yield Span("  bytes dropped", "bad")
    yield quiet(f"  {node.facts['registered_at'][:10]} by {node.facts['by']}")
