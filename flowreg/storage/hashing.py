"""Copying bytes and knowing their digest, in one pass: one thread copies, another hashes what has been copied.

The kernel shares the bytes where the filesystem can (a reflink), else copies them (``copy_file_range``), so they never pass
through Python; the hash reads them back from the page cache of the *copy*. Both release the interpreter lock. Memory is bounded
by one buffer.

What is going to be fsynced is sent to the disk while the rest is still copied (``write_back``), so that the fsync at the end finds
little left to do.
"""

from __future__ import annotations

import errno
import hashlib
import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path

CHUNK = 1 << 18  # bytes the hash reads at a time: they stay in the processor's cache
STRIDE = 8 << 20  # bytes the copier moves at a time
BATCH = 32 << 20  # bytes sent to the disk at a time
FICLONE = 0x40049409  # the request's number in Linux's <linux/fs.h>
SMALL = 2 << 20  # below this a second thread costs more than it saves


Progress = Callable[[int], None]  # called with the number of bytes that have passed since the last call, from any thread
Hashed = Callable[[int, int], None]  # called with the offset and the number of bytes that were copied and hashed


def no_progress(_: int) -> None:
    """Nobody watches."""


class Told:
    """What a watcher was told of an attempt, from any thread, so that it can be taken back before the next one."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._sum, self._lock = progress, 0, threading.Lock()

    def add(self, count: int) -> None:
        with self._lock:
            self._sum += count
        self._progress(count)

    def take_back(self) -> None:
        self._progress(-self._sum)


def leave_to_the_system(_offset: int, _count: int) -> None:
    """What was copied is written to the disk whenever the system likes."""


def write_back(target: int) -> Hashed:
    """Have the disk start on each part of ``target`` as soon as it is hashed, without waiting for it."""
    if not hasattr(os, "posix_fadvise"):  # macOS, Windows: the fsync at the end does all of it
        return leave_to_the_system
    # Linux starts the writing of dirty pages, and forgets only pages that are clean by then: the copy stays in memory.
    return lambda offset, count: os.posix_fadvise(target, offset, count, os.POSIX_FADV_DONTNEED)


def copy_hashing(source: int, target: int, hashed: Hashed = leave_to_the_system, progress: Progress = no_progress) -> tuple[int, str]:
    """Copy all of descriptor ``source`` to the empty ``target``; the number of bytes and the digest of what ``target`` now holds."""
    if os.fstat(source).st_size <= SMALL:
        return _copy_small(source, target, progress)
    done: queue.SimpleQueue[int | BaseException | None] = queue.SimpleQueue()
    copier = threading.Thread(target=_copy, args=(source, target, done), name="flowreg-copy", daemon=True)
    copier.start()
    try:
        return _hash_behind(target, done, hashed, progress)
    finally:
        copier.join()


def digest_of_file(source: int) -> tuple[int, str]:
    """The number of bytes and the digest of all of descriptor ``source``."""
    digest, size, buffer = hashlib.sha256(), 0, memoryview(bytearray(CHUNK))
    while count := os.preadv(source, [buffer], size):
        digest.update(buffer[:count])
        size += count
    return size, "sha256:" + digest.hexdigest()


def digest_of_path(path: Path) -> str:
    """The digest of a file's bytes."""
    with open(path, "rb", buffering=0) as file:
        return digest_of_file(file.fileno())[1]


def _copy_small(source: int, target: int, progress: Progress) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while data := os.read(source, CHUNK):
        digest.update(data)
        size += len(data)
        view = memoryview(data)
        while view:
            view = view[os.write(target, view) :]
    progress(size)
    return size, "sha256:" + digest.hexdigest()


def _copy(source: int, target: int, done: queue.SimpleQueue[int | BaseException | None]) -> None:
    try:
        if _share(source, target):
            done.put(os.fstat(target).st_size)
        while count := copy_some(source, target, STRIDE):
            done.put(count)
        done.put(None)
    except BaseException as error:
        done.put(error)


def _share(source: int, target: int) -> bool:
    """Have the two files share their blocks until one is written to: btrfs and XFS can, within one filesystem."""
    try:
        import fcntl

        fcntl.ioctl(target, FICLONE, source)
    except (ImportError, OSError):
        return False
    end = os.fstat(target).st_size
    os.lseek(source, end, os.SEEK_SET)  # whatever was appended since is copied behind it
    os.lseek(target, end, os.SEEK_SET)
    return True


def copy_some(source: int, target: int, limit: int) -> int:
    """Copy up to ``limit`` bytes from where ``source`` stands to where ``target`` stands; how many it were, 0 at the end."""
    if hasattr(os, "copy_file_range"):  # Linux
        try:
            return os.copy_file_range(source, target, min(limit, STRIDE))
        except OSError as error:
            # Across filesystems on old kernels, on some network and overlay mounts: fall back to reading and writing.
            if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
                raise
    data = os.read(source, min(limit, CHUNK))
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]
    return len(data)


def _hash_behind(target: int, done: queue.SimpleQueue[int | BaseException | None], hashed: Hashed, progress: Progress) -> tuple[int, str]:
    digest, size, copied, told, buffer = hashlib.sha256(), 0, 0, 0, memoryview(bytearray(CHUNK))
    while (moved := done.get()) is not None:
        if isinstance(moved, BaseException):
            raise moved
        copied += moved
        while size < copied:
            count = os.preadv(target, [buffer[: min(CHUNK, copied - size)]], size)
            if not count:
                raise OSError(errno.EIO, "the copy is shorter than what was written to it")
            digest.update(buffer[:count])
            size += count
        if size - told >= BATCH:
            hashed(told, size - told)
            progress(size - told)
            told = size
    progress(size - told)
    return size, "sha256:" + digest.hexdigest()
