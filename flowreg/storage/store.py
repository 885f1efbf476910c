"""The store: the few things flowreg asks of a filesystem, and where they are kept for a root.

Rule 1: nothing above knows which filesystem it is on; nothing but ``opening`` and ``fsspec_store`` imports fsspec, and only for roots
that are not a local folder.
Rule 2: what is promised here is promised everywhere (``tests/contract``); a filesystem that can't is refused for writing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from .arriving import Arriving
from .fsspec_store import IN_MEMORY, FsspecStore
from .hashing import Progress
from .local import LocalStore
from .proofs import PROOFS, Proof
from .roots import parse_root, shown_root
from .uploads import Unfinished

__all__ = ["IN_MEMORY", "PROOFS", "FsspecStore", "Proof", "Store", "Unfinished", "open_store", "shown_root"]


class Ranges(Protocol):
    """What can go on with a download that was broken off."""

    def get_in_ranges(self, path: str, file: Arriving, *, copy: int | None = ..., progress: Progress = ...) -> str | None: ...


class Store(Protocol):
    """What flowreg asks of a filesystem. Paths are relative to the root, with ``/``."""

    root: str
    concurrent_files: int

    @property
    def mechanism(self) -> str:
        """How one writer of a path wins; ``none`` where that is not known."""

    @property
    def is_far(self) -> bool:
        """Whether what was fetched is worth keeping nearer."""

    @property
    def guards_bytes(self) -> bool:
        """Whether what arrives is what is stored, or arrives with an error."""

    @property
    def ranges(self) -> Ranges | None:
        """Who brings a large file in ranges; None where a file comes at once."""

    def create(self, path: str, data: bytes) -> None: ...
    def replace(self, path: str, data: bytes) -> None: ...
    def remove(self, path: str) -> None: ...
    def read(self, path: str) -> bytes | None: ...
    def read_many(self, paths: Sequence[str]) -> list[bytes | None]: ...
    def names(self, folder: str) -> list[str]: ...
    def size(self, path: str) -> int | None: ...
    def sizes(self, folder: str) -> list[tuple[str, int, datetime]]: ...
    def unfinished(self, folder: str) -> Sequence[Unfinished]: ...
    def give_up(self, found: Unfinished) -> None: ...
    def put_bytes(self, path: str, data: bytes) -> None: ...
    def put_file(self, source: Path, place: Callable[[str], str], progress: Progress = ...) -> tuple[int, str]: ...
    def put_files(self, sources: Sequence[Path], place: Callable[[str], str], progress: Progress = ...) -> list[tuple[int, str]]: ...
    def get_file(self, path: str, into: Path, *, size_bytes: int | None = ..., progress: Progress = ...) -> str | None: ...


def open_store(root: str | os.PathLike[str], options: Mapping[str, Any] | None = None) -> Store:
    """The store at ``root``: a path, a zip file, or a URL of any installed fsspec filesystem. Nothing is read or written yet."""
    return _opened(root, options, on_trial=False)


def open_on_trial(root: str | os.PathLike[str], options: Mapping[str, Any] | None = None) -> Store:
    """The same for the probe: it writes without asking whether this filesystem may be written."""
    return _opened(root, options, on_trial=True)


def _opened(root: str | os.PathLike[str], options: Mapping[str, Any] | None, *, on_trial: bool) -> Store:
    parsed = parse_root(root)
    if parsed.protocol == "file":
        return LocalStore(Path(parsed.url).expanduser().absolute())
    return FsspecStore(parsed, options or {}, shown=shown_root(os.fspath(root)), on_trial=on_trial)
