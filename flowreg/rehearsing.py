"""A policy tried on the past: which promotions would it have let pass?

Rule 1: each is judged as of then: the holder, the evaluations, the words of people that the journal had just before it.
Rule 2: nothing is written, and no code that the policy names is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import judging, reading
from .core.aliases import Move
from .core.decision import Decision
from .core.policies import PolicyRecord
from .core.state import EMPTY, ModelState
from .inside import Inside


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A promotion of the past, and the decision that the policy would have come to then. ``how`` is as in ``AliasMoved``."""

    model: str
    version: int
    alias: str
    at: str
    by: str
    how: str
    decision: Decision


def rehearse(inside: Inside, record: PolicyRecord) -> tuple[Rehearsed, ...]:
    """Every promotion that the policy covers, the oldest first."""
    covered = [model for model in reading.model_names(inside.store) if record.covers(model, record.alias)]
    return tuple(sorted((one for model in covered for one in _of_model(inside, model, record)), key=lambda one: one.at))


def _of_model(inside: Inside, model: str, record: PolicyRecord) -> Iterator[Rehearsed]:
    people = inside.journals.registry.state(fresh=False).people
    for move, before in _moves(inside, model, record.alias):
        number, stamp = move.said.version, move.stamp
        assert number is not None, "those that name nobody are left out"
        decision = judging.judged(
            inside.store, model, before, number, record, by=stamp.by, people=people, asked_at=stamp.at, call=None
        )  # fmt: skip
        yield Rehearsed(model, number, record.alias, stamp.at, stamp.by.actor, move.said.how, decision)


def _moves(inside: Inside, model: str, alias: str) -> Iterator[tuple[Move, ModelState]]:
    """Every move of the alias forward to a version, with the state just before it."""
    journal = inside.journals.of(model)
    journal.state()
    slots: list[Any] = list(journal.slots())
    before, done = EMPTY, 0
    for move in _forward(inside.journals.replay(slots), alias):
        upto = next(place for place, slot in enumerate(slots) if slot.seq == move.stamp.seq)
        before, done = inside.journals.replay(slots[done:upto], before), upto
        yield move, before


def _forward(state: ModelState, alias: str) -> list[Move]:
    moves = state.aliases[alias].moves if alias in state.aliases else ()
    return [move for move in moves if move.said.version is not None and move.said.how in ("promotion", "override", "set")]
