"""A file that is taken in: a regular one, which is no link, and which nobody writes to while it is read."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ..errors import BadInput

TAKE_IN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


@contextlib.contextmanager
def regular_file(path: Path) -> Iterator[int]:
    """An open descriptor of a regular file that is no link. ``BadInput`` if it is anything else, or changes meanwhile."""
    try:
        fd = os.open(path, TAKE_IN)
    except FileNotFoundError:
        raise BadInput(f"there is no file {str(path)!r}", where="nothing was registered", do="check the path", code="no-file") from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
            raise _not_regular(path, "a link or a special file") from None
        raise
    try:
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode):
            raise _not_regular(path, "not a regular file")
        yield fd
        after = os.fstat(fd)
        if not same_file(before, after):
            raise file_changed(path)
    finally:
        os.close(fd)


def file_changed(path: Path) -> BadInput:
    return BadInput(
        f"{str(path)!r} changed while it was read",
        where="nothing was registered",
        do="register it when nothing writes to it any more",
        code="file-changed",
    )


def read_all(fd: int) -> bytes:
    """All bytes of a descriptor."""
    with open(fd, "rb", buffering=0, closefd=False) as file:
        return file.readall()


def same_file(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether nothing was written to a file between two looks at it."""
    return _identity(before) == _identity(after)


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _not_regular(path: Path, what: str) -> BadInput:
    return BadInput(
        f"{str(path)!r} is {what}", where="nothing was registered", do="register regular files and folders of them", code="not-a-file"
    )
