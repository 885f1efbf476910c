"""What a walk has found as callers get it, with what is known of each node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...core.events import Dataset, Git, Run
from ...core.state import ModelState, VersionState
from .growing import Graph
from .values import Direction, Lineage, Node, Unread
from .walking import Found

STAMP_DIGITS = 6


def lineage(
    graph: Graph, starts: Iterable[str], direction: Direction, found: Found, *, as_of: str | None, unread: Iterable[Unread]
) -> Lineage:  # fmt: skip
    """What a walk has found, as a value."""
    keys, edges = found
    return Lineage(tuple(starts), direction, tuple([node(graph, key) for key in keys]), tuple(edges), as_of, tuple(unread))


def node(graph: Graph, key: str) -> Node:
    """The node of a key, with what is known of it."""
    known = graph.nodes.get(key)
    if known is None:
        known = graph.nodes[key] = _node(graph, key)
    return known


def _node(graph: Graph, key: str) -> Node:
    kind, _, rest = key.partition(":")
    said = graph.said.get(key, {}).values()
    match kind:
        case "version":
            return _version(graph, key, rest)
        case "alias":
            return _alias(graph, key, rest)
        case "dataset":
            return _dataset(key, [data for data in said if isinstance(data, Dataset)])
        case "run":
            return _run(key, rest, next((run for run in said if isinstance(run, Run)), None))
        case "commit":
            return _commit(key, rest, [git for git in said if isinstance(git, Git)])
        case _:
            return Node(key, kind, rest, {"work_pool": next((run.work_pool for run in said if isinstance(run, Run)), None)})


def _version(graph: Graph, key: str, rest: str) -> Node:
    ref, _, digits = rest.partition("+")
    model, _, number = ref.partition("@")
    state = graph.states.get(model)
    version = state.version(int(number)) if state else None
    facts = {"model": model, "number": int(number)}
    if state is None or version is None or not version.manifest.startswith(f"sha256:{digits}"):
        return Node(key, "version", f"{ref}+{digits[:STAMP_DIGITS]}", {**facts, "digest": f"sha256:{digits}", "known": False})
    return Node(key, "version", ref, {**facts, **_standing(state, version)})


def _standing(state: ModelState, version: VersionState) -> dict[str, Any]:
    return {
        "digest": version.manifest,
        "registered_at": version.stamp.at,
        "by": version.stamp.by.actor,
        "aliases": state.held_by(version.number),
        "retired": (version.retired.because or "no reason was given") if version.retired else None,
        "dropped": (version.dropped.because or "no reason was given") if version.dropped else None,
    }


def _alias(graph: Graph, key: str, rest: str) -> Node:
    model, _, name = rest.partition("@")
    state = graph.states.get(model)
    alias = state.aliases.get(name) if state else None
    return Node(key, "alias", rest, {"model": model, "alias": name, "version": alias.version if alias else None})


def _dataset(key: str, said: list[Dataset]) -> Node:
    uris = tuple(dict.fromkeys(data.uri for data in said if data.uri))
    names = tuple(dict.fromkeys(data.name for data in said if data.name))
    digest = next((data.digest for data in said if data.digest), None)
    rows = next((data.rows for data in said if data.rows is not None), None)
    name = next(iter((*uris, *names, digest or key.partition(":")[2])))
    return Node(key, "dataset", name, {"digest": digest, "uris": uris, "names": names, "rows": rows})


def _run(key: str, rest: str, run: Run | None) -> Node:
    if run is None:
        return Node(key, "run", rest, {"flow": None, "flow_run": rest, "flow_run_name": None, "deployment": None, "url": None})
    named = "/".join(filter(None, (run.flow, run.flow_run_name or run.flow_run)))
    facts = {name: getattr(run, name) for name in ("flow", "flow_run", "flow_run_name", "deployment", "url")}
    return Node(key, "run", named or f"a run outside any flow, {rest.partition('+')[0]}", facts)


def _commit(key: str, rest: str, said: list[Git]) -> Node:
    remote = next((git.remote for git in said if git.remote), None)
    return Node(key, "commit", rest, {"commit": rest, "remote": remote})
