"""What every kind of gate has in common.

Rule 1: a kind is one module with one class: its fields and ``judge``. ``kinds.py`` lists them.
Rule 2: a gate that cannot be judged, for whatever reason, is ``error``, and an error blocks.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from ..core.decision import GateResult, Status
from ..core.names import shown
from .evidence import Evidence, Source, Unmeasurable
from .part import Label, Part, Text
from .tree import Owner

Baseline = Literal["fail", "skip"]


class Gate(Part):
    """One rule of a policy.

    ``severity`` ``warn`` never blocks, but is shown. ``why`` is a note for readers. ``no_baseline`` says what happens where
    nobody holds the alias that the gate compares with; None: as the policy says.
    """

    kind: ClassVar[str]

    id: Label | None = None
    severity: Literal["fail", "warn"] = "fail"
    why: Text | None = None
    no_baseline: Baseline | None = None

    @property
    def label(self) -> str:
        """How reports call the gate."""
        return self.id or self.kind

    @property
    def owners(self) -> frozenset[Owner]:
        """Whose facts the gate looks at; None is the candidate."""
        return frozenset({None})

    def decided_on(self, evidence: Evidence) -> Sequence[Source]:
        """The data behind the candidate's own numbers that this gate looks at."""
        return ()

    @abstractmethod
    def judge(self, evidence: Evidence) -> GateResult:
        """What the gate finds. May raise: ``result_of`` turns that into an ``error``."""

    def nobody_holds(self, alias: str, evidence: Evidence) -> GateResult:
        """There is no baseline: ``skip`` where the policy gives leave, else an error."""
        said = f"nobody holds {alias} of {evidence.facts.model} yet, so there is nothing to compare with"
        if (self.no_baseline or evidence.no_baseline) == "skip":
            return self.found("skip", f"{said}; skipped, as the policy says")
        return self.found("error", f"{said}; set no_baseline: skip if the first version may go without")

    def found(self, status: Status, sentence: str, **numbers: Any) -> GateResult:
        return GateResult(
            gate=self.label, kind=self.kind, severity=self.severity, status=status, sentence=sentence, why=self.why, **numbers
        )  # fmt: skip


def result_of(gate: Gate, evidence: Evidence) -> GateResult:
    """Judge one gate; whatever goes wrong is an ``error`` with its reason."""
    try:
        return gate.judge(evidence)
    except Unmeasurable as reason:
        return gate.found("error", str(reason))
    except Exception as error:  # A gate that breaks must block and say so, not let the others decide without it.
        return gate.found("error", f"the gate itself failed: {type(error).__name__}: {shown(str(error), 300)}")
