"""A decision: the recorded outcome of all the gates of a policy. Written once as a blob, bound to what it judged.

Rule 1: ``promote`` only if every gate of severity ``fail`` passed or was skipped by the policy's own leave, and at least one
gate was measured. What could not be measured is ``error``, and an error blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from .events import Count, Digest, Measure, Ordinal, Value

Status = Literal["pass", "fail", "error", "pending", "skip"]
Outcome = Literal["promote", "blocked", "waiting"]


class GateResult(Value):
    """What one gate found. ``sentence`` says it to a person; the numbers are for programs.

    ``left`` and ``right`` are the two sides of a comparison, ``headroom`` how far the left side may fall before the gate
    fails (negative: by how much it missed), in the unit of the metric; ``n`` the number of examples behind it. A test says its
    ``method``, the one-sided bounds ``ci`` of the difference (more is better) and the ``seed`` of what it drew.
    """

    gate: str
    kind: str
    severity: Literal["fail", "warn"] = "fail"
    status: Status
    sentence: str
    why: str | None = None
    left: Measure | None = None
    right: Measure | None = None
    headroom: Measure | None = None
    n: Count | None = None
    method: str | None = None
    ci: Annotated[tuple[Measure, Measure] | None, Field(strict=False)] = None
    seed: Count | None = None
    parts: tuple[GateResult, ...] = Field(default=(), strict=False)


class Judged(Value):
    """One version that a decision is about: the candidate, or the holder of the alias at the time."""

    version: Ordinal
    manifest: Digest


class Override(Value):
    """A person went over the gates, where the policy allows it; shown for ever."""

    by: str
    reason: str


class Decision(Value):
    """All that was asked, found and concluded. ``policy`` is the whole text of the policy that was met.

    ``generation`` counts the moves of the alias until then: a decision is good only for that one. ``asked_at`` and
    ``expires_at`` are UTC, RFC 3339. ``warnings`` are about the judgement as a whole, and block nothing.
    """

    id: str
    asked_at: str
    expires_at: str
    asked_by: str
    model: str
    alias: str
    candidate: Judged
    base: Judged | None = None
    generation: Count
    policy_name: str
    policy_digest: Digest
    policy: Mapping[str, Any]
    dataset: str | None = None
    dataset_digest: str | None = None
    outcome: Outcome
    results: tuple[GateResult, ...] = Field(strict=False)
    warnings: tuple[str, ...] = Field(default=(), strict=False)
    override: Override | None = None
    flow_run: str | None = None
    flowreg_version: str

    def failing(self) -> tuple[GateResult, ...]:
        """The gates that stand in the way: severity ``fail``, and neither passed nor skipped."""
        return tuple(r for r in self.results if r.severity == "fail" and r.status not in ("pass", "skip"))
