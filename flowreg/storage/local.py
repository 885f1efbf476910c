"""A folder on a local disk: create-if-absent that is atomic in name and in content, and durable.

Rule 1: bytes get their name by ``os.link`` from a finished, fsynced temporary file in the same folder; then the folder is
fsynced. Nobody ever sees half a file, and a power cut leaves the old state or the new one.
Rule 2: ``os.replace`` is only for hints: over an existing file ext4 starts writeback, which costs milliseconds.
Rule 3: no link is followed: what is read or taken in is a regular file, or refused.
Rule 4: the digest of a file taken in is computed over the bytes that were *stored*, never over a second reading of the source.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..errors import Corrupt, Unavailable
from .bounded import READ_LIMIT
from .hashing import Progress, copy_hashing, no_progress, write_back
from .parallel import parallel_map
from .source_files import TAKE_IN, read_all, regular_file

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)


class LocalStore:
    """A registry's root as a local folder."""

    mechanism = "tmp + fsync + link + fsync(folder)"
    is_far, guards_bytes, ranges = False, True, None
    concurrent_files = 8  # fsyncs at one moment share a commit of the filesystem's journal: 8 took half the time of 2

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = str(folder)
        self._known: set[str] = set()  # folders seen to exist; only saves system calls

    def create(self, path: str, data: bytes) -> None:
        """Durably give ``data`` this path. ``FileExistsError`` where the path is taken; then nothing was written."""
        target = self._target(path)
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
        with self._temporary(target) as (fd, temporary):
            _write_all(fd, data)
            os.fsync(fd)
            self._name(temporary, target)

    def replace(self, path: str, data: bytes) -> None:
        """Put a hint, over whatever is there. Atomic, not durable."""
        target = self._target(path)
        with self._temporary(target) as (fd, temporary):
            _write_all(fd, data)
            os.replace(temporary, target)

    def remove(self, path: str) -> None:
        """Take the file away; one that is gone already is as good."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.root, path))

    def remove_folder(self, path: str) -> None:
        """Take an empty folder away; one that is not empty stays."""
        with contextlib.suppress(OSError):
            os.rmdir(os.path.join(self.root, path))
            self._known.discard(os.path.join(self.root, path))

    def modified_at(self, path: str) -> datetime:
        """When the filesystem says that this was written."""
        return datetime.fromtimestamp(os.stat(os.path.join(self.root, path)).st_mtime, UTC)

    def read(self, path: str) -> bytes | None:
        """The bytes at ``path``, or None. A link, a pipe, a folder, or what is above ``READ_LIMIT``, reads as no bytes at all: taken."""
        try:
            fd = os.open(os.path.join(self.root, path), TAKE_IN)
        except FileNotFoundError:
            return None
        except NotADirectoryError as error:
            raise self._file_in_the_way(error) from error
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
                return b""
            raise
        try:
            seen = os.fstat(fd)
            return read_all(fd) if stat.S_ISREG(seen.st_mode) and seen.st_size <= READ_LIMIT else b""
        finally:
            os.close(fd)

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        return [self.read(path) for path in paths]

    def size(self, path: str) -> int | None:
        """The number of bytes of the file at ``path``, or None where there is none."""
        try:
            found = os.lstat(os.path.join(self.root, path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def names(self, folder: str) -> list[str]:
        """The names in a folder, subfolders with a ``/`` at the end; empty where there is none."""
        try:
            with os.scandir(os.path.join(self.root, folder)) as entries:
                return [e.name + "/" if e.is_dir(follow_symlinks=False) else e.name for e in entries if not e.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def sizes(self, folder: str) -> list[tuple[str, int, datetime]]:
        """Name, size in bytes and moment of the last change of every plain file in a folder."""
        try:
            with os.scandir(os.path.join(self.root, folder)) as entries:
                found = [(e.name, e.stat(follow_symlinks=False)) for e in entries if e.is_file(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [(name, seen.st_size, datetime.fromtimestamp(seen.st_mtime, UTC)) for name, seen in found]

    def unfinished(self, folder: str) -> tuple[()]:
        """No upload is begun here that is not a temporary file."""
        return ()

    def give_up(self, found: object) -> None:
        """There is none."""

    def put_file(self, source: Path, place: Callable[[str], str], progress: Progress = no_progress) -> tuple[int, str]:
        """Copy ``source`` to ``place(its digest)`` if absent, hashing as it goes. Returns its size in bytes and its digest."""
        with regular_file(source) as origin:
            staging = self._target("blobs/incoming/file")
            with self._temporary(staging) as (fd, temporary):
                size, digest = copy_hashing(origin, fd, write_back(fd), progress)
                target = self._target(place(digest))
                if not (os.path.lexists(target) and self._has(target, size)):
                    os.fsync(fd)
                    self._put(lambda: self._name(temporary, target), target, size)
        return size, digest

    def put_files(self, sources: Sequence[Path], place: Callable[[str], str], progress: Progress = no_progress) -> list[tuple[int, str]]:
        """``put_file`` for each, several at once."""
        return parallel_map(lambda source: self.put_file(source, place, progress), sources, threads=self.concurrent_files)

    def put_bytes(self, path: str, data: bytes) -> None:
        """Durably put a blob that is small enough to be in memory, if absent."""
        self._put(lambda: self.create(path, data), os.path.join(self.root, path), len(data))

    def get_file(self, path: str, into: Path, *, size_bytes: int | None = None, progress: Progress = no_progress) -> str | None:
        """Copy the file at ``path`` to the new file ``into`` and return the digest of what was copied; None if there is none."""
        try:
            origin = os.open(os.path.join(self.root, path), TAKE_IN)
        except FileNotFoundError:
            return None
        try:
            fd = os.open(into, _NEW, 0o666)
            try:
                return copy_hashing(origin, fd, progress=progress)[1]
            finally:
                os.close(fd)
        finally:
            os.close(origin)

    def _target(self, path: str) -> str:
        target = os.path.join(self.root, path)
        folder = os.path.dirname(target)
        if folder not in self._known:
            try:
                _make_folders(folder)
            except NotADirectoryError as error:
                raise self._file_in_the_way(error) from error
            self._known.add(folder)
        return target

    def _file_in_the_way(self, error: OSError) -> Unavailable:
        return Unavailable(
            f"there is a file where a folder is needed: {error.filename}",
            where=f"{self.root}; nothing was written",
            do="move that file away, or choose another root",
            code="storage",
        )

    @contextlib.contextmanager
    def _temporary(self, target: str) -> Iterator[tuple[int, str]]:
        folder, name = os.path.split(target)
        temporary = os.path.join(folder, f".{name[:40]}.{os.urandom(8).hex()}.tmp")
        try:
            fd = os.open(temporary, _NEW, 0o666)
        except FileNotFoundError:  # somebody removed the folder since
            _make_folders(folder)
            fd = os.open(temporary, _NEW, 0o666)
        try:
            yield fd, temporary
        finally:
            os.close(fd)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)

    def _name(self, temporary: str, target: str) -> None:
        try:
            os.link(temporary, target)
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK):
                raise Unavailable(
                    "this folder's filesystem has no hard links, so nothing can be created there atomically",
                    where=f"{self.root}; nothing was written",
                    do="choose a root on a filesystem with hard links, or an object store",
                    code="no-hard-links",
                ) from None
            raise
        self._confirm(target)

    def _put(self, name: Callable[[], None], target: str, size: int) -> None:
        """Give a blob its name. Where another process did, the bytes are there; unless a collection has just removed them: then again."""
        while True:
            try:
                return name()
            except FileExistsError:
                if self._has(target, size):
                    return None

    def _has(self, target: str, size: int) -> bool:
        """Whether the blob is there, to stay through a power cut; ``Corrupt`` where something else is."""
        self._confirm(target)
        try:
            found = os.lstat(target).st_size
        except FileNotFoundError:
            return False
        require_size(size, found, where=target)
        return True

    def _confirm(self, target: str) -> None:
        """The name of ``target`` survives a power cut from here on, whoever gave it."""
        try:
            _sync_folder(os.path.dirname(target))
        except OSError as error:
            # Reading it back would find our bytes, in memory; so this is said here, and is no lost reply.
            raise Unavailable(
                f"the disk did not confirm that a file will last: {error.strerror}",
                where=f"{target}; it is there now, and may be gone after a power cut",
                do="look at the disk (dmesg), then repeat the same request",
                code="not-durable",
                outcome="unknown",
            ) from error


def require_size(size: int, found: int, *, where: str) -> None:
    """What stands under a digest already must at least have its size: nothing may be built on a blob that was cut off."""
    if found != size:
        raise Corrupt(
            f"a blob of {size} bytes is stored with {found} bytes",
            where=f"{where}; nothing was registered",
            do="remove the damaged file and register again, or restore it; then run flowreg check",
            code="damaged-blob",
        )


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _make_folders(folder: str) -> None:
    """``mkdir -p`` that survives a power cut: every folder that is made is fsynced into its parent."""
    missing = []
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for made in reversed(missing):
        with contextlib.suppress(FileExistsError):
            os.mkdir(made)
        _sync_folder(os.path.dirname(made))


def _sync_folder(folder: str) -> None:
    if os.name == "nt":  # Windows has no fsync of folders; NTFS journals the name itself
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
