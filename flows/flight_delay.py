"""A year of retraining: which flights will arrive more than 15 minutes late?

Each month from March on, one challenger of each family is trained on the three months before and measured on the month itself,
beside the champion and the baseline. Some months it wins, some months the gates say no; nothing here knows which.
Run it as ``python flows/flight_delay.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prefect import flow

from flowreg import GateBlocked, NotFound, Policy, Version
from flowreg.prefect import ModelRegistry, promote_model
from flowreg.prefect.resolve import resolve
from flows.flights import MONTHS
from flows.models import FAMILIES
from flows.retrain import MODEL, retrain

POLICY = Path(__file__).parent / "policies" / "flight-delay.yaml"


@dataclass(frozen=True)
class Attempt:
    """One challenger before the gates; ``reasons`` are the sentences of those that stood in its way."""

    month: str
    family: str
    version: Version
    reasons: tuple[str, ...] = ()

    @property
    def promoted(self) -> bool:
        return not self.reasons

    def __str__(self) -> str:
        outcome = "is the new champion" if self.promoted else f"is blocked: {self.reasons[0]}"
        return f"{self.month}  {self.version.ref} ({self.family}, auc {self.version.metrics['auc']:.3f}) {outcome}"


@flow(name="flight-delay")
def flight_delay(months: Sequence[str] = MONTHS[2:], registry: ModelRegistry | str | None = None) -> tuple[Attempt, ...]:
    """Retrain with every family for each of the months, in order; the registry is left with the whole story."""
    resolve(registry).set_policy(Policy.load(POLICY), because="a new model has to beat the champion, and the one that nobody retrained")
    attempts = []
    for month in months:
        for family in FAMILIES:
            attempts.append(attempt(month, family, registry))
            print(attempts[-1], flush=True)
        keep_baseline(attempts[0].version, registry)
    return tuple(attempts)


def attempt(month: str, family: str, registry: ModelRegistry | str | None) -> Attempt:
    """One run of ``retrain``. A challenger that is blocked is an outcome, no failure of this flow."""
    reasons: tuple[str, ...] = ()
    try:
        number = retrain(month, family, registry).version.number
    except GateBlocked as blocked:
        number = blocked.decision.candidate.version
        reasons = tuple(gate.sentence for gate in blocked.decision.failing())
    return Attempt(month, family, resolve(registry).get(f"{MODEL}@{number}"), reasons)


def keep_baseline(first: Version, registry: ModelRegistry | str | None) -> None:
    """Give the first version the alias ``baseline``, unless somebody has it."""
    try:
        resolve(registry).get(f"{MODEL}@baseline")
    except NotFound:
        promote_model(first, to="baseline", because="trained once, to be compared with ever after", registry=registry)


if __name__ == "__main__":
    flight_delay()
