"""How two things of a lineage are related: always from what was there first to what came of it.

Rule 1: a relation that does not carry ends a path downwards: that a version was measured on data makes neither its children nor its
aliases a product of that data, and that a run read a file does not say which of its versions the file went into.
Rule 2: so the same holds upwards: only what was asked about is shown with them. Down and up stay each other's inverse.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Relation = Literal["trained", "parent", "reproduced", "made", "code", "deployment", "called", "alias", "measured", "read"]


class Words(NamedTuple):
    """What a line of a tree says before a node: ``down`` where the node came of the one above it, ``up`` the other way round."""

    down: str
    up: str


WORDS: dict[Relation, Words] = {
    "trained": Words("trained", "trained on"),  # data -> version
    "parent": Words("parent of", "made from"),  # version -> version
    "reproduced": Words("reproduced as", "reproduces"),  # version -> version
    "made": Words("made", "made by"),  # run -> version
    "code": Words("ran as", "at"),  # commit -> run
    "deployment": Words("started", "of"),  # deployment -> run
    "called": Words("called", "called by"),  # run -> the run of a subflow
    "alias": Words("is", "is"),  # version -> alias
    "measured": Words("measured", "measured on"),  # data or run -> version
    "read": Words("read by", "read"),  # data or version -> run
}
MEASURED_BY = "measured by"  # upwards, before a run
ORDER: dict[Relation, int] = {relation: place for place, relation in enumerate(WORDS)}
ENDS: frozenset[Relation] = frozenset(("measured", "read"))
MEASURING_ROLES = frozenset(("test", "holdout", "eval", "evaluation"))  # of a ``Dataset``; any other role is data it was trained on
