"""Everything above or below some nodes. Law: ``b`` is below ``a`` exactly if ``a`` is above ``b``."""

from __future__ import annotations

from collections.abc import Iterable

from .growing import Graph
from .relations import ENDS
from .values import Edge

Found = tuple[dict[str, None], list[Edge]]


def below(graph: Graph, starts: Iterable[str]) -> Found:
    """The keys of all that came of ``starts``, themselves first, and the edges on the ways there."""
    found, ends, edges = dict.fromkeys(starts), dict[str, None](), list[Edge]()
    for key in (waiting := list(found)):
        leading = graph.below.get(key, {}).values()
        edges += leading
        for edge in leading:
            if edge.relation in ENDS:
                ends[edge.target] = None
            elif edge.target not in found:
                found[edge.target] = None
                waiting.append(edge.target)
    return found | ends, edges


def above(graph: Graph, starts: Iterable[str]) -> Found:
    """The keys of all that ``starts`` came of, themselves first, and the edges on the ways there."""
    found, edges = dict.fromkeys(starts), list[Edge]()
    asked = set(found)
    for key in (waiting := list(found)):
        for edge in graph.above.get(key, ()):
            if edge.relation in ENDS and key not in asked:
                continue
            edges.append(edge)
            if edge.source not in found:
                found[edge.source] = None
                waiting.append(edge.source)
    return found, edges


def both(graph: Graph, starts: Iterable[str]) -> Found:
    """``above`` and ``below`` in one."""
    up, down = above(graph, starts), below(graph, starts)
    edges = {(edge.source, edge.target, edge.relation): edge for edge in (*up[1], *down[1])}
    return up[0] | down[0], list(edges.values())
