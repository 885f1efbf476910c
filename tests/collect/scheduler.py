"""Several threads over one store in memory, of which exactly one runs at a time; who goes on at each storage call is drawn by a seed.

The code that runs is the real one: whole registrations and whole collections, stepped between their requests.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flowreg.core.codec import digest_of

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Crashed(BaseException):
    """The process is gone: nothing of it runs any more."""


class Stepped:
    """Files in a dict. Before each call ``step`` is asked; it may hand the turn to somebody else, or crash the caller."""

    root, mechanism, concurrent_files = "stepped://root", "one thread at a time", 1
    is_far, guards_bytes, ranges = False, True, None

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.step: Callable[[], None] = lambda: None

    def create(self, path: str, data: bytes) -> None:
        self.step()
        if path in self.files:
            raise FileExistsError(path)
        self.files[path] = data

    def replace(self, path: str, data: bytes) -> None:
        self.files[path] = data  # heads, behind the back of whoever writes: not stepped

    def remove(self, path: str) -> None:
        self.step()
        self.files.pop(path, None)

    def read(self, path: str) -> bytes | None:
        return self.read_many([path])[0]

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        self.step()
        return [self.files.get(path) for path in paths]

    def names(self, folder: str) -> list[str]:
        self.step()
        below = [path[len(folder) + 1 :] for path in self.files if path.startswith(folder + "/")]
        return sorted({name if "/" not in name else name.partition("/")[0] + "/" for name in below})

    def size(self, path: str) -> int | None:
        data = self.read(path)
        return None if data is None else len(data)

    def sizes(self, folder: str) -> list[tuple[str, int, datetime]]:
        self.step()
        return [(p.rpartition("/")[2], len(raw), LONG_AGO) for p, raw in sorted(self.files.items()) if p.rpartition("/")[0] == folder]

    def unfinished(self, folder: str) -> tuple[()]:
        return ()

    def give_up(self, found: object) -> None:
        raise AssertionError

    def put_bytes(self, path: str, data: bytes) -> None:
        self.step()
        self.files.setdefault(path, data)

    def put_file(self, source: Path, place: Callable[[str], str], progress: Any = None) -> tuple[int, str]:
        data = source.read_bytes()
        self.put_bytes(place(digest_of(data)), data)
        return len(data), digest_of(data)

    def get_file(self, path: str, into: Path, **_: Any) -> str | None:
        data = self.read(path)
        if data is None:
            return None
        into.write_bytes(data)
        return digest_of(data)


def interleaved(store: Stepped, seed: int, *work: Callable[[], Any]) -> list[Any]:
    """Run all of ``work`` at once, one step at a time in the order that ``seed`` draws; what each returned, or raised."""
    chance, ended = random.Random(seed), list(range(0))
    turns = [threading.Semaphore(0) for _ in work]
    back = threading.Semaphore(0)
    outcomes: list[Any] = [None] * len(work)
    mine = threading.local()

    def step() -> None:
        if hasattr(mine, "number"):
            back.release()
            turns[mine.number].acquire()

    def run(number: int) -> None:
        mine.number = number
        turns[number].acquire()
        try:
            outcomes[number] = work[number]()
        except BaseException as error:
            outcomes[number] = error
        ended.append(number)
        back.release()

    store.step = step
    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(len(work))]
    for thread in threads:
        thread.start()
    favoured = chance.randrange(len(work))
    while left := [number for number in range(len(work)) if number not in ended]:
        if favoured not in left or chance.random() < 0.3:
            favoured = chance.choice(left)
        turns[favoured].release()
        back.acquire()
    store.step = lambda: None
    return outcomes
