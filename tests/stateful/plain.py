"""What a registry of one model should be, in lists and dicts: short enough to be seen to be right."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from flowreg import GateBlocked, NotFound, Refused

PROTECTED, FREE = "champion", "challenger"


class No(Exception):
    """It has to be refused, with this class of error."""

    def __init__(self, error: type[Exception]) -> None:
        self.error = error


@dataclass
class PlainVersion:
    key: str
    weight: int
    auc: float
    evaluations: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    retired: bool = False


class Line(NamedTuple):
    """One line of the history."""

    kind: str
    version: int | None
    alias: str | None = None


@dataclass
class Plain:
    """``threshold`` is the policy: champion needs at least this auc; None where no policy protects it."""

    versions: list[PlainVersion] = field(default_factory=list)
    holders: dict[str, int | None] = field(default_factory=dict)
    trails: dict[str, list[int]] = field(default_factory=dict)
    held: dict[str, set[int]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    threshold: float | None = None

    def copied(self) -> Plain:
        return copy.deepcopy(self)

    def looks(self) -> Any:
        """What can be compared with ``machine.looks``: versions, holders, history."""
        versions = [(v.key, v.weight, v.auc, v.evaluations, v.labels, v.retired) for v in self.versions]
        return versions, {name: holder for name, holder in self.holders.items() if holder}, self.lines

    def register(self, key: str, weight: int, auc: float) -> int:
        for number, version in enumerate(self.versions, 1):
            if version.key == key:
                if version.weight != weight:
                    raise No(Refused)
                return number
        self.versions.append(PlainVersion(key, weight, auc))
        number = len(self.versions)
        self.lines += [Line("version_registered", number), Line("evaluated", number)]
        return number

    def evaluate(self, number: int, key: str) -> None:
        version = self._known(number)
        if key not in version.evaluations:
            version.evaluations.append(key)
            self.lines.append(Line("evaluated", number))

    def label(self, number: int, text: str) -> None:
        version = self._known(number)
        if version.labels != {"team": text}:
            version.labels = {"team": text}
            self.lines.append(Line("labelled", number))

    def promote(self, number: int, alias: str) -> None:
        version = self._known(number)
        if version.retired:
            raise No(Refused)
        if self.holders.get(alias) == number:
            return
        if alias == PROTECTED and self.threshold is not None:
            self.lines.append(Line("decided", number, alias))
            if version.auc < self.threshold:
                raise No(GateBlocked)
        before = self.holders.get(alias)
        self._moved(alias, number)
        self.trails[alias] = [*self.trails.get(alias, []), *([before] if before else [])]

    def rollback(self, alias: str, to: int | None) -> None:
        now, trail = self.holders.get(alias), self.trails.get(alias, [])
        if to is not None:
            self._known(to)
        if now is None:
            raise No(NotFound)
        good = [number for number in trail if number != now and not self.versions[number - 1].retired]
        target = to if to is not None else (good[-1] if good else None)
        if target is None or target not in self.held[alias] or target == now or self.versions[target - 1].retired:
            raise No(Refused)
        self._moved(alias, target)
        if target in trail:
            self.trails[alias] = trail[: len(trail) - 1 - trail[::-1].index(target)]
        else:
            self.trails[alias] = [*trail, now]
        if now not in self.holders.values():
            self.versions[now - 1].retired = True
            self.lines.append(Line("retired", now))

    def remove(self, alias: str) -> None:
        if alias == PROTECTED and self.threshold is not None:
            raise No(Refused)
        before = self.holders.get(alias)
        if before is not None:
            self._moved(alias, None)
            self.trails[alias] = [*self.trails.get(alias, []), before]

    def retire(self, number: int) -> None:
        version = self._known(number)
        if number in self.holders.values():
            raise No(Refused)
        if not version.retired:
            version.retired = True
            self.lines.append(Line("retired", number))

    def restore(self, number: int) -> None:
        version = self._known(number)
        if version.retired:
            version.retired = False
            self.lines.append(Line("restored", number))

    def set_policy(self, threshold: float | None) -> None:
        if threshold is None and self.threshold is None:
            raise No(NotFound)
        self.threshold = threshold

    def _known(self, number: int) -> PlainVersion:
        if not 1 <= number <= len(self.versions):
            raise No(NotFound)
        return self.versions[number - 1]

    def _moved(self, alias: str, number: int | None) -> None:
        self.holders[alias] = number
        self.held.setdefault(alias, set()).update([number] if number else [])
        self.lines.append(Line("alias_moved", number, alias))
