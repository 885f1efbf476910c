"""Facts for the tests of gates, as plain values."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from flowreg.core.decision import Decision
from flowreg.gates import Facts, Measured, Policy, Subject, judge

POLICY_DIGEST = "sha256:" + "0f" * 32
AA, BB = "sha256:" + "aa" * 32, "sha256:" + "bb" * 32


class Bench:
    """A model ``churn`` whose candidate is ``churn@7`` and whose champion is ``churn@5``, measured on ``holdout``."""

    AA, BB = AA, BB

    @staticmethod
    def measured(
        metric: str, value: Any, *, on: str | None = "holdout", digest: str | None = AA, n: int | None = 1000, order: int = 1, **at: str
    ):
        return Measured(metric, value, on, digest, tuple(sorted(at.items())), n, order)

    @classmethod
    def subject(cls, number: int, measured: Iterable[Measured] | Mapping[str, Any] = (), **rest: Any) -> Subject:
        """A version with these measurements; a mapping is of metrics over the whole ``holdout``."""
        if isinstance(measured, Mapping):
            measured = [cls.measured(metric, value) for metric, value in measured.items()]
        return Subject(f"churn@{number}", number, f"sha256:{number:064x}", tuple(measured), **rest)

    @staticmethod
    def facts(candidate: Subject, holder: Subject | None = None, **rest: Any) -> Facts:
        return Facts(
            model="churn", alias="champion", candidate=candidate, holder=holder, generation=3,
            asked_at="2026-11-22T09:00:00.000Z", expires_at="2026-11-23T09:00:00.000Z", asked_by="ana",
            decision_id="0199", flowreg_version="0.1.0", **rest,
        )  # fmt: skip

    @staticmethod
    def policy(*gates: Any, **head: Any) -> Policy:
        return Policy(**{"policy": "basic", "models": ["churn"], "alias": "champion", "dataset": "holdout", "gates": gates, **head})

    @classmethod
    def decide(
        cls, gates: Any, candidate: Any = (), holder: Any = None, *, facts: Mapping[str, Any] | None = None, **head: Any
    ) -> Decision:
        """Judge candidate 7 against champion 5 by ``gates`` (one or a list)."""
        gates = gates if isinstance(gates, list) else [gates]
        candidate = candidate if isinstance(candidate, Subject) else cls.subject(7, candidate)
        holder = holder if isinstance(holder, Subject | None) else cls.subject(5, holder)
        return judge(cls.policy(*gates, **head), POLICY_DIGEST, cls.facts(candidate, holder, **(facts or {})))


@pytest.fixture(scope="session")
def bench() -> type[Bench]:
    return Bench
