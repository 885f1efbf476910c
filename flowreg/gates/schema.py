"""The gate that compares what two versions take: ``{check: schema, compatible_with: champion, mode: backward}``."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator

from ..core.decision import GateResult
from ..core.names import alias_name
from ..core.signature import Signature, breaks, differences, read_signature
from ..errors import BadInput
from .evidence import Evidence, Unmeasurable, plainly
from .gate import Gate
from .tree import Owner

_SHOWN = 5


def _holder(name: str) -> str:
    return name if name == "current" else alias_name(name)


class Schema(Gate):
    """What the holder of ``compatible_with`` takes, the candidate must take.

    ``backward``: no new input that must be there, none whose type, nullability or range takes less; ``int32`` to ``int64`` takes more.
    ``equal``: the same inputs.
    """

    kind: ClassVar[str] = "schema"
    noun: ClassVar[str] = "a schema gate"

    check: Literal["schema"] = "schema"
    compatible_with: Annotated[str, AfterValidator(_holder)] = "current"
    mode: Literal["backward", "equal"] = "backward"

    @property
    def label(self) -> str:
        return self.id or f"schema {self.mode} {'to' if self.mode == 'equal' else 'with'} {self.compatible_with}"

    @property
    def owners(self) -> frozenset[Owner]:
        return frozenset({None, self.compatible_with})

    def judge(self, evidence: Evidence) -> GateResult:
        mine = _signature(None, evidence)  # read first, so that a skip hides no error
        if evidence.of(self.compatible_with) is None:
            return self.nobody_holds(evidence.alias(self.compatible_with), evidence)
        theirs = _signature(self.compatible_with, evidence)
        found = (breaks if self.mode == "backward" else differences)(mine, theirs)
        whom = evidence.called(self.compatible_with)
        if found:
            more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            told = "; ".join(map(plainly, found[:_SHOWN])) + more
            return self.found(
                "fail", f"it does not take what {whom} takes: {told}" if self.mode == "backward" else f"against {whom}: {told}"
            )
        same = "it takes what" if self.mode == "backward" else "it takes exactly what"
        return self.found("pass", f"{same} {whom} takes, {len(theirs.inputs)} inputs")

    def to_json(self) -> dict[str, Any]:
        return {"check": self.check, **super().to_json()}


def _signature(owner: Owner, evidence: Evidence) -> Signature:
    index, called = evidence.of(owner), evidence.called(owner)
    recorded = index.subject.paths.get("signature") if index else None
    if not recorded:
        raise Unmeasurable(f"{called} has no signature; register it with signature=, for example its training frame")
    try:
        return read_signature(recorded)
    except BadInput as error:
        raise Unmeasurable(f"the signature of {called} cannot be compared: {error.what}") from None
