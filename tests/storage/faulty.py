"""A store in memory that misbehaves on command: replies get lost before or after the write, writes land late."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

AFTER, BEFORE, LATE, NONE = "lost after it landed", "lost before it landed", "lands later", None


class FaultyStore:
    """Files in a dict. ``faults`` says what happens to each create in turn; a late write lands when ``reads_until_late`` reads went by."""

    root = "fake://root"
    mechanism = "a lock"
    concurrent_files = 2
    is_far, guards_bytes, ranges = False, True, None

    def __init__(self, faults: Iterator[str | None] | None = None, *, reads_until_late: int = 2) -> None:
        self.files: dict[str, bytes] = {}
        self.created: list[tuple[str, bytes]] = []
        self.read_errors: list[Exception] = []
        self.before_read: Callable[[str], None] = lambda path: None
        self._faults = faults or iter(())
        self._late: list[tuple[str, bytes]] = []
        self._reads_until_late = reads_until_late
        self._reads = 0
        self._lock = threading.RLock()

    def create(self, path: str, data: bytes) -> None:
        with self._lock:
            self.created.append((path, data))
            fault = next(self._faults, None)
            if fault == BEFORE:
                raise TimeoutError("the request was lost")
            if fault == LATE:
                self._late.append((path, data))
                self._reads = 0
                raise TimeoutError("nobody knows")
            if path in self.files:
                raise FileExistsError(path)
            self.files[path] = data
            if fault == AFTER:
                raise TimeoutError("the reply was lost")

    def land(self) -> None:
        """What was under way arrives."""
        with self._lock:
            for path, data in self._late:
                self.files.setdefault(path, data)
            self._late.clear()

    def replace(self, path: str, data: bytes) -> None:
        with self._lock:
            self.files[path] = data

    def read(self, path: str) -> bytes | None:
        self.before_read(path)
        with self._lock:
            if self.read_errors:
                raise self.read_errors.pop(0)
            self._reads += 1
            if self._reads >= self._reads_until_late:
                self.land()
            return self.files.get(path)

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        return [self.read(path) for path in paths]

    def names(self, folder: str) -> list[str]:
        with self._lock:
            below = [path[len(folder) + 1 :] for path in self.files if path.startswith(folder + "/")]
        return sorted({name if "/" not in name else name.partition("/")[0] + "/" for name in below})

    def put_bytes(self, path: str, data: bytes) -> None:
        with self._lock:
            self.files.setdefault(path, data)

    def put_file(self, source: Path, place: Callable[[str], str]) -> tuple[int, str]:
        raise NotImplementedError

    def get_file(self, path: str, into: Path) -> str | None:
        raise NotImplementedError


def seeded(seed: int, *, share: float = 0.4) -> Iterator[str | None]:
    """Faults of every kind, by the seed."""
    chance = random.Random(seed)
    while True:
        yield chance.choice([AFTER, BEFORE, LATE]) if chance.random() < share else NONE
