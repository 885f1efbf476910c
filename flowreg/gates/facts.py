"""What the judge may know: values gathered from the registry beforehand, so that judging is pure.

Rule 1: nothing here decides. A fact that is missing is simply not in the mapping; the judge turns that into a block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """One measured value: of ``metric``, on ``slice`` (sorted pairs, empty: the whole dataset), from ``n`` examples (None: not said).

    ``order`` is the number of the journal entry that recorded it: of two values for the same thing the later one counts.
    """

    metric: str
    value: float
    dataset: str | None
    dataset_digest: str | None = None
    slice: tuple[tuple[str, str], ...] = ()
    n: int | None = None
    order: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """One version as the judge sees it. ``ref`` is how to show it, for example ``churn@7``.

    ``plain`` has the numbers behind reserved names, by dotted path: ``artifact.size`` (bytes), ``artifact.files`` (count),
    ``data.age`` (seconds), ``data.rows`` (count), ``run.duration`` (seconds).
    ``paths`` has what metadata gates may require, as nested mappings: ``card``, ``owner``, ``dataset``, ``signature``, ``git``, ``run``,
    ``labels``, ``params``.
    """

    ref: str
    number: int
    manifest: str
    measured: tuple[Measured, ...] = ()
    plain: Mapping[str, float] = field(default_factory=dict)
    paths: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one judgement may look at.

    ``holder`` is who has the alias now (None: nobody), ``generation`` how often it has moved; ``aliases`` has the holders of the
    model's aliases by name and ``versions`` further versions by number, as far as the policy mentions them. Times are UTC, RFC 3339.
    """

    model: str
    alias: str
    candidate: Subject
    holder: Subject | None
    generation: int
    asked_at: str
    expires_at: str
    asked_by: str
    decision_id: str
    flowreg_version: str
    aliases: Mapping[str, Subject] = field(default_factory=dict)
    versions: Mapping[int, Subject] = field(default_factory=dict)
    flow_run: str | None = None
