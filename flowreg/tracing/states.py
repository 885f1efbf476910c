"""The states that a question about lineage needs: of some models or of all, now or at a moment of the past.

Rule 1: what was read is not read again. Of models that are known only the next entries are asked for, of all of them in one batch.
Rule 2: a model that is damaged costs the answer only what it knows, and is named. Storage that does not answer is an error.
Rule 3: of the past, only models that were written to both before and after the moment are read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .. import reading
from ..core.layout import HEADS, model_of_head
from ..core.state import EMPTY, ModelState
from ..errors import Corrupt
from ..inside import Inside
from ..lineage.graph import Unread
from ..storage.parallel import parallel_map

THREADS = 8


@dataclass(frozen=True, slots=True)
class States:
    """States by model, and the models that could not be read."""

    read: dict[str, ModelState] = field(default_factory=dict)
    unread: dict[str, Unread] = field(default_factory=dict)

    def add(self, other: States) -> None:
        self.read.update(other.read)
        self.unread.update(other.unread)


def every_model(inside: Inside, known: Iterable[str]) -> list[str]:
    """The name of every model. The registry's journal names each before its first entry, but for those of older times, which are among
    the ``known``, or are looked for in every folder where the heads name other models than it does."""
    named = inside.journals.registry.state().models
    if known:
        return sorted(named | set(known))
    heads = {model_of_head(name) for name in inside.store.names(HEADS)}
    return sorted(named if heads == named else named | set(reading.model_names(inside.store)))


def states_now(inside: Inside, models: Sequence[str]) -> States:
    """The states now."""
    found = States()
    for model, state in inside.journals.states(models).items():
        if isinstance(state, Corrupt):
            found.unread[model] = Unread(model, state.what)
        else:
            found.read[model] = state
    return found


def states_then(inside: Inside, now: States, at: str) -> States:
    """The states at the moment ``at``, of the models whose states are ``now``."""

    def then(model: str) -> ModelState | Unread:
        try:
            return _then(inside, model, now.read[model], at)
        except Corrupt as error:
            return Unread(model, error.what)

    found = States(unread=dict(now.unread))
    for model, state in zip(now.read, parallel_map(then, list(now.read), threads=THREADS), strict=True):
        if isinstance(state, Unread):
            found.unread[model] = state
        else:
            found.read[model] = state
    return found


def _then(inside: Inside, model: str, now: ModelState, at: str) -> ModelState:
    if now.at <= at:
        return now
    if not now.versions or now.versions[0].stamp.at > at:
        return EMPTY
    return inside.state(model, at)
