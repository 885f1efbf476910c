"""The gate that tests a difference: ``{check: compare, metric: roc_auc, test: non_inferiority, margin: 0.004}``.

It compares example by example what candidate and baseline gave for the same data, and asks how much of the difference chance could
make. Which test fits which metric stands in ``statistics.known``; what passes in ``statistics.verdict``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ..core.decision import GateResult, Status
from ..core.events import Count, Ordinal
from ..core.names import alias_name
from ..errors import BadInput
from .comparing import Found, check_candidate, compared, source_of
from .evidence import Evidence, Source, Unmeasurable, plainly
from .family import Corrected, corrected
from .gate import Gate
from .part import Word
from .statistics.known import METHOD_NAMES, Better, Known, Method, known
from .statistics.verdict import Test, Verdict, verdict
from .telling import told
from .tree import Owner

_SHOWN = 5  # slices told in a sentence; the record has them all


def _against(name: str) -> str:
    return name if name == "current" or _version(name) else alias_name(name)


def _version(name: str) -> int | None:
    return int(name[1:]) if name[:1] == "v" and name[1:].isascii() and name[1:].isdigit() and 0 < len(name) < 10 else None


class Compare(Gate):
    """The candidate against the holder of ``against`` (an alias, ``current`` for the one being moved, or a version: ``v7``).

    ``non_inferiority`` needs a ``margin`` in the unit of the metric. ``alpha`` is the chance of a wrong pass (of a wrong block for
    ``no_harm``). ``slices`` names a column, each value of which is compared for itself; ``cluster`` one whose values are drawn
    as a whole (customers instead of rows), by bootstrap. ``better`` is for metrics that are not known here, which are the mean of
    the column of their name. Of several ``no_harm`` tests in a policy, those of one severity are corrected together (Holm).
    """

    kind: ClassVar[str] = "compare"
    noun: ClassVar[str] = "a compare gate"

    check: Literal["compare"] = "compare"
    metric: Word
    against: Annotated[str, AfterValidator(_against)] = "current"
    test: Test
    margin: Annotated[float | None, Field(gt=0, allow_inf_nan=False)] = None
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    method: Literal["auto", Method] = "auto"
    min_n: Ordinal | None = None
    cluster: Word | None = None
    slices: Word | None = None
    seed: Count = 0
    better: Better | None = None
    correction: Literal["holm", "none"] = "holm"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.margin is None) == (self.test == "non_inferiority"):
            needs = "needs a margin" if self.margin is None else "has no margin"
            raise BadInput(
                f"a test of {self.test} {needs}", do="margin is how much worse is still good enough: margin: 0.004", code="bad-policy"
            )
        fitting = ("bootstrap",) if self.cluster is not None else self.known.methods
        if self.method != "auto" and self.method not in fitting:
            what = f"{self.metric} with a cluster" if self.cluster is not None else self.metric
            do = f"method: {' or '.join(('auto', *fitting))}"
            raise BadInput(f"{what} is not compared by {METHOD_NAMES[self.method]}", do=do, code="bad-policy")
        if self.method == "permutation" and self.test == "non_inferiority":
            raise BadInput(
                "a permutation only tests for no difference at all", do="leave method out, or test superiority", code="bad-policy"
            )
        if self.correction == "none" and self.test != "no_harm":
            raise BadInput(
                f"of tests of {self.test} all must pass, which needs no correction", do="leave correction out", code="bad-policy"
            )
        return self

    @cached_property
    def known(self) -> Known:
        return known(self.metric, self.better)

    @property
    def chosen(self) -> Method:
        """The method: as given, or the one that fits."""
        if self.method != "auto":
            return self.method
        return "bootstrap" if self.cluster is not None else self.known.methods[0]

    @property
    def label(self) -> str:
        return self.id or f"{self.test} of {self.metric}" + (f" by {self.slices}" if self.slices else "")

    @property
    def owner(self) -> Owner:
        return _version(self.against) or self.against

    @property
    def owners(self) -> frozenset[Owner]:
        return frozenset({None, self.owner})

    def decided_on(self, evidence: Evidence) -> Sequence[Source]:
        source = source_of(evidence)
        return [source] if source else []

    def judge(self, evidence: Evidence) -> GateResult:
        if evidence.of(self.owner) is None:
            check_candidate(self, evidence)
            return self.nobody_holds(evidence.alias(self.against), evidence)
        found, holm = compared(self, evidence), corrected(self, evidence)
        if self.slices is None:
            return self._one(None, found, evidence, holm)
        return self._every_slice([self._slice(value, found, evidence, holm) for value in found])

    def to_json(self) -> dict[str, Any]:
        return {"check": self.check, **super().to_json()}

    def _one(self, value: str | None, found: Found, evidence: Evidence, holm: Corrected) -> GateResult:
        one = found[value]
        if isinstance(one, Unmeasurable):
            raise one
        estimate, margin, by_holm = one.estimate, self.margin or 0.0, holm.get(value)
        said = verdict(self.test, estimate, margin=margin, alpha=self.alpha)
        if by_holm is not None:
            said = Verdict("fail" if by_holm[0] < self.alpha else "pass")
        bound = estimate.high if self.test == "no_harm" else estimate.low
        return self.found(
            "pass" if said.finding == "pass" else "fail",
            told(self, one, said, self._whose(evidence), by_holm),
            left=one.candidate,
            right=one.baseline,
            headroom=None if bound is None or by_holm is not None else bound + margin,
            n=estimate.n,
            method=METHOD_NAMES[self.chosen],
            ci=None if estimate.low is None or estimate.high is None else (estimate.low, estimate.high),
            seed=estimate.seed,
        )

    def _slice(self, value: str | None, found: Found, evidence: Evidence, holm: Corrected) -> GateResult:
        """One slice, as a part of the result: its ``gate`` is the slice."""
        try:
            result = self._one(value, found, evidence, holm)
        except Unmeasurable as reason:
            result = self.found("error", str(reason))
        name = plainly(value or "")
        return result.model_copy(update={"gate": f"{self.slices}={name}", "sentence": f"{name}: {result.sentence}"})

    def _every_slice(self, parts: Sequence[GateResult]) -> GateResult:
        bad = sorted((part for part in parts if part.status != "pass"), key=lambda part: part.status)
        status: Status = "pass" if not bad else bad[0].status
        told = bad or sorted(parts, key=lambda part: _oriented(part, self.known.sign))[:1]
        more = f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
        sentences = "; ".join(part.sentence for part in told[:_SHOWN]) + more
        return self.found(
            status, f"{len(parts) - len(bad)}/{len(parts)} pass; {'' if bad else 'the least good is '}{sentences}", parts=tuple(parts)
        )

    def _whose(self, evidence: Evidence) -> str:
        index = evidence.of(self.owner)
        assert index is not None, "absent baselines are sorted out before"
        return f"{index.subject.ref if isinstance(self.owner, int) else evidence.alias(self.against)}'s"


def _oriented(part: GateResult, sign: int) -> float:
    """How much better the candidate is in a slice."""
    return sign * ((part.left or 0.0) - (part.right or 0.0))
