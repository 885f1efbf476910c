"""What one version, or one alias, says about the graph: edges, and what is known of the things at their ends.

The id of a node is its *key*: ``version:churn@12+<digits of its manifest>``, so that a parent of another registry, whose number means
other bytes here, is another node; ``dataset:<digest, else URI, else name>``, ``run:<id>``, ``commit:<id>``, ``deployment:<name>``,
``alias:churn@champion``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ...core.aliases import AliasState
from ...core.events import Dataset, Git, Parent, Run
from ...core.state import EvaluationState, ModelState, VersionState
from .relations import MEASURING_ROLES
from .values import Edge

MANIFEST_DIGITS = 12
NO_FACTS: Mapping[str, Any] = {}


class Mention(NamedTuple):
    """What was recorded of a thing that is no version; ``names`` are what people may call it."""

    key: str
    said: Dataset | Run | Git | None
    names: tuple[str, ...] = ()


Said = Edge | Mention


def version_key(model: str, number: int, manifest: str) -> str:
    return f"version:{model}@{number}+{manifest[7 : 7 + MANIFEST_DIGITS]}"


def model_of(key: str) -> str | None:
    """The model of a version's key, or None for another key."""
    return key[8:].partition("@")[0] if key.startswith("version:") else None


def alias_key(model: str, alias: str) -> str:
    return f"alias:{model}@{alias}"


def dataset_key(data: Dataset) -> str | None:
    """The key of a dataset that says anything at all."""
    identity = data.digest or data.uri or data.name
    return None if identity is None else f"dataset:{identity}"


def registered(model: str, version: VersionState) -> Iterator[Said]:
    """What a version was made of and by."""
    said = version.said
    key = version_key(model, said.version, said.manifest)
    run_key = run_key_of(said.run, key)
    if said.run and run_key:
        yield Edge(run_key, key, "made")
        yield from _run(said.run, run_key)
    for data in said.data:
        yield from _data(data, key, run_key)
    for parent in said.parents:
        yield Edge(_parent_key(parent), key, "parent")
        if run_key:
            yield Edge(_parent_key(parent), run_key, "read")
    if said.reproduces is not None:
        yield Edge(_parent_key(said.reproduces), key, "reproduced")


def measured(model: str, version: VersionState, evaluations: Sequence[EvaluationState]) -> Iterator[Said]:
    """What a version was measured on, and by."""
    key = version_key(model, version.number, version.manifest)
    made_by = run_key_of(version.said.run, key)
    for evaluation in evaluations:
        said = evaluation.said
        data = Dataset(name=said.dataset, digest=said.dataset_digest)
        on = dataset_key(data)
        run_key = run_key_of(said.run, key) if said.run and said.run.flow_run else None
        if on:
            yield Mention(on, data, _names(data))
            yield Edge(on, key, "measured")
        if said.run and run_key and run_key != made_by:
            yield Edge(run_key, key, "measured")
            yield from _run(said.run, run_key)
        if on and run_key:
            yield Edge(on, run_key, "read")


def held(model: str, name: str, alias: AliasState, state: ModelState) -> Iterator[Said]:
    """The versions that an alias named: each once, with the last time that it did."""
    ends = [*(move.stamp.at for move in alias.moves[1:]), None]
    spans = {move.said.version: (move.stamp.at, end) for move, end in zip(alias.moves, ends, strict=True)}
    yield Mention(alias_key(model, name), None)
    for number, (since, until) in spans.items():
        if number is not None:
            source = version_key(model, number, state.versions[number - 1].manifest)
            yield Edge(source, alias_key(model, name), "alias", {"since": since, "until": until})


def _data(data: Dataset, version: str, run: str | None) -> Iterator[Said]:
    key = dataset_key(data)
    if key is None:
        return
    facts = _of_role(data.role) if data.role else NO_FACTS
    yield Mention(key, data, _names(data))
    yield Edge(key, version, "measured" if data.role in MEASURING_ROLES else "trained", facts)
    if run:
        yield Edge(key, run, "read", facts)


def _names(data: Dataset) -> tuple[str, ...]:
    return tuple(name for name in (data.digest, data.uri, data.name) if name)


def _run(run: Run, key: str) -> Iterator[Said]:
    named = run.flow_run_name
    full = f"{run.flow}/{named}" if run.flow and named else None
    yield Mention(key, run, tuple(name for name in (run.flow_run, named, full) if name))
    if run.git and run.git.commit:
        yield Mention(f"commit:{run.git.commit}", run.git)
        yield Edge(f"commit:{run.git.commit}", key, "code", {"dirty": True} if run.git.dirty else NO_FACTS)
    if run.deployment:
        yield Mention(f"deployment:{run.deployment}", run)
        yield Edge(f"deployment:{run.deployment}", key, "deployment")
    if run.parent_flow_run and run.parent_flow_run != run.flow_run:
        yield Mention(f"run:{run.parent_flow_run}", None, (run.parent_flow_run,))
        yield Edge(f"run:{run.parent_flow_run}", key, "called")


def run_key_of(run: Run | None, version: str) -> str | None:
    """The key of the run that made a version, where one was recorded. One outside any flow has no id: it is the run of that version."""
    if run is None:
        return None
    return f"run:{run.flow_run}" if run.flow_run else f"run:of {version[8:]}"


def _parent_key(parent: Parent) -> str:
    return version_key(parent.model, parent.version, parent.manifest)


@lru_cache(maxsize=64)
def _of_role(role: str) -> Mapping[str, Any]:
    """The same value for each edge of this role: there are as many edges as versions, and a handful of roles."""
    return {"role": role}
