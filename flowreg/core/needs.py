"""Which blobs an event refers to, and for what. Pure.

Rule 1: whoever checks and whoever collects ask here, so that nothing is removed that a check would miss. A new event that names a
blob gets its case here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .events import Decided, Evaluated, Run, VersionRegistered
from .manifest import Manifest


@dataclass(frozen=True, slots=True)
class Named:
    """A blob that something refers to as its ``role``; a file has a ``path`` and a size."""

    digest: str
    role: str
    path: str | None = None
    size_bytes: int | None = None


def named_by(event: object) -> Iterator[Named]:
    """The blobs that an event names itself."""
    match event:
        case VersionRegistered():
            named = [(event.manifest, "the manifest"), (event.card, "the card"), (event.golden, "the golden inputs"), *_of_run(event.run)]
        case Evaluated():
            named = [(event.table, "sliced values"), (event.examples, "the examples"), *_of_run(event.run)]
        case Decided():
            named = [(event.decision, "a decision")]
        case _:
            return
    yield from (Named(digest, role) for digest, role in named if digest is not None)


def named_in(manifest: Manifest) -> Iterator[Named]:
    """The files of a manifest, which every version with it refers to as long as its bytes are not dropped."""
    return (Named(file.digest, "a file", file.path, file.size_bytes) for file in manifest.files)


def _of_run(run: Run | None) -> list[tuple[str | None, str]]:
    """What was kept of the code and the environment of a run."""
    git, environment = (run.git, run.environment) if run else (None, None)
    lockfile = environment.lockfile if environment else None
    return [
        (environment.packages if environment else None, "the list of packages"),
        (lockfile.digest if lockfile else None, "the lockfile"),
        (git.diff if git else None, "the changes that were not committed"),
        (git.untracked if git else None, "the list of untracked files"),
    ]
