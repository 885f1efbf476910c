"""Two tables as one: the examples of candidate and baseline, paired by id.

Rule 1: both have the same examples with the same truth, or they are not compared: leaving some out would choose the answer.
Rule 2: slices and clusters are those of the candidate's table; where the baseline's has the column too, both must agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...core.names import shown
from ..evidence import Unmeasurable
from ..statistics.arrays import Array
from .table import Table


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One table, its rows in the order of the pairs (None: as they stand). ``called`` names it in sentences."""

    called: str
    table: Table
    rows: Array | None = None

    def column(self, name: str) -> Array:
        """The column ``name``, or ``Unmeasurable``."""
        if name not in self.table.columns:
            has = ", ".join(shown(known) for known in sorted(self.table.columns)[:20])
            raise Unmeasurable(f"the examples of {self.called} have no column {name}; they have {has}")
        found = self.table.columns[name]
        return found if self.rows is None else found[self.rows]

    def where(self, chosen: Array) -> Side:
        """Only the pairs that a boolean array chooses."""
        return replace(self, rows=np.flatnonzero(chosen) if self.rows is None else self.rows[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The examples that both sides have, in the same order."""

    candidate: Side
    baseline: Side

    @property
    def truth(self) -> Array:
        return self.candidate.column("y")

    def shared(self, name: str) -> Array:
        """A column that says something about the example, not the model: a slice, a cluster."""
        found = self.candidate.column(name)
        if name in self.baseline.table.columns:
            _refuse_unequal(name, found, self.baseline.column(name), self)
        return found

    def where(self, chosen: Array) -> Pairs:
        return Pairs(self.candidate.where(chosen), self.baseline.where(chosen))


def paired(candidate: Side, baseline: Side) -> Pairs:
    """Both sides in the candidate's order; ``Unmeasurable`` where their ids or their truth differ."""
    mine, theirs = candidate.table.columns["id"], baseline.table.columns["id"]
    if (mine.dtype.kind == "U") != (theirs.dtype.kind == "U"):
        raise Unmeasurable(f"the ids of {candidate.called} and of {baseline.called} are not of one kind: one has numbers, one text")
    if np.array_equal(mine, theirs):
        _refuse_twins(candidate.called, mine if _rises(mine) else np.sort(mine))
        pairs = Pairs(candidate, baseline)
    else:
        pairs = Pairs(candidate, replace(baseline, rows=_rows_of(candidate.called, mine, baseline.called, theirs)))
    _refuse_unequal("y", pairs.truth, pairs.baseline.column("y"), pairs)
    return pairs


def _rows_of(my_name: str, mine: Array, their_name: str, theirs: Array) -> Array:
    """For each of ``mine`` its row in ``theirs``."""
    my_order, their_order = np.argsort(mine), np.argsort(theirs)
    my_sorted, their_sorted = mine[my_order], theirs[their_order]
    _refuse_twins(my_name, my_sorted)
    _refuse_twins(their_name, their_sorted)
    if not np.array_equal(my_sorted, their_sorted):
        raise Unmeasurable(
            f"the examples of {my_name} and of {their_name} are not the same: "
            f"{_lacking(my_sorted, their_sorted)} of the first are missing in the second, {_lacking(their_sorted, my_sorted)} the other way"
        )
    rows = np.empty(len(mine), dtype=np.intp)
    rows[my_order] = their_order
    return rows


def _rises(ids: Array) -> bool:
    return ids.dtype.kind != "U" and bool((ids[1:] > ids[:-1]).all())


def _refuse_twins(called: str, ordered: Array) -> None:
    twins = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(twins):
        raise Unmeasurable(f"{len(twins):,} ids of {called} are there more than once, first {shown(ordered[twins[0]].item())}")


def _lacking(these: Array, others: Array) -> str:
    missing = np.setdiff1d(these, others, assume_unique=True)
    return f"{len(missing):,} of {len(these):,}" + (f" (first {shown(missing[0].item())})" if len(missing) else "")


def _refuse_unequal(name: str, mine: Array, theirs: Array, pairs: Pairs) -> None:
    same_kind = (mine.dtype.kind == "U") == (theirs.dtype.kind == "U")
    differ = np.flatnonzero(mine != theirs) if same_kind else np.arange(len(mine))
    if len(differ):
        raise Unmeasurable(
            f"{name} of {pairs.candidate.called} and of {pairs.baseline.called} is not the same for {len(differ):,} examples, "
            f"first {shown(pairs.candidate.column('id')[differ[0]].item())}, so they are not from the same data"
        )
