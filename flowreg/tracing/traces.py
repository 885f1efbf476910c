"""What one registry object has read of lineage so far, kept as a graph that grows with the journals.

Rule 1: every answer is fresh: what was acknowledged before the question is in it.
Rule 2: the graph of the present is kept, and holds what the journals hold; graphs of the past are made for one answer.
Rule 3: upwards only the models on the way are read, since a version's own journal says what it comes from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from .. import reading
from ..core import decide
from ..core.state import EMPTY
from ..errors import Corrupt
from ..inside import Inside, Moment
from ..journals import Journals
from ..lineage.graph import Direction, Graph, Lineage, naming, said, walking
from ..storage.forks import ProcessLock
from .asking import Question, starts
from .states import States, every_model, states_now, states_then

_WALKS: dict[Direction, Callable[[Graph, Iterable[str]], walking.Found]] = {
    "up": walking.above, "down": walking.below, "both": walking.both,
}  # fmt: skip


class Traces:
    """The lineage of one registry. Safe in threads."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._of: tuple[int, Journals] | None = None
        self._graph = Graph()
        self._listed: list[str] = []

    def lineage(self, inside: Inside, asked: Question, as_of: Moment = None) -> Lineage:
        """The answer to one question."""
        at = reading.moment(as_of)
        with self._lock:
            kept = self._kept(inside)
            answer = _Answer(inside, kept if at is None else Graph(), asked, at)
            found = answer.of_ancestors() if asked.kind == "version" and asked.direction == "up" else None
            if found is None:
                self._listed = every_model(inside, self._listed)
                found = answer.of_all(self._listed)
            return found

    def _kept(self, inside: Inside) -> Graph:
        of = os.getpid(), inside.journals  # a forked child may have caught the graph while it grew
        if self._of != of:
            self._graph, self._listed, self._of = Graph(), [], of
        return self._graph


class _Answer:
    """One question while it is being answered."""

    def __init__(self, inside: Inside, graph: Graph, asked: Question, at: str | None) -> None:
        self.inside, self.graph, self.asked, self.at = inside, graph, asked, at
        self.seen = States()

    def of_all(self, models: Iterable[str]) -> Lineage:
        """The answer that every model may have a part in."""
        self._read(models)
        start = self._starts()
        return self._answered(start, _WALKS[self.asked.direction](self.graph, start))

    def of_ancestors(self) -> Lineage | None:
        """The answer to where a version comes from, or None where any model may know more: of a run of which only the id is known."""
        self._read([reading.as_ref(self.asked.ref).model])
        start = self._starts()
        while True:
            found = walking.above(self.graph, start)
            if any(key.startswith("run:") and not self.graph.said.get(key) for key in found[0]):
                return None
            wanted = {model for key in found[0] if (model := said.model_of(key))} - self.seen.read.keys() - self.seen.unread.keys()
            if not wanted:
                return self._answered(start, found)
            self._read(wanted)

    def _read(self, models: Iterable[str]) -> None:
        """Let the graph grow by the models that this question has not read yet."""
        wanted = [model for model in sorted(models) if model not in self.seen.read and model not in self.seen.unread]
        states = states_now(self.inside, wanted)
        states = states if self.at is None else states_then(self.inside, states, self.at)
        self.graph.leave_out(states.unread)
        for model, state in states.read.items():
            self.graph.grow(model, state)
        self.seen.add(states)

    def _starts(self) -> tuple[str, ...]:
        if self.asked.ref is None:
            return starts(self.graph, self.asked, self.inside.store.root, self.seen.unread.values())
        ref = reading.as_ref(self.asked.ref)
        if ref.model in self.seen.unread:
            self.inside.state(ref.model)  # raises what is wrong with it
            raise Corrupt(self.seen.unread[ref.model].why, do="run flowreg check")
        version = decide.resolve(self.seen.read.get(ref.model, EMPTY), ref)
        return (said.version_key(ref.model, version.number, version.manifest),)

    def _answered(self, start: tuple[str, ...], found: walking.Found) -> Lineage:
        unread = sorted(self.seen.unread.values(), key=lambda model: model.model)
        return naming.lineage(self.graph, start, self.asked.direction, found, as_of=self.at, unread=unread)
