"""A cache: files under their digest, the least recently used of which go when room is needed.

    9f2c…             a whole file; the time of its last change is that of its last use
    9f2c….partial     a large file on its way in (``storage.arriving``), locked by the process that brings it
    .9f2c….a1b2.tmp   a small one that is just being taken in

Rule: what the cache's disk says no to is no error of whoever fetches; then there is no such file, or it is not kept.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ...core.codec import digest_of
from ...core.manifest import File
from ..arriving import Arriving
from ..hashing import Progress, Told
from ..source_files import read_all
from . import folder as on_disk
from .folder import Cached

SPARED_BYTES = 64 << 20  # that stay free on the disk, whatever the bound


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache in ``folder``, which may take up ``limit_bytes``; the folder is made when something is kept."""

    folder: Path
    limit_bytes: int

    def files(self) -> tuple[Cached, ...]:
        """Everything in the cache, the least recently used first."""
        return tuple(sorted(on_disk.listed(self.folder), key=lambda file: (file.used_at, file.name)))

    def trim(self, to_bytes: int | None = None) -> tuple[Cached, ...]:
        """Remove the least recently used until ``to_bytes`` are left, by default the bound; what was removed."""
        files, limit = self.files(), self.limit_bytes if to_bytes is None else to_bytes
        left, removed = sum(file.size_bytes for file in files), []
        for file in files:
            if left <= limit:
                break
            if self._remove(file):
                left -= file.size_bytes
                removed.append(file)
        return tuple(removed)

    def clear(self) -> tuple[Cached, ...]:
        """Remove everything but what is being fetched at this moment; what was removed."""
        return tuple(file for file in self.files() if self._remove(file))

    def with_room_for(self, files: Iterable[File]) -> Cache:
        """This cache, with room for those of ``files`` that it lacks; or one that keeps nothing more, where they would never fit."""
        lacking = {file.digest: file.size_bytes for file in files if not self._has(file)}
        needed = sum(lacking.values())
        if not needed:
            return self
        try:
            on_disk.make(self.folder)
            if needed <= self.limit_bytes:
                self.trim(self.limit_bytes - needed)
                if needed + SPARED_BYTES <= _free_bytes(self.folder):
                    return self
        except OSError:
            pass
        return replace(self, limit_bytes=0)

    def copy_out(self, file: File, into: Path, progress: Progress) -> bool:
        """Copy the file to the new file ``into``, and verify the copy. False, and no file there, where these bytes are not to be had."""
        path, told = self._path(file.digest), Told(progress)
        with on_disk.opened(path) as source:
            if source is None:
                return False
            with contextlib.suppress(OSError):  # if it is the disk of ``into`` that says no, it says so again to whoever goes on
                if os.fstat(source).st_size == file.size_bytes:
                    found = on_disk.copied(source, into, mode=0o666, progress=told.add)
                    if found == file.digest:
                        on_disk.touch(path)
                        return True
                _note(f"the cache held other bytes under {file.digest[:19]}…; they were removed, and are fetched again", self)
                on_disk.discard(path, source)
        told.take_back()
        into.unlink(missing_ok=True)
        return False

    def read(self, digest: str, *, limit_bytes: int) -> bytes | None:
        """The bytes of a small file, verified; None where they are not to be had."""
        path = self._path(digest)
        with contextlib.suppress(OSError), on_disk.opened(path) as source:
            if source is None or os.fstat(source).st_size > limit_bytes:
                return None
            data = read_all(source)
            if digest_of(data) == digest:
                on_disk.touch(path)
                return data
            on_disk.discard(path, source)
        return None

    def keep(self, data: bytes) -> None:
        """Keep these few bytes under their digest."""
        digest = digest_of(data)
        with contextlib.suppress(OSError), self._named_at_the_end(digest) as temporary:
            temporary.touch(0o600, exist_ok=False)
            temporary.write_bytes(data)

    def take_in(self, file: File, source: Path) -> None:
        """Keep a copy of the file at ``source`` under its digest, if that is its digest."""
        if file.size_bytes > self.limit_bytes:
            return
        with contextlib.suppress(OSError), self._named_at_the_end(file.digest) as temporary, on_disk.opened(source) as given:
            if given is None or on_disk.copied(given, temporary, mode=0o600) != file.digest:
                raise OSError("these are other bytes")

    @contextlib.contextmanager
    def arriving(self, file: File) -> Iterator[Arriving]:
        """What is there of a large file, for us to go on with. ``Busy`` while another brings it, ``OSError`` where it can't be kept."""
        with on_disk.claimed(self._partial(file)) as fd:
            arriving = Arriving(fd, file.size_bytes, recorded=True)
            arriving.begin()
            yield arriving

    def arrived(self, file: File, arriving: Arriving) -> None:
        """What was arriving is whole and verified: it gets its name."""
        with contextlib.suppress(OSError):
            arriving.end()
            os.replace(self._partial(file), self._path(file.digest))

    def give_up(self, file: File, *, wrong: bool) -> None:
        """What was arriving is of no use; ``wrong``: it is whole, and has not this digest."""
        if wrong:
            _note(f"what an interrupted fetch left of {file.digest[:19]}… was damaged; it was removed, and is fetched again", self)
        with contextlib.suppress(OSError):
            os.unlink(self._partial(file))

    def last_arrival(self, file: File) -> int:
        """The moment of the newest bytes of a file that another brings, in nanoseconds; 0 where nobody does."""
        try:
            return os.lstat(self._partial(file)).st_mtime_ns
        except OSError:
            return 0

    @contextlib.contextmanager
    def _named_at_the_end(self, digest: str) -> Iterator[Path]:
        on_disk.make(self.folder)
        temporary = self.folder / f".{digest[7:]}.{os.urandom(8).hex()}.tmp"
        try:
            yield temporary
            os.replace(temporary, self._path(digest))
        finally:
            temporary.unlink(missing_ok=True)

    def _remove(self, file: Cached) -> bool:
        return on_disk.remove(self.folder / file.name, whole=file.whole)

    def _has(self, file: File) -> bool:
        """Whether the file is there, by name and size. What is there of it is in use from now on."""
        path = self._path(file.digest)
        on_disk.touch(path)
        on_disk.touch(self._partial(file))
        try:
            return os.lstat(path).st_size == file.size_bytes
        except OSError:
            return False

    def _path(self, digest: str) -> Path:
        return self.folder / digest[7:]

    def _partial(self, file: File) -> Path:
        return self.folder / f"{file.digest[7:]}.partial"


def _free_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _note(what: str, cache: Cache) -> None:
    import logging  # seldom needed

    logging.getLogger("flowreg").warning("%s (cache: %s)", what, cache.folder)
