"""The gate that is an expression: ``auc >= champion.auc - 0.005``, ``recall[region=*] >= 70%``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from ..core.decision import GateResult, Status
from ..core.events import Ordinal
from ..errors import BadInput
from .arithmetic import HOLDS, compute
from .evidence import Evidence, Source, Unmeasurable, plainly
from .gate import Gate
from .grammar import parse
from .reading import UNDECIDED, Reading, Sources, asked_dataset, read_metric, read_plain, sources_of, values_of
from .saying import FAIL_WORDS, MISS_WORDS, PASS_WORDS, brief, pair, side, trimmed
from .tree import Comparison, Metric, Owner, Plain

_SHOWN = 5  # slices named in a sentence; the record has them all


class Expr(Gate):
    """A comparison of measured numbers.

    ``min_n`` is how many examples each measured value needs, ``slices_min`` how many values ``[key=*]`` must match.
    """

    kind: ClassVar[str] = "expression"
    noun: ClassVar[str] = "an expression gate"

    expr: Annotated[str, StringConstraints(strip_whitespace=True)]
    min_n: Annotated[Ordinal | None, Field()] = None
    slices_min: Annotated[Ordinal | None, Field()] = None

    @model_validator(mode="before")
    @classmethod
    def _bare_text(cls, value: object) -> object:
        return {"expr": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        tree = self.tree  # an expression that cannot be read is refused here
        if self.min_n is not None and not tree.metrics:
            raise BadInput(f"min_n counts examples, and {self.expr} has no metric", do="leave min_n out", code="bad-policy")
        if self.slices_min is not None and not tree.star:
            raise BadInput(f"slices_min counts slices, and {self.expr} has no [key=*]", do="leave slices_min out", code="bad-policy")
        return self

    @cached_property
    def tree(self) -> Comparison:
        return parse(self.expr)

    @property
    def label(self) -> str:
        return self.id or self.expr

    @property
    def owners(self) -> frozenset[Owner]:
        return frozenset(name.owner for name in self.tree.names)

    def decided_on(self, evidence: Evidence) -> Sequence[Source]:
        own = [metric for metric in self.tree.metrics if metric.owner is None and metric.dataset is None]
        found = (evidence.subjects[None].source(metric, asked_dataset(metric, evidence)) for metric in own)
        return [source for source in found if source is not None]

    def judge(self, evidence: Evidence) -> GateResult:
        absent = [owner for owner in self.owners if evidence.of(owner) is None]
        there = [name for name in self.tree.names if name.owner not in absent]
        sources = sources_of([name for name in there if isinstance(name, Metric)], evidence)
        if absent:
            return self._without_baseline(there, sources, evidence, str(min(map(str, absent))))
        if self.tree.star:
            return self._every_slice(sources, evidence)
        return self._one(self.tree, self._read(there, sources, evidence))

    def _read(
        self, names: Sequence[Metric | Plain], sources: Sources, evidence: Evidence, at: str | None = None
    ) -> dict[Metric | Plain, Reading]:
        """The number behind every name, with ``*`` filled in by ``at``."""
        return {
            name: read_plain(name, evidence)
            if isinstance(name, Plain)
            else read_metric(name.at(at) if at is not None else name, sources[name], evidence, self.min_n)
            for name in names
        }

    def _one(self, tree: Comparison, readings: dict[Metric | Plain, Reading]) -> GateResult:
        left, right, headroom = compute(tree, {name: reading.value for name, reading in readings.items()})
        holds = HOLDS[tree.comparator](left, right)
        printed = pair(left, right)
        word = PASS_WORDS[tree.comparator] if holds else FAIL_WORDS[tree.comparator]
        counts = [reading.n for reading in readings.values() if reading.n is not None]
        return self.found(
            "pass" if holds else "fail",
            f"{side(tree.left, printed[0])} is {word} {side(tree.right, printed[1])}",
            left=_finite(left),
            right=_finite(right),
            headroom=_finite(headroom),
            n=min(counts, default=None),
        )

    def _every_slice(self, sources: Sources, evidence: Evidence) -> GateResult:
        values = self._values(sources, evidence)
        parts = tuple(self._slice(value, sources, evidence) for value in values)
        measured = [part for part in parts if part.headroom is not None]
        worst = min(measured, key=_headroom, default=None)
        passed = sum(part.status == "pass" for part in parts)
        status: Status = "pass" if passed == len(parts) else "error" if len(measured) < len(parts) else "fail"
        numbers = {} if worst is None else {"left": worst.left, "right": worst.right, "headroom": worst.headroom, "n": worst.n}
        sentence = f"{passed}/{len(parts)} pass; {self._told(parts, worst)}" + (UNDECIDED if status == "error" else "")
        return self.found(status, sentence, parts=parts, **numbers)

    def _values(self, sources: Sources, evidence: Evidence) -> list[str]:
        values = values_of(sources, evidence)
        if len(values) < (self.slices_min or 1):
            raise Unmeasurable(f"[{self.tree.star}=*] matches {len(values)} slices, {self.slices_min or 1} needed{UNDECIDED}")
        return values

    def _slice(self, value: str, sources: Sources, evidence: Evidence) -> GateResult:
        """One slice, as a part of the result: its ``gate`` is the slice, its sentence is short."""
        gate = f"{self.tree.star}={plainly(value)}"
        try:
            result = self._one(self.tree, self._read(self.tree.names, sources, evidence, at=value))
        except Unmeasurable as reason:
            return self.found("error", str(reason).removesuffix(UNDECIDED)).model_copy(update={"gate": gate})
        return result.model_copy(update={"gate": gate, "sentence": f"{plainly(value)}: {self._by_how_much(result)}"})

    def _by_how_much(self, result: GateResult) -> str:
        left, right, headroom = (Decimal(repr(number or 0.0)) for number in (result.left, result.right, result.headroom))
        printed = trimmed(pair(left, right)[0])
        distance = brief(abs(headroom))
        return f"{printed}, {distance} to spare" if result.status == "pass" else f"{printed}, {MISS_WORDS[self.tree.comparator]} {distance}"

    def _told(self, parts: Sequence[GateResult], worst: GateResult | None) -> str:
        bad = sorted(
            (part for part in parts if part.status != "pass"), key=lambda part: part.headroom if part.headroom is not None else -math.inf
        )
        if not bad and worst is not None:
            return f"closest is {worst.sentence}"
        more = f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        return "; ".join(part.sentence for part in bad[:_SHOWN]) + more

    def _without_baseline(self, there: Sequence[Metric | Plain], sources: Sources, evidence: Evidence, absent: str) -> GateResult:
        """Nobody to compare with. What can be read of the others must still be sound, so that a skip hides no error."""
        for value in self._values(sources, evidence) if any(metric.star for metric in sources) else [None]:
            self._read(there, sources, evidence, at=value)
        return self._no_holder(absent, evidence)

    def _no_holder(self, absent: str, evidence: Evidence) -> GateResult:
        alias, candidate = evidence.alias(absent), evidence.subjects[None]
        for metric in self.tree.metrics:
            if ((dotted := f"{metric.owner}.{metric.metric}"), metric.slice) in candidate.newest:
                raise Unmeasurable(
                    f"{dotted} means {metric.metric} of {alias}, which nobody holds; to gate a metric, call it without the dot"
                )
        return self.nobody_holds(alias, evidence)


def _headroom(measured: GateResult) -> float:
    assert measured.headroom is not None, "what was not measured is sorted out before"
    return measured.headroom


def _finite(number: Decimal) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise Unmeasurable("a number in it becomes too large")
    return value
