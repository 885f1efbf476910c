"""The gate that is met if one of several is: ``any_of: [latency <= 40 ms, artifact.size <= 50 MB]``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from ..core.decision import GateResult, Status
from ..errors import BadInput
from .evidence import Evidence
from .gate import Gate, result_of
from .kinds import AnyGate
from .tree import Owner


class AnyOf(Gate):
    """Two or more gates of which one must pass. A part that is skipped does not count as one that passed."""

    kind: ClassVar[str] = "any_of"
    noun: ClassVar[str] = "an any_of gate"

    any_of: Annotated[tuple[AnyGate, ...], Field(strict=False, min_length=2)]

    @model_validator(mode="after")
    def _parts_are_plain(self) -> Self:
        for part in self.any_of:
            if isinstance(part, AnyOf):
                raise BadInput("any_of stands inside any_of", do="write all the parts in one list", code="bad-policy")
            if part.severity != "fail":
                raise BadInput("a part of any_of has no severity of its own", do="set severity of the any_of", code="bad-policy")
        return self

    @property
    def label(self) -> str:
        return self.id or f"any of: {' | '.join(part.label for part in self.any_of)}"

    @property
    def owners(self) -> frozenset[Owner]:
        return frozenset[Owner]().union(*(part.owners for part in self.any_of))

    def judge(self, evidence: Evidence) -> GateResult:
        inner = replace(evidence, no_baseline=self.no_baseline or evidence.no_baseline)
        parts = tuple(result_of(part, inner) for part in self.any_of)
        status = _together([part.status for part in parts])
        if status == "pass":
            met = next(part for part in parts if part.status == "pass")
            return self.found(status, f"{met.sentence} ({_count(parts, 'pass')} of {len(parts)} hold)", parts=parts)
        return self.found(status, f"none of {len(parts)} holds: {'; '.join(part.sentence for part in parts)}", parts=parts)

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "any_of": [part.to_json() for part in self.any_of]}


def _together(statuses: list[Status]) -> Status:
    """One pass is enough. Else what still may become one: a person, then a measurement; skipped only if all are."""
    order: tuple[Status, ...] = ("pass", "pending", "error", "fail")
    return next((status for status in order if status in statuses), "skip")


def _count(parts: tuple[GateResult, ...], status: Status) -> int:
    return sum(part.status == status for part in parts)
