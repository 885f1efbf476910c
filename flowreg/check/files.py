"""Reading files for a check: no link is followed, no pipe is waited for, and what is too large is not taken into memory.

Rule 1: nothing here raises over one file; what cannot be read comes back as ``Unreadable``, with the reason.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.codec import digest_of
from ..core.manifest import BYTES_LIMIT
from ..errors import FlowregError
from ..storage.hashing import digest_of_file
from ..storage.local import LocalStore
from ..storage.parallel import parallel_map
from ..storage.store import IN_MEMORY, Store

LIMIT = BYTES_LIMIT  # the largest file that is ever read whole
_PLAIN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something stands there, and why it could not be read."""

    why: str


Raw = bytes | Unreadable | None


def read_many(store: Store, paths: Sequence[str]) -> list[Raw]:
    """The bytes at each path; None where there is nothing."""
    if isinstance(store, LocalStore):
        return [_read_local(store, path) for path in paths]
    try:
        return [_bounded(raw) for raw in store.read_many(paths)]
    except (FlowregError, OSError):
        return [_read_alone(store, path) for path in paths]


def read(store: Store, path: str) -> Raw:
    return read_many(store, [path])[0]


def sizes_near(store: Store, paths: Iterable[str]) -> Callable[[str], int | Unreadable | None]:
    """What tells the number of bytes at each of these paths, and of whatever lies beside them. Where a question costs a request,
    each folder is listed once instead, and only what the listing lacks is asked for: it may lag."""
    if isinstance(store, LocalStore):
        return lambda path: _local_size(store, path)
    folders = sorted({path.rpartition("/")[0] for path in paths})
    listed = dict(zip(folders, parallel_map(lambda folder: _listed(store, folder), folders, threads=8), strict=True))

    def size(path: str) -> int | Unreadable | None:
        folder, _, name = path.rpartition("/")
        there = listed[folder]
        if isinstance(there, Unreadable):
            return there
        return there[name] if name in there else _asked(store, path)

    return size


def digest_at(store: Store, path: str, size_bytes: int) -> str | Unreadable | None:
    """The digest of the bytes at ``path``, read in small parts."""
    try:
        if isinstance(store, LocalStore):
            fd = _open(store, path)
            if isinstance(fd, Unreadable):
                return fd
            try:
                return digest_of_file(fd)[1]
            finally:
                os.close(fd)
        if size_bytes <= IN_MEMORY:
            raw = store.read(path)
            return None if raw is None else digest_of(raw)
        with tempfile.TemporaryDirectory(prefix="flowreg-check-") as folder:
            return store.get_file(path, Path(folder, "blob"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (FlowregError, OSError) as error:
        return Unreadable(_brief(error))


def _local_size(store: LocalStore, path: str) -> int | Unreadable | None:
    try:
        seen = (store.folder / path).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return Unreadable(_brief(error))
    return seen.st_size if stat.S_ISREG(seen.st_mode) else Unreadable(_no_file(seen.st_mode))


def _asked(store: Store, path: str) -> int | Unreadable | None:
    try:
        return store.size(path)
    except (FlowregError, OSError) as error:
        return Unreadable(_brief(error))


def _listed(store: Store, folder: str) -> Mapping[str, int] | Unreadable:
    try:
        return {name: size for name, size, _ in store.sizes(folder)}
    except (FlowregError, OSError) as error:
        return Unreadable(_brief(error))


def _read_local(store: LocalStore, path: str) -> Raw:
    try:
        fd = _open(store, path)
        if isinstance(fd, Unreadable):
            return fd
        with open(fd, "rb", buffering=0) as file:
            size = os.fstat(fd).st_size
            return Unreadable(f"{size} bytes are too many") if size > LIMIT else file.readall()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return Unreadable(_brief(error))


def _open(store: LocalStore, path: str) -> int | Unreadable:
    """A descriptor of the plain file at ``path``."""
    try:
        fd = os.open(store.folder / path, _PLAIN)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
            return Unreadable("a link or a special file, which is not followed")
        raise
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return fd
    os.close(fd)
    return Unreadable(_no_file(mode))


def _no_file(mode: int) -> str:
    return "a link, which is not followed" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "no plain file"


def _read_alone(store: Store, path: str) -> Raw:
    try:
        return _bounded(store.read(path))
    except (FlowregError, OSError) as error:
        return Unreadable(_brief(error))


def _bounded(raw: bytes | None) -> Raw:
    return Unreadable(f"{len(raw)} bytes are too many") if raw is not None and len(raw) > LIMIT else raw


def _brief(error: Exception) -> str:
    if isinstance(error, FlowregError):
        return error.what
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
