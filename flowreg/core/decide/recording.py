"""A version is registered, and what is found out about it is recorded."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import Refused
from ..events import Evaluated, Event, Labelled, VersionRegistered
from ..names import shown
from ..state import ModelState
from .finding import known


def register(state: ModelState, draft: VersionRegistered, evaluation: Evaluated | None) -> list[Event]:
    """Events that make ``draft`` the next version (its own number is ignored). None if its key was used for these bytes."""
    if draft.key is not None and (number := state.by_key.get(draft.key)):
        earlier = state.versions[number - 1]
        if earlier.manifest == draft.manifest:
            return []
        raise Refused(
            f"the key {shown(draft.key)} was used before, for a different artifact",
            where=f"version {number} ({earlier.manifest[:19]}…) against {draft.manifest[:19]}…; nothing was registered",
            do="use a new key for a new artifact, or leave it out",
            code="key-reused",
        )
    number = state.newest + 1
    events: list[Event] = [draft.model_copy(update={"version": number})]
    return events if evaluation is None else [*events, evaluation.model_copy(update={"version": number})]


def evaluate(state: ModelState, draft: Evaluated) -> list[Event]:
    """Events that record ``draft``. None if an evaluation with its key stands."""
    version = known(state, draft.version)
    if draft.key is not None and any(e.said.key == draft.key for e in version.evaluations):
        return []
    return [draft]


def label(state: ModelState, number: int, labels: Mapping[str, str | None]) -> list[Event]:
    """Events that set these labels; None takes one away. None where they stand already."""
    now = known(state, number).labels
    changed = {name: value for name, value in labels.items() if now.get(name) != value}
    return [Labelled(version=number, labels=changed)] if changed else []
