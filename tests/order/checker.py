"""Whether what the processes saw of one model is one order of events: its journal. Pure.

The journal is given, so the question is not which order there was, but whether everybody saw this one. Each operation gets a *point* in
it: an append its own number, a read the number of the newest entry it saw. A read of an alias may fit many points, and is given the
earliest that is allowed, which rules out the fewest for all others.

Rule 1: an append whose answer came before another operation was asked for has the lower point; a read that was answered before one
was asked for has a point that is not higher, or lower if that one is an append. (Linearizable: the order of real time.)
Rule 2: an acknowledged append stands in the journal once, a failed one never, one whose outcome is unknown at most once, and nothing
else stands there.
Rule 3: a read saw the journal up to its point, and nothing else. Entries name their parents, versions are 1, 2, 3 …
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .observed import Operation

READS = frozenset({"state", "history", "alias", "newest"})


@dataclass(frozen=True, slots=True)
class Written:
    """One entry as it stands in the journal: the ``operation`` it was written by, a version it registers, an alias it moves."""

    seq: int
    digest: str
    parent: str | None
    operation: str
    version: int | None = None
    moved: tuple[str, int | None] | None = None


class Violation(NamedTuple):
    code: str
    what: str


def violations(journal: Sequence[Written], operations: Iterable[Operation]) -> list[Violation]:
    """Everything that contradicts the rules; none where the model is linearizable."""
    operations = list(operations)
    return [*_chain(journal), *_presence(journal, operations), *_real_time(journal, operations)]


def _chain(journal: Sequence[Written]) -> Iterator[Violation]:
    before, versions = None, 0
    for seq, entry in enumerate(journal, 1):
        if entry.seq != seq:
            yield Violation("gap", f"entry {entry.seq} stands where {seq} is expected")
        if entry.parent != before:
            yield Violation("chain", f"entry {seq} names another parent than the entry before")
        if entry.version is not None:
            versions += 1
            if entry.version != versions:
                yield Violation("version", f"entry {seq} registers version {entry.version} where {versions} is expected")
        before = entry.digest


def _presence(journal: Sequence[Written], operations: Sequence[Operation]) -> Iterator[Violation]:
    found: dict[str, list[Written]] = defaultdict(list)
    for entry in journal:
        found[entry.operation].append(entry)
    appends = {operation.name: operation for operation in operations if operation.kind not in READS}
    for name, entries in found.items():
        if name not in appends:
            yield Violation("phantom", f"entry {entries[0].seq} was written by {name}, which nobody asked for")
        if len(entries) > 1:
            yield Violation("duplicate", f"{name} stands in the journal {len(entries)} times: {[e.seq for e in entries]}")
    for name, append in appends.items():
        entries = found.get(name, [])
        if append.outcome == "done" and not entries:
            yield Violation("lost", f"{name} was acknowledged, and is not there")
        elif append.outcome in ("failed", "nothing") and entries:
            yield Violation("phantom", f"{name} was answered with {append.outcome}, and is there as entry {entries[0].seq}")
        elif append.outcome == "done" and append.seen.get("version") not in (None, _version_of(entries[0])):
            yield Violation(
                "answer", f"{name} was answered with version {append.seen['version']}; its entry says {_version_of(entries[0])}"
            )


def _version_of(entry: Written) -> int | None:
    return entry.version if entry.moved is None else entry.moved[1]


def _real_time(journal: Sequence[Written], operations: Sequence[Operation]) -> Iterator[Violation]:
    """Walk through the questions and answers in the order of time; ``floor`` is the newest point that anybody was told of."""
    points = _Points(journal)
    floor, given = 0, dict[str, int]()
    for _, answer, operation in _moments(operations):
        if answer:
            floor = max(floor, given.get(operation.name, 0))
        elif operation.kind in READS:
            earliest, latest = points.of_read(operation, floor)
            given[operation.name] = earliest or 0
            if latest is None:
                yield Violation("phantom read", f"{operation.name} saw {dict(operation.seen)}, which never was")
            elif earliest is None:
                yield Violation("stale", f"{operation.name} saw entry {latest} after somebody had been told of entry {floor}")
        elif operation.name in points.of_append:
            point = given[operation.name] = points.of_append[operation.name]
            if point <= floor:
                yield Violation("reordered", f"{operation.name} is entry {point}, asked for after entry {floor} was known")


def _moments(operations: Sequence[Operation]) -> list[tuple[int, bool, Operation]]:
    """Questions and answers by time. Where two fall together they overlap, so that questions come first."""
    moments = [(o.asked, False, o) for o in operations if o.kind not in READS or o.outcome == "done"]
    moments += [(o.answered, True, o) for o in operations if o.outcome == "done" and o.answered is not None]
    return sorted(moments, key=lambda moment: moment[:2])


class _Points:
    """The points of the journal at which things were so."""

    def __init__(self, journal: Sequence[Written]) -> None:
        self.of_append: Mapping[str, int] = {entry.operation: entry.seq for entry in journal}
        self._digests = [None, *(entry.digest for entry in journal)]
        self._operations = [entry.operation for entry in journal]
        self._facts: dict[tuple[str, int | None], list[int]] = defaultdict(list)  # the points at which an alias, or "", was so
        now: dict[str, int | None] = {"": 0}
        for point in range(len(journal) + 1):
            if point:
                entry = journal[point - 1]
                now |= {"": entry.version} if entry.version is not None else {}
                now |= dict([entry.moved]) if entry.moved else {}
            for name, number in now.items():
                self._facts[name, number].append(point)
        self._before_alias = {name: min(p for (n, _), ps in self._facts.items() for p in ps if n == name) for name in now}
        self._end = len(journal)

    def of_read(self, read: Operation, floor: int) -> tuple[int | None, int | None]:
        """The earliest point not before ``floor`` that fits what was read, and the latest of all."""
        fitting = self._fitting(read)
        at = bisect_left(fitting, floor)
        return (fitting[at] if at < len(fitting) else None), (fitting[-1] if fitting else None)

    def _fitting(self, read: Operation) -> Sequence[int]:
        seen = read.seen
        match read.kind:
            case "state":
                point = seen["seq"]
                return [point] if 0 <= point <= self._end and self._digests[point] == seen["digest"] else []
            case "history":
                names = seen["operations"]
                return [len(names)] if self._operations[: len(names)] == names else []
            case "newest":
                return self._facts["", seen["version"]]
        name, number = seen["alias"], seen["version"]
        unheld = range(self._before_alias.get(name, self._end + 1)) if number is None else ()
        return [*unheld, *self._facts[name, number]]
