"""All that is known, as a graph that grows with the journals.

Rule 1: a state is walked over once. Of a newer state of the same model only the versions, evaluations and aliases that are not the very
same values are looked at, whatever happened in between.
Rule 2: a state that is not what came after the one before (a file was restored) starts the model anew.
Rule 3: it keeps no copy: texts and values are those of the states. It is as large as the journals make it; no question adds to it.

Not safe in threads by itself: whoever asks and grows holds a lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...core.events import Dataset, Git, Run
from ...core.state import ModelState, VersionState
from .relations import Relation
from .said import Mention, Said, held, measured, registered, version_key
from .values import Edge, Node

Thing = Dataset | Run | Git


class Graph:
    """Nodes by key, with what came of each (``below``) and what each came of (``above``)."""

    def __init__(self, states: Mapping[str, ModelState] | None = None) -> None:
        self.states: dict[str, ModelState] = {}
        self.below: dict[str, dict[tuple[str, Relation], Edge]] = {}  # by their targets
        self.above: dict[str, list[Edge]] = {}
        self.said: dict[str, dict[object, Thing]] = {}  # what was recorded of a thing, each way once
        self.named: dict[str, dict[str, None]] = {}  # the keys of what goes by this name
        self.nodes: dict[str, Node] = {}  # those that an answer has named, until something new is said of them
        for model, state in (states or {}).items():
            self.grow(model, state)

    def grow(self, model: str, state: ModelState) -> None:
        """Take in what ``state`` says about ``model`` beyond what is known."""
        before = self.states.get(model)
        if before is state or (before is not None and state.seq < before.seq):
            return
        if before is not None and not _goes_on(before, state):
            self.leave_out([model])
            before = None
        old = before.versions if before else ()
        for place, version in enumerate(state.versions):
            known = old[place] if place < len(old) else None
            if known is not version:
                self._version(model, version, known)
        for name, alias in state.aliases.items():
            if before is None or before.aliases.get(name) is not alias:
                self._take(held(model, name, alias, state))
        self.states[model] = state

    def leave_out(self, models: Iterable[str]) -> None:
        """Forget what these models say."""
        gone = set(models) & set(self.states)
        if gone:
            anew = Graph({model: state for model, state in self.states.items() if model not in gone})
            self.states, self.below, self.above, self.said, self.named = anew.states, anew.below, anew.above, anew.said, anew.named
            self.nodes = {}

    def _version(self, model: str, version: VersionState, known: VersionState | None) -> None:
        self.nodes.pop(version_key(model, version.number, version.manifest), None)
        if known is None:
            self._take(registered(model, version))
        self._take(measured(model, version, version.evaluations[len(known.evaluations) if known else 0 :]))

    def _take(self, told: Iterable[Said]) -> None:
        for said in told:
            if isinstance(said, Mention):
                self._mention(said)
            else:
                self._join(said)

    def _join(self, edge: Edge) -> None:
        leading = self.below.setdefault(edge.source, {})
        before = leading.get((edge.target, edge.relation))
        if before == edge:
            return
        leading[edge.target, edge.relation] = edge
        coming = self.above.setdefault(edge.target, [])
        if before is None:
            coming.append(edge)
        else:
            coming[coming.index(before)] = edge
        if edge.relation == "alias":
            self.nodes.pop(edge.source, None)  # it names the aliases that it holds

    def _mention(self, said: Mention) -> None:
        self.nodes.pop(said.key, None)
        known = self.said.setdefault(said.key, {})
        if said.said is not None:
            known.setdefault(_way(said.said), said.said)
        for name in said.names:
            self.named.setdefault(name, {})[said.key] = None


def _way(said: Thing) -> object:
    """What tells two records of one thing apart, as far as they are shown: not how many rows it had each night."""
    match said:
        case Dataset():
            return said.uri, said.name
        case Git():
            return said.remote
        case Run():
            return None


def _goes_on(before: ModelState, after: ModelState) -> bool:
    """Whether ``after`` is a later state of the same journal, as far as the graph depends on it."""
    if len(after.versions) < len(before.versions):
        return False
    pairs = zip(before.versions, after.versions, strict=False)
    return all(
        b is a or ((b.said is a.said or b.said == a.said) and a.evaluations[: len(b.evaluations)] == b.evaluations) for b, a in pairs
    )
