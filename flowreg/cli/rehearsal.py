"""A registry whose writes stay in memory: ``--dry-run`` runs the real thing on it, so no rule is told twice.

Rule 1: nothing below is changed; what was "written" is read back from here.
Rule 2: a root that refuses to be written refuses the rehearsal too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from ..journals import Journals
from ..registry import Registry
from ..storage.hashing import Progress, digest_of_file, no_progress
from ..storage.source_files import regular_file
from ..storage.store import Ranges, Store, Unfinished


class Rehearsal:
    """A store over another: reads go through, writes are kept in memory. A file that is put is hashed, not copied."""

    def __init__(self, below: Store) -> None:
        self.root, self.mechanism, self.concurrent_files = below.root, below.mechanism, below.concurrent_files
        self.is_far = below.is_far
        self._below = below
        self._held: dict[str, bytes] = {}

    @property
    def guards_bytes(self) -> bool:
        return self._below.guards_bytes

    @property
    def ranges(self) -> Ranges | None:
        return self._below.ranges

    def create(self, path: str, data: bytes) -> None:
        if self.read(path) is not None:
            raise FileExistsError(path)
        self._held[path] = data

    def replace(self, path: str, data: bytes) -> None:
        self._held[path] = data

    def remove(self, path: str) -> None:
        self._held.pop(path, None)

    def read(self, path: str) -> bytes | None:
        return self.read_many([path])[0]

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        below = iter(self._below.read_many([path for path in paths if path not in self._held]))
        return [self._held[path] if path in self._held else next(below) for path in paths]

    def size(self, path: str) -> int | None:
        return len(self._held[path]) if path in self._held else self._below.size(path)

    def names(self, folder: str) -> list[str]:
        return self._below.names(folder)  # listings are hints

    def sizes(self, folder: str) -> list[tuple[str, int, datetime]]:
        return self._below.sizes(folder)

    def unfinished(self, folder: str) -> Sequence[Unfinished]:
        return self._below.unfinished(folder)

    def give_up(self, found: Unfinished) -> None:
        """Nothing below is changed, and what was begun there is nothing that is read back."""

    def put_bytes(self, path: str, data: bytes) -> None:
        self._held[path] = data

    def put_file(self, source: Path, place: Callable[[str], str], progress: Progress = no_progress) -> tuple[int, str]:
        with regular_file(source) as fd:
            size, digest = digest_of_file(fd)
        progress(size)
        return size, digest

    def put_files(self, sources: Sequence[Path], place: Callable[[str], str], progress: Progress = no_progress) -> list[tuple[int, str]]:
        return [self.put_file(source, place, progress) for source in sources]

    def get_file(self, path: str, into: Path, *, size_bytes: int | None = None, progress: Progress = no_progress) -> str | None:
        return self._below.get_file(path, into, size_bytes=size_bytes, progress=progress)


def rehearsed(registry: Registry) -> Registry:
    """The same registry for one rehearsal."""
    if registry._store.mechanism != "none":
        registry._store = Rehearsal(registry._store)
        registry._journals = Journals(registry._store, None)
    return registry
