"""What a person means by a file, a run, a commit: the keys of the nodes that go by such a name."""

from __future__ import annotations

from collections.abc import Iterable

from .growing import Graph

SHORTEST_COMMIT = 4  # digits, as git has it
SHORTEST_DIGEST = len("sha256:") + 6


def datasets(graph: Graph, names: Iterable[str]) -> tuple[str, ...]:
    """Datasets by digest (also its first digits), URI or name."""
    found: dict[str, None] = {}
    for name in names:
        found |= {key: None for key in graph.named.get(name, ()) if key.startswith("dataset:")}
        if name.startswith("sha256:") and SHORTEST_DIGEST <= len(name) < len("sha256:") + 64:
            found |= {key: None for key in graph.said if key.startswith(f"dataset:{name}")}
    return tuple(found)


def runs(graph: Graph, name: str) -> tuple[str, ...]:
    """Runs by id, by name (``amber-fox``), or with the flow's (``train-churn/amber-fox``)."""
    return tuple(key for key in graph.named.get(name, ()) if key.startswith("run:"))


def commits(graph: Graph, start: str) -> tuple[str, ...]:
    """Commits whose id starts like this."""
    wanted = f"commit:{start.lower()}"
    return tuple(key for key in graph.said if key.startswith(wanted)) if len(start) >= SHORTEST_COMMIT else ()
