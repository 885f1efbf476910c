"""What the processes of a run did and saw: one line when an operation is asked for, one when it is answered.

Rule 1: every process writes a file of its own, a line in one write, so that a killed one leaves whole lines.
Rule 2: the clock is monotonic and shared by all processes of the host: an answer that was noted before another operation was asked for
really was before it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["done", "nothing", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. ``outcome``: it was ``done``; it was answered that ``nothing`` had to be done; it ``failed`` for certain; or that is
    ``unknown``. ``seen`` is what was answered. Times are in nanoseconds; ``answered`` is None where no answer came."""

    name: str
    model: str
    kind: str
    asked: int
    answered: int | None = None
    outcome: Outcome = "unknown"
    seen: Mapping[str, Any] = field(default_factory=dict)


class Diary:
    """Where one process writes down what it does."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def asked(self, name: str, model: str, kind: str, **given: Any) -> None:
        """An operation begins. The same name again is another try of the same operation."""
        self._write({"name": name, "model": model, "kind": kind, "asked": time.monotonic_ns(), "given": given})

    def answered(self, name: str, outcome: Outcome, **seen: Any) -> None:
        self._write({"name": name, "outcome": outcome, "seen": seen, "answered": time.monotonic_ns()})

    def _write(self, line: Mapping[str, Any]) -> None:
        os.write(self._fd, json.dumps(line).encode() + b"\n")


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of one process, the oldest first."""
    if path.exists():
        yield from map(json.loads, path.read_text().splitlines())


def unanswered(path: Path) -> dict[str, Any] | None:
    """What a process was doing when it was killed."""
    last = None
    for line in lines(path):
        last = line if "asked" in line else None
    return last


def observed(folder: Path) -> list[Operation]:
    """Everything that the processes of this folder wrote down. An operation lasts from its first try to its last answer."""
    found: dict[str, Operation] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for line in lines(path):
            name = line["name"]
            if "asked" in line:
                found.setdefault(name, Operation(name, line["model"], line["kind"], line["asked"]))
            else:
                first = found[name]
                found[name] = replace(first, answered=line["answered"], outcome=line["outcome"], seen=line["seen"])
    return sorted(found.values(), key=lambda operation: operation.asked)
