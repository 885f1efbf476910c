"""The facts of one judgement, indexed once, so that every gate finds a value by looking it up.

Rule 1: of several measurements of the same thing the one with the highest order counts.
Rule 2: what cannot be known is raised as ``Unmeasurable``, with the sentence a person needs; it never becomes a number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..core.names import shown
from .facts import Facts, Measured, Subject
from .tree import Metric, Owner, Slice

if TYPE_CHECKING:
    from .gate import Gate


class Unmeasurable(Exception):
    """A gate cannot be decided; its text says why and what would settle it."""


@dataclass(frozen=True, slots=True)
class Source:
    """The data something was measured on, by name and by the digest of its content; ``order`` is the entry that says so."""

    name: str | None
    digest: str | None
    order: int = 0

    def is_same_as(self, other: Source) -> bool:
        return (self.name, self.digest) == (other.name, other.digest)

    def __str__(self) -> str:
        name = "data that has no name" if self.name is None else plainly(self.name)
        digest = "no digest" if self.digest is None else self.digest if len(self.digest) <= 16 else f"{self.digest[:15]}…"
        return f"{name} ({plainly(digest)})"


Recorded = tuple[tuple[str, str], ...]  # the slice of a measurement


@dataclass(frozen=True, slots=True)
class Index:
    """One subject's measurements, so that a gate need not go through them.

    ``newest`` has the newest by (metric, slice), by these and the data set, and by these and its digest; ``of_metric`` all of
    one metric with the same keys of their slice; ``slices`` those of any metric by (keys, data set, digest).
    """

    subject: Subject
    newest: Mapping[tuple[object, ...], Measured]
    of_metric: Mapping[tuple[str, tuple[str, ...]], Sequence[Measured]]
    slices: Mapping[tuple[object, ...], Collection[Recorded]]

    def source(self, name: Metric, dataset: str | None, preferred: Source | None = None) -> Source | None:
        """The data to read ``name`` on: the preferred one if it was measured there, else where it was measured last."""
        if name.star:
            group = self.of_metric.get((name.metric, _keys(name.slice)), ())
            found = [m for m in group if dataset in (None, m.dataset) and _fits(name, m.slice)]
            there = [m for m in found if preferred and (m.dataset, m.dataset_digest) == (preferred.name, preferred.digest)]
            return _source(sorted(there or found, key=lambda m: m.order)[-1]) if found else None
        thing = (name.metric, name.slice)
        measured = self.newest.get((*thing, preferred.name, preferred.digest)) if preferred else None
        measured = measured or self.newest.get(thing if dataset is None else (*thing, dataset))
        return _source(measured) if measured else None

    def values(self, name: Metric, source: Source) -> frozenset[str]:
        """The recorded values of ``[key=*]`` on this data, of any metric: one that lacks ``name`` must not go unseen."""
        place = next(place for place, (_, value) in enumerate(name.slice) if value is None)
        recorded = self.slices.get((_keys(name.slice), source.name, source.digest), ())
        return frozenset(pairs[place][1] for pairs in recorded if _fits(name, pairs))

    def measured(self, name: Metric, source: Source) -> Measured | None:
        return self.newest.get((name.metric, name.slice, source.name, source.digest))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a gate is judged by. ``dataset`` and ``no_baseline`` are the policy's; ``source`` is the data of this decision.

    ``gates`` are all of the policy, for those that count each other; ``memo`` keeps what several would compute alike.
    """

    facts: Facts
    subjects: Mapping[Owner, Index]
    dataset: str | None
    no_baseline: Literal["fail", "skip"]
    source: Source | None = None
    gates: Sequence[Gate] = ()
    policy_digest: str = ""
    memo: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)

    def of(self, owner: Owner) -> Index | None:
        """The subject that ``owner`` means; None if it is an alias that nobody holds."""
        if isinstance(owner, int) and owner not in self.subjects:
            raise Unmeasurable(f"{self.facts.model} has no version {owner} to compare with")
        return self.subjects.get(owner)

    def called(self, owner: Owner) -> str:
        """How a sentence names the subject: ``churn@7``, ``champion (churn@5)``."""
        found = self.subjects.get(owner)
        if found is None or not isinstance(owner, str):
            return found.subject.ref if found else str(owner)
        return f"{self.alias(owner)} ({found.subject.ref})"

    def command(self, owner: Owner, dataset: str | None) -> str:
        """What to run so that the subject is measured on ``dataset``."""
        ref = self.facts.candidate.ref if owner is None else f"{self.facts.model}@{self.alias(owner)}"
        return f"run: flowreg evaluate {ref} --on {'NAME' if dataset is None else plainly(dataset)}"

    def alias(self, owner: str | int) -> str:
        return self.facts.alias if owner == "current" else str(owner)


def gather(facts: Facts, *, dataset: str | None, no_baseline: Literal["fail", "skip"]) -> Evidence:
    """Index every subject of ``facts`` once."""
    subjects: dict[Owner, Subject] = dict[Owner, Subject]([*facts.versions.items(), *facts.aliases.items()])
    subjects[None] = facts.candidate
    subjects.pop(facts.alias, None)  # what the decision is bound to is the holder, whatever else was gathered
    if facts.holder is not None:
        subjects |= {"current": facts.holder, facts.alias: facts.holder}
    indices = {id(subject): _index(subject) for subject in {id(s): s for s in subjects.values()}.values()}
    return Evidence(facts, {owner: indices[id(subject)] for owner, subject in subjects.items()}, dataset, no_baseline)


def plainly(text: str) -> str:
    """A name from the registry in a sentence: as it is if it is short and harmless, else quoted and cut."""
    return text if text.isprintable() and 0 < len(text) <= 80 else shown(text)


def listed(names: Iterable[str], limit: int = 12) -> str:
    """Names for a sentence, sorted, the long tail counted."""
    known = sorted(set(names))
    tail = f" and {len(known) - limit} more" if len(known) > limit else ""
    return ", ".join(map(plainly, known[:limit])) + tail


def _index(subject: Subject) -> Index:
    newest: dict[tuple[object, ...], Measured] = {}
    of_metric: defaultdict[tuple[str, tuple[str, ...]], list[Measured]] = defaultdict(list)
    slices: defaultdict[tuple[object, ...], set[Recorded]] = defaultdict(set)
    for m in subject.measured:
        thing, keys = (m.metric, m.slice), _keys(m.slice)
        for key in (thing, (*thing, m.dataset), (*thing, m.dataset, m.dataset_digest)):
            if key not in newest or newest[key].order <= m.order:
                newest[key] = m
        of_metric[m.metric, keys].append(m)
        slices[keys, m.dataset, m.dataset_digest].add(m.slice)
    return Index(subject, newest, of_metric, slices)


def _keys(pairs: Slice) -> tuple[str, ...]:
    return tuple(key for key, _ in pairs)


def _fits(name: Metric, recorded: Recorded) -> bool:
    """Does ``name`` cover this slice, which has the same keys?"""
    return all(value is None or value == found for (_, value), (_, found) in zip(name.slice, recorded, strict=True))


def _source(m: Measured) -> Source:
    return Source(m.dataset, m.dataset_digest, m.order)
