"""What one process of a run does until its time is over: a writer changes models, a reader looks at them; each keeps a diary.

Rule 1: an entry names the operation that wrote it in its ``because``; a registration and an evaluation also have it as their key.
Rule 2: a writer that was killed comes back and first asks again for what it was doing, if that has a key.
Rule 3: readers read fresh, with a handle of long standing or with a new one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowreg import Conflict, NotFound, Refused, Registry, Unavailable
from flowreg.core.codec import Entry
from flowreg.core.events import AliasMoved, VersionRegistered
from flowreg.errors import BadInput
from flowreg.serving import Reader

from .checker import Written
from .observed import Diary, Outcome, unanswered

ALIASES = ("champion", "challenger")


@dataclass(frozen=True, slots=True)
class Run:
    """One run: where, which models, until when (monotonic), and where the diaries lie."""

    root: str
    diaries: Path
    models: tuple[str, ...]
    until: float
    storage_options: dict[str, Any] = field(default_factory=dict)

    def open(self, actor: str) -> Registry:
        return Registry(self.root, storage_options=self.storage_options, actor=actor)

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.until


def write(run: Run, name: str, life: int) -> None:
    """A writer. ``life`` counts how often it was started."""
    path = run.diaries / f"{name}.jsonl"
    was_doing = unanswered(path)
    writer = _Writer(run, name, Diary(path), random.Random(f"{name}/{life}"))
    if was_doing and was_doing["kind"] in ("register", "evaluate"):
        writer.do(was_doing["name"], was_doing["model"], was_doing["kind"], was_doing["given"])
    number = 0
    while run.goes_on:
        number += 1
        writer.do(f"{name}/{life}/{number}", writer.chance.choice(run.models), *writer.chosen())


class _Writer:
    def __init__(self, run: Run, name: str, diary: Diary, chance: random.Random) -> None:
        self.registry, self.diary, self.chance = run.open(name), diary, chance

    def chosen(self) -> tuple[str, dict[str, Any]]:
        kind = self.chance.choices(["register", "evaluate", "promote", "rollback"], [5, 2, 4, 2])[0]
        return kind, {"alias": self.chance.choice(ALIASES), "at": self.chance.random()}

    def do(self, name: str, model: str, kind: str, given: dict[str, Any]) -> None:
        """One operation with its question and its answer in the diary."""
        work: Callable[..., tuple[Outcome, dict[str, Any]]] = getattr(self, f"_{kind}")
        if kind in ("evaluate", "promote") and "number" not in given:
            try:
                newest = self.registry.versions(model)[-1].number
            except NotFound:
                return
            given = {**given, "number": 1 + int(given["at"] * newest)}
        self.diary.asked(name, model, kind, **given)
        try:
            outcome, seen = work(name, model, given)
        except Unavailable as error:
            outcome, seen = ("failed" if error.outcome == "nothing-written" else "unknown"), {"error": str(error)}
        except (Refused, Conflict, NotFound, BadInput) as error:
            outcome, seen = "failed", {"error": str(error)}
        self.diary.answered(name, outcome, **seen)

    def _register(self, name: str, model: str, given: dict[str, Any]) -> tuple[Outcome, dict[str, Any]]:
        version = self.registry.register(model, {"made by": name}, trust="pickle", key=name, because=name)
        return "done", {"version": version.number}

    def _evaluate(self, name: str, model: str, given: dict[str, Any]) -> tuple[Outcome, dict[str, Any]]:
        self.registry.evaluate(f"{model}@{given['number']}", {"auc": 0.9}, on="july", key=name, because=name)
        return "done", {}

    def _promote(self, name: str, model: str, given: dict[str, Any]) -> tuple[Outcome, dict[str, Any]]:
        move = self.registry.promote(f"{model}@{given['number']}", to=given["alias"], because=name)
        return ("done", {"version": move.version.number}) if move.because == name else ("nothing", {})

    def _rollback(self, name: str, model: str, given: dict[str, Any]) -> tuple[Outcome, dict[str, Any]]:
        move = self.registry.rollback(f"{model}@{given['alias']}", because=name, keep=True)
        return "done", {"version": move.version.number}


def read(run: Run, name: str, life: int) -> None:
    """A reader."""
    chance, diary, number = random.Random(f"{name}/{life}"), Diary(run.diaries / f"{name}.jsonl"), 0
    registry = run.open(name)
    while run.goes_on:
        number += 1
        kind, model, alias = chance.choice(sorted(_LOOKS)), chance.choice(run.models), chance.choice(ALIASES)
        registry = run.open(name) if chance.random() < 0.2 else registry
        operation = f"{name}/{life}/{number}"
        diary.asked(operation, model, kind if kind != "resolve" else "alias")
        try:
            seen = _LOOKS[kind](run, registry, model, alias)
        except Unavailable as error:  # a read that was not answered has seen nothing
            diary.answered(operation, "unknown", error=str(error))
        else:
            diary.answered(operation, "done", **seen)


def _state(run: Run, registry: Registry, model: str, alias: str) -> dict[str, Any]:
    state = registry._journals.of(model).state()
    return {"seq": state.seq, "digest": state.digest}


def _history(run: Run, registry: Registry, model: str, alias: str) -> dict[str, Any]:
    by_seq = {line.seq: line.because for line in _or_none(lambda: registry.history(model)) or ()}
    return {"operations": [by_seq[seq] for seq in sorted(by_seq)]}


def _newest(run: Run, registry: Registry, model: str, alias: str) -> dict[str, Any]:
    found = _or_none(lambda: registry.get(f"{model}@newest"))
    return {"version": found.number if found else 0}


def _holder(run: Run, registry: Registry, model: str, alias: str) -> dict[str, Any]:
    found = _or_none(lambda: registry.get(f"{model}@{alias}"))
    return {"alias": alias, "version": found.number if found else None}


def _resolve(run: Run, registry: Registry, model: str, alias: str) -> dict[str, Any]:
    found = _or_none(lambda: Reader(run.root, storage_options=run.storage_options).resolve(f"{model}@{alias}"))
    return {"alias": alias, "version": found.number if found else None}


def _or_none(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except NotFound:
        return None


_LOOKS = {"state": _state, "history": _history, "newest": _newest, "alias": _holder, "resolve": _resolve}


def written(registry: Registry, model: str) -> list[Written]:
    """A model's journal as the checker wants it. A slot without effect is an entry that nobody asked for."""
    return [_written(slot) for slot in registry._journals.of(model).slots()]


def _written(slot: Any) -> Written:
    if not isinstance(slot, Entry):
        return Written(slot.seq, slot.digest, None, f"void: {slot.reason}")
    version = next((event.version for event in slot.said.events if isinstance(event, VersionRegistered)), None)
    moved = next(((event.alias, event.version) for event in slot.said.events if isinstance(event, AliasMoved)), None)
    return Written(slot.seq, slot.digest, slot.said.parent, slot.said.because or "", version, moved)
