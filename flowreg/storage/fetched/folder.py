"""Files in the cache's folder: which are ours, opened without following anything, taken away without breaking anybody.

Rule 1: a name is given by a rename, when all is there: nobody sees a torn file. Nothing is ever written to a file that has its name.
Rule 2: removing is unlinking: who is copying a file keeps it until it is done. A file that somebody brings (it is locked) stays.
Rule 3: no link is followed, and only what has a name of ours is looked at, counted or removed: the folder may hold anything.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..hashing import Progress, copy_hashing, no_progress

_OURS = re.compile(r"[0-9a-f]{64}(\.partial)?|\.[0-9a-f]{64}\.[0-9a-f]{16}\.tmp")
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# A cache is not worth a backup: https://bford.info/cachedir/\n"


class Busy(Exception):
    """Another process, or thread, brings this file."""


@dataclass(frozen=True, slots=True)
class Cached:
    """One file of the cache. ``used_at`` is in seconds since 1970; ``whole`` is False for what is on its way in, or was."""

    name: str
    size_bytes: int
    used_at: float
    whole: bool


def make(folder: Path) -> None:
    """The folder, for nobody else to look into where we make it."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "CACHEDIR.TAG").write_text(_TAG)


def listed(folder: Path) -> Iterator[Cached]:
    """What is ours in the folder; nothing where there is none."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if _OURS.fullmatch(entry.name):
                with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                    found = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(found.st_mode):
                        yield _cached(entry.name, found)


def remove(path: Path, *, whole: bool) -> bool:
    """Take a file away; False where it is being brought, or the disk says no."""
    try:
        if whole or path.name.startswith("."):
            path.unlink(missing_ok=True)
        else:
            with claimed(path):
                path.unlink()
    except (OSError, Busy):
        return False
    return True


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int | None]:
    """A regular file to read from, or None where there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | _FLAGS)
    except OSError:
        yield None
        return
    try:
        yield fd if stat.S_ISREG(os.fstat(fd).st_mode) else None
    finally:
        os.close(fd)


@contextlib.contextmanager
def claimed(path: Path) -> Iterator[int]:
    """The file to write to, for nobody else until the end of the block; an empty one where there was none.

    ``Busy`` where another has it; ``OSError`` where the disk does not let us, or it is not ours alone.
    """
    import fcntl

    fd = os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o600)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or found.st_uid != os.geteuid():
            raise PermissionError("not a file of ours alone")
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy from None
        if not _stands_at(path, fd):
            raise Busy  # it was finished, or removed, between our opening and our locking it
        try:
            yield fd
        finally:
            fcntl.flock(fd, fcntl.LOCK_UN)  # by itself a lock lasts until the last child that was forked meanwhile ends
    finally:
        os.close(fd)


def copied(source: int, into: Path, *, mode: int, progress: Progress = no_progress) -> str:
    """Copy a descriptor from its start to the new file ``into``; the digest of the copy."""
    target = os.open(into, NEW, mode)
    try:
        return copy_hashing(source, target, progress=progress)[1]
    finally:
        os.close(target)


def discard(path: Path, source: int) -> None:
    """Take away the file that ``source`` was opened from, unless another stands there by now."""
    with contextlib.suppress(OSError):
        if _stands_at(path, source):
            os.unlink(path)


def touch(path: Path) -> None:
    """It was used now."""
    with contextlib.suppress(OSError):
        os.utime(path, follow_symlinks=False)


def _stands_at(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.fstat(fd))
    except FileNotFoundError:
        return False


def _cached(name: str, found: os.stat_result) -> Cached:
    whole = len(name) == 64
    taken_up = found.st_size if whole else min(found.st_size, found.st_blocks * 512)  # on its way in it has holes
    return Cached(name, taken_up, found.st_mtime, whole)
