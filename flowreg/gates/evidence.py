"""The facts of one judgement, indexed once, so that every gate finds a value by looking it up.

Rule 1: of several measurements of the same thing the one with the highest order counts.
Rule 2: what cannot be known is raised as ``Unmeasurable``, with the sentence a person needs; it never becomes a number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..core.names import shown
from .facts import Facts, Measured, Subject
from .tree import Metric, Owner


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


@dataclass(frozen=True, slots=True)
class Index:
    """One subject's measurements: the newest of each thing on each data, and all of them by the keys of their slice."""

    subject: Subject
    newest: Mapping[tuple[object, ...], Measured]
    by_keys: Mapping[tuple[str, ...], tuple[Measured, ...]]

    def source(self, name: Metric, dataset: str | None, preferred: Source | None = None) -> Source | None:
        """The data to read ``name`` on: the preferred one if it was measured there, else where it was measured last."""
        if name.star:
            of_metric = [m for m in self.matching(name) if m.metric == name.metric and dataset in (None, m.dataset)]
            there = [m for m in of_metric if preferred and preferred.is_same_as(_source(m))]
            return _source(sorted(there or of_metric, key=lambda m: m.order)[-1]) if of_metric else None
        thing = (name.metric, name.slice)
        found = self.newest.get((*thing, preferred.name, preferred.digest)) if preferred else None
        found = found or self.newest.get(thing if dataset is None else (*thing, dataset))
        return _source(found) if found else None

    def matching(self, name: Metric) -> list[Measured]:
        """All that was measured, of any metric, on the slices that ``name`` covers."""
        fixed = [(place, pair) for place, pair in enumerate(name.slice) if pair[1] is not None]
        group = self.by_keys.get(tuple(key for key, _ in name.slice), ())
        return [m for m in group if all(m.slice[place] == pair for place, pair in fixed)]

    def values(self, name: Metric, source: Source) -> frozenset[str]:
        """The recorded values of ``[key=*]`` on this data, of any metric: one that lacks ``name`` must not go unseen."""
        place = next(place for place, (_, value) in enumerate(name.slice) if value is None)
        return frozenset(m.slice[place][1] for m in self.matching(name) if source.is_same_as(_source(m)))

    def measured(self, name: Metric, source: Source) -> Measured | None:
        return self.newest.get((name.metric, name.slice, source.name, source.digest))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a gate is judged by. ``dataset`` and ``no_baseline`` are the policy's; ``source`` is the data of this decision."""

    facts: Facts
    subjects: Mapping[Owner, Index]
    dataset: str | None
    no_baseline: Literal["fail", "skip"]
    source: Source | None = None

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
    by_keys: defaultdict[tuple[str, ...], list[Measured]] = defaultdict(list)
    for m in subject.measured:
        thing = (m.metric, m.slice)
        for key in (thing, (*thing, m.dataset), (*thing, m.dataset, m.dataset_digest)):
            if key not in newest or newest[key].order <= m.order:
                newest[key] = m
        by_keys[tuple(key for key, _ in m.slice)].append(m)
    return Index(subject, newest, {keys: tuple(group) for keys, group in by_keys.items()})


def _source(m: Measured) -> Source:
    return Source(m.dataset, m.dataset_digest, m.order)
