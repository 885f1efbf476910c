"""A lineage as the rows of a tree, in the order in which they are shown. How they look is not said here.

Rule 1: what came before is not shown twice: the second time a node stands alone, with ``again``.
Rule 2: nothing is left out in silence: a row without a node says how many are.
Rule 3: no recursion: a version that was trained on from the one before it, every night for years, is a tree of a thousand levels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .relations import ENDS, MEASURED_BY, ORDER, WORDS, Relation
from .values import Edge, Lineage, Node


@dataclass(frozen=True, slots=True)
class Row:
    """A node ``depth`` steps from what was asked about, with ``words`` before it. Without one: ``left_out`` nodes would stand here."""

    depth: int
    node: Node | None = None
    relation: Relation | None = None
    words: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    again: bool = False
    left_out: int = 0
    deeper: bool = False


def rows(lineage: Lineage, direction: Literal["up", "down"], *, last: int = 0, depth: int = 0) -> tuple[Row, ...]:
    """The tree in one direction, a root at depth 0. Of more than ``last`` nodes side by side the newest are shown, and no more than
    ``depth`` levels; 0 for all."""
    nodes = {node.id: node for node in lineage.nodes}
    sides = _sides(lineage.edges, nodes, direction)
    told: list[Row] = []
    expanded: set[str] = set()
    waiting = [Row(0, node=nodes[root]) for root in reversed(lineage.roots)]
    while waiting:
        row = waiting.pop()
        if row.node is None:
            told.append(row)
            continue
        edges = _open(sides.get(row.node.id, []), row, direction, row.node.id in lineage.roots)
        again = bool(edges) and row.node.id in expanded
        told.append(replace(row, again=again))
        if not edges or again:
            continue
        if depth and row.depth >= depth:
            told.append(Row(row.depth + 1, left_out=len(edges), deeper=True))
            continue
        expanded.add(row.node.id)
        waiting += reversed(_under(row, edges, nodes, direction, last))
    return tuple(told)


def _sides(edges: Iterable[Edge], nodes: Mapping[str, Node], direction: str) -> dict[str, list[Edge]]:
    """The edges of each node that lead on, sorted: by relation, then newest first."""
    sides: dict[str, list[Edge]] = {}
    for edge in edges:
        sides.setdefault(edge.target if direction == "up" else edge.source, []).append(edge)
    for found in sides.values():
        found.sort(key=lambda edge: _place(edge, nodes[_other(edge, direction)]))
    return sides


def _place(edge: Edge, node: Node) -> tuple[Any, ...]:
    if node.kind == "version":
        return ORDER[edge.relation], node.kind, node.facts["model"], -node.facts["number"]
    return ORDER[edge.relation], node.kind, node.name, 0


def _other(edge: Edge, direction: str) -> str:
    return edge.source if direction == "up" else edge.target


def _open(edges: list[Edge], row: Row, direction: str, asked: bool) -> list[Edge]:
    """The edges that carry on from here: downwards none after one that ends a path, upwards such only from what was asked about."""
    if direction == "down":
        return [] if row.relation in ENDS else edges
    return edges if asked else [edge for edge in edges if edge.relation not in ENDS]


def _line(row: Row, edge: Edge, node: Node, direction: str) -> Row:
    by_run = (edge.relation, direction, node.kind) == ("measured", "up", "run")
    return Row(row.depth + 1, node, edge.relation, MEASURED_BY if by_run else getattr(WORDS[edge.relation], direction), edge.facts)


def _under(row: Row, edges: list[Edge], nodes: Mapping[str, Node], direction: str, last: int) -> list[Row]:
    shown = edges[: last or None]
    told = [_line(row, edge, nodes[_other(edge, direction)], direction) for edge in shown]
    left = len(edges) - len(shown)
    return [*told, *([Row(row.depth + 1, left_out=left)] if left else [])]
