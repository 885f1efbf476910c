"""A root on an fsspec filesystem, through its conditional put.

Rule 1: ``create`` succeeds for one writer of a path and for no other. That is proven or tried (``permission``) before the first byte is
written, or nothing is written.
Rule 2: an error of ``create`` says nothing about whether the bytes landed. The caller reads back.
Rule 3: listings and instances are not cached, and a forked child opens a filesystem of its own.
Rule 4: ``root`` and ``repr`` are safe to show; credentials stay in the filesystem object.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ..core.codec import digest_of
from ..core.layout import entry_path
from ..errors import Corrupt, FlowregError, Unavailable
from .arriving import Arriving, DiskFailed
from .bounded import read_whole
from .hashing import Progress, digest_of_path, no_progress
from .in_flight import InFlight
from .listing import names_in, sizes_in
from .local import require_size
from .opening import Opened, brief, open_filesystem, sends_plainly
from .parallel import parallel_map
from .parts import hash_in_parts
from .permission import Permission
from .proofs import PROOFS
from .roots import Root
from .source_files import file_changed, read_all, regular_file, same_file
from .uploads import SourceChanged, Unfinished, base64_of, give_up, is_s3, size_on_s3, unfinished, upload

IN_MEMORY = 16 << 20  # bytes up to which a blob travels as one request
IN_FLIGHT_BYTES = 128 << 20  # of all requests of a store together
WORTH_ASKING = 16 << 10  # bytes from which asking whether a blob is there is cheaper than sending it again
TRIES = 3  # of a blob that is taken, and then is not there
FIRST = entry_path(None, 1)  # where a registry begins


class FsspecStore:
    """A registry's root on a filesystem of fsspec. ``on_trial`` writes without asking whether it may: for the probe."""

    concurrent_files = 32

    def __init__(self, root: Root, options: Mapping[str, Any], *, shown: str, on_trial: bool = False) -> None:
        self.root = shown
        self._at = root
        self._options = options
        self._on_trial = on_trial
        self._of_process: dict[int, Opened] = {}
        self._in_flight = InFlight(IN_FLIGHT_BYTES)
        self._met_before = False  # a hint: the blob before was there already
        self._permission = Permission(shown, lambda: FsspecStore(root, options, shown=shown, on_trial=True))

    def __repr__(self) -> str:
        return f"FsspecStore({self.root!r})"  # never the options: they hold credentials

    @property
    def mechanism(self) -> str:
        """How this filesystem creates for one writer only; ``none`` where that is not known."""
        row = PROOFS.get(self._at.protocol)
        return row.mechanism if row else "none"

    @property
    def is_far(self) -> bool:
        """Whether what was fetched is worth keeping nearer: not what is in memory, or in an archive on this disk."""
        return self._at.protocol not in ("memory", "zip")

    @property
    def guards_bytes(self) -> bool:
        """Over TLS; over plain HTTP a byte may arrive changed without anybody noticing."""
        return not sends_plainly(self._filesystem()[0])

    @property
    def ranges(self) -> FsspecStore | None:
        """Itself, where a large file can come in ranges, and an interrupted download be gone on with."""
        return self if is_s3(self._filesystem()[0]) else None

    def create(self, path: str, data: bytes) -> None:
        """``data`` at ``path`` if absent. ``FileExistsError`` where it is taken; any other error leaves the outcome unknown."""
        fs, base = self._writable(first=path == FIRST)
        try:
            fs.pipe_file(f"{base}/{path}", data, mode="create", **_sealed(fs, data))
        except OSError as error:
            if _is_taken(error):
                raise FileExistsError(errno.EEXIST, "the path is taken", path) from error
            raise

    def replace(self, path: str, data: bytes) -> None:
        fs, base = self._writable()
        fs.pipe_file(f"{base}/{path}", data, **_sealed(fs, data))

    def remove(self, path: str) -> None:
        """Take the file away; one that is gone already is as good."""
        fs, base = self._writable()
        try:
            fs.rm_file(f"{base}/{path}")
        except FileNotFoundError:
            return
        except Exception as error:
            raise self._unavailable(error) from error

    def remove_folder(self, path: str) -> None:
        """Take an empty folder away, where the filesystem has folders."""
        fs, base, proof = self._opened()
        if proof is None or proof.creates_by != "mode":
            with contextlib.suppress(OSError, NotImplementedError):
                fs.rmdir(f"{base}/{path}")

    def read(self, path: str) -> bytes | None:
        return self.read_many([path])[0]

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        """The bytes at each path or None, all at once where the filesystem can; no bytes for what is above ``READ_LIMIT``."""
        fs, base = self._filesystem()
        full = [f"{base}/{path}" for path in paths]
        found = read_whole(fs, full)
        return [self._bytes_or_none(path, item) for path, item in zip(paths, found, strict=True)]

    def names(self, folder: str) -> list[str]:
        """The names in a folder, subfolders with a ``/`` at the end; empty where there is none."""
        fs, base = self._filesystem()
        try:
            return names_in(fs, f"{base}/{folder}".rstrip("/"))
        except Exception as error:
            raise self._unavailable(error) from error

    def sizes(self, folder: str) -> list[tuple[str, int, datetime]]:
        """Name, size in bytes and moment of the last change of every file in a folder; now, where the filesystem does not say."""
        fs, base = self._filesystem()
        try:
            return sizes_in(fs, f"{base}/{folder}")
        except Exception as error:
            raise self._unavailable(error) from error

    def unfinished(self, folder: str) -> list[Unfinished]:
        """The uploads to anywhere below a folder that were begun and not ended; ``Unavailable`` where the server does not tell."""
        fs, base = self._filesystem()
        if not is_s3(fs):
            return []
        bucket, root, _ = fs.split_path(f"{base}/")
        try:
            return [replace(one, key=one.key[len(root) :]) for one in unfinished(fs, bucket, f"{root}{folder}/")]
        except Exception as error:
            raise self._unavailable(error) from error

    def give_up(self, found: Unfinished) -> None:
        """Have the server forget such an upload, and its parts."""
        fs, base = self._writable()
        bucket, root, _ = fs.split_path(f"{base}/")
        try:
            give_up(fs, bucket, f"{root}{found.key}", found.upload)
        except Exception as error:
            raise self._unavailable(error) from error

    def modified_at(self, path: str) -> Any:
        """When the filesystem says that this was written, as a datetime, or None where it does not say."""
        fs, base = self._filesystem()
        with contextlib.suppress(Exception):
            return fs.modified(f"{base}/{path}")
        return None

    def put_bytes(self, path: str, data: bytes) -> None:
        """A blob that is small enough to be in memory, if absent. The same bytes twice are one blob."""
        for tries_left in reversed(range(TRIES)):
            try:
                return self.create(path, data)
            except FlowregError:
                raise
            except Exception as error:
                # Taken, or the reply was lost: the name is the digest, so what counts is that the whole of it is there.
                found = self.size(path)
                if found is None and isinstance(error, FileExistsError) and tries_left:
                    continue  # a collection has just removed it
                self._require(path, len(data), found, error)
                self._met_before = True
                return None
        return None

    def put_file(self, source: Path, place: Callable[[str], str], progress: Progress = no_progress) -> tuple[int, str]:
        """Store the file under ``place(its digest)`` if absent. Returns its size in bytes and its digest."""
        self._writable()
        with regular_file(source) as fd:
            size = os.fstat(fd).st_size
            if size > IN_MEMORY:
                return self._put_large(source, fd, place, progress)
            with self._in_flight.holding(size):
                data = read_all(fd)
                digest = digest_of(data)
                self._put_small(place(digest), data)
            progress(len(data))
        return len(data), digest

    def put_files(self, sources: Sequence[Path], place: Callable[[str], str], progress: Progress = no_progress) -> list[tuple[int, str]]:
        """``put_file`` for each, many at once."""
        fs, base = self._writable()
        stored: list[tuple[int, str] | None] = [None] * len(sources)
        if len(sources) > 1 and getattr(fs, "async_impl", False) and not self._met_before:
            from .small_files import put_small_files  # asyncio, which a local root does without

            def create(path: str, data: bytes) -> Any:
                return fs._pipe_file(f"{base}/{path}", data, mode="create", **_sealed(fs, data))

            stored = put_small_files(fs.loop, create, sources, place, progress)
        left = [number for number, found in enumerate(stored) if found is None]
        found = parallel_map(lambda number: self.put_file(sources[number], place, progress), left, threads=self.concurrent_files)
        for number, one in zip(left, found, strict=True):
            stored[number] = one
        return [one for one in stored if one is not None]

    def get_file(self, path: str, into: Path, *, size_bytes: int | None = None, progress: Progress = no_progress) -> str | None:
        """Download to the new file ``into``; the digest of what arrived, or None where there is no such file.

        ``size_bytes``, where the caller knows it, saves a request; an object of another size is ``Corrupt``.
        """
        size = self.size(path) if size_bytes is None else size_bytes
        if size is None:
            return None
        fd = os.open(into, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            found = self._get_large(path, fd, into, size, progress) if size > IN_MEMORY else self._get_small(path, fd, size, progress)
        finally:
            os.close(fd)
        if found is None:
            os.unlink(into)
        return found

    def _get_small(self, path: str, fd: int, size: int, progress: Progress) -> str | None:
        with self._in_flight.holding(size), open(fd, "wb", closefd=False) as file:
            data = self.read(path)
            if data is None:
                return None
            file.write(data)
        progress(len(data))
        return digest_of(data)

    def _put_small(self, path: str, data: bytes) -> None:
        """Asks first whether the blob is there while the last ones were: an attempt that goes on where another broke off."""
        if len(data) < WORTH_ASKING or not self._met_before or self.size(path) != len(data):
            self._met_before = False
            self.put_bytes(path, data)

    def _put_large(self, source: Path, fd: int, place: Callable[[str], str], progress: Progress) -> tuple[int, str]:
        """The name is the digest, so every file is read to be hashed, and again to be sent. On S3 each part is proved as it goes;
        the others send the file by themselves, and that nobody wrote to it meanwhile is seen by its times."""
        before = os.fstat(fd)
        parts = hash_in_parts(fd)
        path = place(parts.digest)
        found = self.size(path)
        if found is not None:
            require_size(parts.size_bytes, found, where=f"{self.root}/{path}")
            progress(parts.size_bytes)
            return parts.size_bytes, parts.digest
        fs, base = self._writable()
        try:
            if is_s3(fs):
                upload(fs, f"{base}/{path}", fd, parts, in_flight=self._in_flight, progress=progress)
            else:
                fs.put_file(str(source), f"{base}/{path}", mode="create")
                progress(parts.size_bytes)
        except SourceChanged:
            raise file_changed(source) from None
        except Exception as error:  # taken meanwhile, or our own reply was lost: what counts is that all of it is there
            self._require(path, parts.size_bytes, self.size(path), error)
        else:
            if not is_s3(fs) and not same_file(before, os.fstat(fd)):
                fs.rm_file(f"{base}/{path}")  # it was read twice, and nobody knows what was sent
                raise file_changed(source)
        return parts.size_bytes, parts.digest

    def _get_large(self, path: str, fd: int, into: Path, size: int, progress: Progress) -> str | None:
        fs, base = self._filesystem()
        if is_s3(fs):
            try:
                return self.get_in_ranges(path, Arriving(fd, size), progress=progress)
            except DiskFailed as error:
                raise error.__cause__ or error from None
        try:
            fs.get_file(f"{base}/{path}", str(into))
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._unavailable(error) from error
        progress(size)
        return digest_of_path(into)

    def get_in_ranges(self, path: str, file: Arriving, *, copy: int | None = None, progress: Progress = no_progress) -> str | None:
        """Download into ``file``, which another attempt can go on with, and on into the empty descriptor ``copy``.

        Only of ``ranges``. The digest of what the last of the two now holds; None where there is no such object;
        ``DiskFailed`` where a disk does not take the bytes.
        """
        from .downloads import WrongSize, download  # asyncio, which a local root does without

        fs, base = self._filesystem()
        try:
            return download(fs, f"{base}/{path}", file, copy=copy, progress=progress)
        except FileNotFoundError:
            return None
        except DiskFailed:
            raise
        except WrongSize as error:
            raise Corrupt(
                f"a blob of {file.size_bytes} bytes is stored with another size than the record says",
                where=f"{self.root}/{path} was changed after registration; nothing was loaded",
                do="restore the file from a backup or the bucket's versions, then run flowreg check",
                code="changed-blob",
            ) from error
        except Exception as error:
            raise self._unavailable(error) from error

    def size(self, path: str) -> int | None:
        """The number of bytes at ``path``, or None where there is no file; asked for, not listed."""
        fs, base = self._filesystem()
        try:
            return size_on_s3(fs, f"{base}/{path}") if is_s3(fs) else int(fs.info(f"{base}/{path}")["size"])
        except FileNotFoundError:
            return None
        except Exception as error:  # botocore's are no OSError: no credentials, no connection
            raise self._unavailable(error) from error

    def _require(self, path: str, size: int, found: int | None, error: Exception) -> None:
        if found is None:
            raise self._unavailable(error) from error
        require_size(size, found, where=f"{self.root}/{path}")

    def _bytes_or_none(self, path: str, found: Any) -> bytes | None:
        if isinstance(found, FileNotFoundError):
            return None
        if isinstance(found, Exception):
            raise self._unavailable(found) from found
        return bytes(found)

    def _unavailable(self, error: BaseException) -> Unavailable:
        return Unavailable(
            f"the storage did not do what was asked: {type(error).__name__}",
            where=f"{self.root}: {brief(error)}",
            do="check the root, the network and the credentials, then try again",
            code="storage",
        )

    def _writable(self, *, first: bool = False) -> tuple[Any, str]:
        """The filesystem, if it may be written. ``first``: a registry begins."""
        fs, base, proof = self._opened()
        if not self._on_trial:
            self._permission.require(fs, proof, first=first)
        return fs, base

    def _filesystem(self) -> tuple[Any, str]:
        fs, base, _ = self._opened()
        return fs, base

    def _opened(self) -> Opened:
        process = os.getpid()
        if process not in self._of_process:
            # In a forked child the parent's stays referenced: closing it there would touch the parent's event loop.
            try:
                self._of_process[process] = open_filesystem(self._at, self._options)
            except FlowregError:
                raise
            except Exception as error:  # some connect when they are made
                raise self._unavailable(error) from error
        return self._of_process[process]


def _sealed(fs: Any, data: bytes) -> Mapping[str, str]:
    """What has S3 refuse other bytes than these."""
    return {"ChecksumSHA256": base64_of(hashlib.sha256(data).digest())} if is_s3(fs) else {}


def _is_taken(error: OSError) -> bool:
    """s3fs knows a refused condition only by AWS's own wording; other servers say it by the number 412 alone."""
    response = getattr(error.__cause__, "response", None) or {}
    return bool(response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 412)
