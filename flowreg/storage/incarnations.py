"""Under which incarnation a blob is stored, and where one is looked for.

A digest that was doomed *n* times is stored as ``9f2c….n``. So whoever removes doomed bytes, however late, never removes what was
stored since.

Rule 1: a request stores everything at the incarnations of one registry state, and remembers which; an entry is only written while
no newer state dooms one of them. What is doomed meanwhile is stored once more; the rest stays where it is, and is safe there.
Rule 2: a reader asks for the plain path; only where that is missing it looks at the others, all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from ..core.layout import LAST_INCARNATION, blob_path
from .parallel import parallel_map
from .store import Store


class Place(Protocol):
    """Where bytes are put, by their digest."""

    def __call__(self, digest: str, /) -> str: ...

    def stored(self, digest: str, again: Callable[[], object]) -> None:
        """They are there; ``again`` would put them once more."""


class _First:
    """The plain path, for what nobody waits to refer to."""

    def __call__(self, digest: str) -> str:
        return blob_path(digest)

    def stored(self, digest: str, again: Callable[[], object]) -> None:
        """Nothing is remembered."""


FIRST: Place = _First()


class DoomedMeanwhile(Exception):
    """A blob that this request has stored was doomed since: store it again, decide again. Never seen by a caller."""


class Places:
    """Where one request puts its blobs. Safe in threads."""

    def __init__(self, doomed: Mapping[str, int]) -> None:
        self._doomed = doomed
        self._put: dict[str, int] = {}
        self._again: dict[str, Callable[[], object]] = {}

    def __call__(self, digest: str) -> str:
        """The path for these bytes; from here on they count as put."""
        self._put[digest] = self._doomed.get(digest, 0)
        return blob_path(digest, self._put[digest])

    def refuse_doomed(self, doomed: Mapping[str, int]) -> None:
        """Raise ``DoomedMeanwhile`` where this newer state dooms a blob that was put under an older one."""
        if doomed is not self._doomed and self._lost_to(doomed):
            raise DoomedMeanwhile

    def stored(self, digest: str, again: Callable[[], object]) -> None:
        """``again`` puts these bytes once more, at the path that is theirs then."""
        self._again[digest] = again

    def store_doomed(self, doomed: Mapping[str, int]) -> None:
        """Put once more what this newer state dooms, where that is safe from it."""
        lost, self._doomed = self._lost_to(doomed), doomed
        parallel_map(lambda digest: self._again[digest](), lost, threads=4)

    def _lost_to(self, doomed: Mapping[str, int]) -> list[str]:
        return [digest for digest, incarnation in self._put.items() if doomed.get(digest, 0) > incarnation]


def read_blob(store: Store, digest: str) -> bytes | None:
    """The stored bytes, unverified, or None."""
    data = store.read(blob_path(digest))
    if data is not None:
        return data
    return next((found for found in store.read_many(later_paths(digest)) if found is not None), None)


def get_blob(store: Store, digest: str, get: Callable[[str], str | None]) -> str | None:
    """What ``get`` makes of the first path where the blob is."""
    found = get(blob_path(digest))
    if found is not None:
        return found
    later = later_paths(digest)
    sizes = parallel_map(store.size, later, threads=len(later))
    there = (get(path) for path, size in zip(later, sizes, strict=True) if size is not None)
    return next((found for found in there if found is not None), None)


def later_paths(digest: str) -> list[str]:
    return [blob_path(digest, incarnation) for incarnation in range(1, LAST_INCARNATION + 1)]
