"""The gate that looks at drift: ``{check: drift, window: 7d, max_features: 2, psi: 0.2}``.

It reads the comparison of what the served model saw with what it was trained on; it makes none itself.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from ..core.decision import GateResult
from ..core.events import Count
from .durations import duration, seconds
from .evidence import Evidence, Unmeasurable, plainly
from .facts import Drifted
from .gate import Gate

_SHOWN = 5


class Drift(Gate):
    """At most ``max_features`` features may have drifted over the last ``window``: their population stability index is above ``psi``."""

    kind: ClassVar[str] = "drift"
    noun: ClassVar[str] = "a drift gate"

    check: Literal["drift"] = "drift"
    window: Annotated[str, AfterValidator(duration)]
    max_features: Count = 0
    psi: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.2

    @property
    def label(self) -> str:
        return self.id or f"drift over {self.window}"

    def judge(self, evidence: Evidence) -> GateResult:
        found = self._newest(evidence)
        if unknown := sorted(name for name, psi in found.psi.items() if not math.isfinite(psi)):
            raise Unmeasurable(f"the drift of {plainly(unknown[0])} over {self.window} is not a number")
        drifted = sorted(((psi, name) for name, psi in found.psi.items() if psi > self.psi), reverse=True)
        named = ", ".join(f"{plainly(name)} {psi:.3g}" for psi, name in drifted[:_SHOWN]) + (" …" if len(drifted) > _SHOWN else "")
        worst = f": {named}" if named else ""
        return self.found(
            "pass" if len(drifted) <= self.max_features else "fail",
            f"{len(drifted)} of {len(found.psi)} features drifted over {self.window} (psi above {self.psi:g}){worst}; "
            f"at most {self.max_features} may",
            left=float(len(drifted)),
            right=float(self.max_features),
            headroom=float(self.max_features - len(drifted)),
            n=found.n,
        )

    def _newest(self, evidence: Evidence) -> Drifted:
        wanted = seconds(self.window)
        fitting = [d for d in evidence.facts.candidate.drifted if d.window_s == wanted and d.psi]
        if not fitting:
            raise Unmeasurable(
                f"drift over {self.window} cannot be measured: no comparison with the profile of the training data is recorded for "
                f"{evidence.called(None)}"
            )
        return max(fitting, key=lambda d: d.order)

    def to_json(self) -> dict[str, Any]:
        return {"check": self.check, **super().to_json()}
