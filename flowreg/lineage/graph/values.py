"""What a question about lineage is answered with: frozen values, the same in Python and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .relations import Relation

Direction = Literal["up", "down", "both"]


@dataclass(frozen=True, slots=True)
class Node:
    """One thing: ``id`` names it for good (``version:churn@12+3fa9c1d2e4f5``), ``name`` is what people call it. ``facts`` by kind:

    ``version``: model, number, digest, and what is known of it here: registered_at, by, aliases, retired and dropped (why, or None).
    A version of another registry, or of a model that could not be read, has ``known`` False instead, and only the first digits
    of its digest.
    ``dataset``: digest, uris, names, rows. The same content is the same dataset, wherever it lies; without a digest the same URI, or name.
    ``run``: flow, flow_run, flow_run_name, deployment, url. ``commit``: commit, remote.
    ``deployment``: the name of a Prefect deployment, work_pool. ``alias``: model, alias, version (the number that holds it, or None).
    """

    id: str
    kind: str
    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edge:
    """``target`` came of ``source`` (ids of nodes). ``relation`` says how; ``facts`` has the ``role`` of data, ``dirty`` where a run had
    changes on top of a commit, or ``since`` when an alias named a version and ``until`` when (None: it still does)."""

    source: str
    target: str
    relation: Relation
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unread:
    """A model whose journal could not be read, and why: what it knows is missing from the answer."""

    model: str
    why: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where something comes from (``up``), what came of it (``down``), or both. ``roots`` are the ids that were asked about."""

    roots: tuple[str, ...]
    direction: Direction
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    as_of: str | None = None
    unread: tuple[Unread, ...] = ()

    @property
    def versions(self) -> tuple[str, ...]:
        """The references of the versions in it that this registry has, without those that were asked about."""
        there = (node for node in self.nodes if node.kind == "version" and node.facts.get("known", True))
        return tuple(node.name for node in there if node.id not in self.roots)

    def node(self, id: str) -> Node:
        """The node of this id; ``KeyError`` where there is none."""
        for node in self.nodes:
            if node.id == id:
                return node
        raise KeyError(id)
