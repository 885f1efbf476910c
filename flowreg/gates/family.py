"""Which tests for harm are corrected together: of eight slices of a good model one in three times one looks worse by chance.

Rule 1: all ``no_harm`` tests of a policy with one severity are one family; what only warns never softens what must pass.
Rule 2: a test that could not be made is not counted: its gate blocks by itself, and the others are the stricter for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeGuard

from .comparing import compared
from .evidence import Evidence, Unmeasurable
from .gate import Gate
from .statistics.holm import adjusted

if TYPE_CHECKING:
    from .compare import Compare

Corrected = Mapping[str | None, tuple[float, int]]  # by the value of the slice: the p-value by Holm, and of how many tests


def corrected(gate: Compare, evidence: Evidence) -> Corrected:
    """For each test of ``gate`` how its p-value counts in the family.

    Nothing where there is but one test or no correction, and for a part of any_of, which is no test that all must pass.
    """
    if gate.test != "no_harm" or gate.correction == "none":
        return {}
    p_values: list[float] = []
    places: dict[str | None, int] = {}
    for member in evidence.gates:
        if not _is_alike(member, gate):
            continue
        for value, p in _p_values(member, evidence).items():
            if member is gate:
                places[value] = len(p_values)
            p_values.append(p)
    by_holm = adjusted(p_values)
    return {value: (by_holm[place], len(p_values)) for value, place in places.items()} if len(p_values) > 1 else {}


def _is_alike(other: Gate, gate: Compare) -> TypeGuard[Compare]:
    if not isinstance(other, type(gate)):
        return False
    return (other.test, other.correction, other.severity) == (gate.test, gate.correction, gate.severity)


def _p_values(gate: Compare, evidence: Evidence) -> dict[str | None, float]:
    try:
        found = compared(gate, evidence) if evidence.of(gate.owner) is not None else {}
    except Unmeasurable:
        return {}
    return {value: one.estimate.p_worse for value, one in found.items() if not isinstance(one, Unmeasurable)}
