"""What came of a retraining, for the code that called it and for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..core.decision import Decision
from ..core.views import AliasMove, Version
from ..errors import GateBlocked


@dataclass(frozen=True, slots=True)
class Retrained:
    """The version, and whether it holds the alias now. ``waiting``: only people are in the way."""

    version: Version
    outcome: Literal["promoted", "blocked", "waiting"]
    alias: str
    previous: int | None = None
    decision: Decision | None = None

    @property
    def promoted(self) -> bool:
        return self.outcome == "promoted"

    def __str__(self) -> str:
        if self.promoted:
            before = f"before: {self.version.model}@{self.previous}" if self.previous else "the first"
            return f"{self.version.ref} is {self.alias} ({before})"
        return f"{self.version.ref} may not become {self.alias}{' yet' if self.outcome == 'waiting' else ''}"

    def details(self) -> str:
        """The metrics, and the sentences of the gates that stand in the way."""
        numbers = ", ".join(f"{name} {value:.4g}" for name, value in sorted(self.version.metrics.items()))
        sentences = [f"- {each.sentence}" for each in self.decision.failing()] if self.decision and not self.promoted else []
        return "\n".join(filter(None, [numbers, *sentences]))


def promoted(move: AliasMove) -> Retrained:
    return Retrained(move.version, "promoted", move.alias, move.previous, move.decision)


def blocked(version: Version, refusal: GateBlocked) -> Retrained:
    decision = refusal.decision
    return Retrained(version, "waiting" if decision.outcome == "waiting" else "blocked", decision.alias, decision=decision)
