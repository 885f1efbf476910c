"""A root on an fsspec filesystem, through its conditional put.

Rule 1: ``create`` succeeds for one writer of a path and for no other. That is proven (``proofs``) or tried (``probe``) before the first
byte is written, or nothing is written.
Rule 2: an error of ``create`` says nothing about whether the bytes landed. The caller reads back.
Rule 3: listings and instances are not cached, and a forked child opens a filesystem of its own.
Rule 4: ``root`` and ``repr`` are safe to show; credentials stay in the filesystem object.
"""

from __future__ import annotations

import contextlib
import errno
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.codec import digest_of
from ..core.layout import entry_path
from ..errors import Corrupt, FlowregError, Refused, Unavailable
from .hashing import Progress, digest_of_path, no_progress
from .in_flight import InFlight
from .local import file_changed, read_all, regular_file, same_file
from .opening import Opened, brief, open_filesystem
from .parts import hash_in_parts
from .probe import Trial, reason_against, reason_against_first
from .proofs import PROOFS, too_old
from .roots import Root
from .uploads import SourceChanged, is_s3, size_on_s3, upload

IN_MEMORY = 16 << 20  # bytes up to which a blob travels as one request
IN_FLIGHT_BYTES = 128 << 20  # of all requests of a store together
WORTH_ASKING = 16 << 10  # bytes from which asking whether a blob is there is cheaper than sending it again
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
        self._passed: set[str] = set()  # probes passed by this filesystem; a set only grows, so threads need no lock

    def __repr__(self) -> str:
        return f"FsspecStore({self.root!r})"  # never the options: they hold credentials

    @property
    def mechanism(self) -> str:
        """How this filesystem creates for one writer only; ``none`` where that is not known."""
        row = PROOFS.get(self._at.protocol)
        return row.mechanism if row else "none"

    def create(self, path: str, data: bytes) -> None:
        """``data`` at ``path`` if absent. ``FileExistsError`` where it is taken; any other error leaves the outcome unknown."""
        fs, base = self._writable(first=path == FIRST)
        try:
            fs.pipe_file(f"{base}/{path}", data, mode="create")
        except OSError as error:
            if _is_taken(error):
                raise FileExistsError(errno.EEXIST, "the path is taken", path) from error
            raise

    def replace(self, path: str, data: bytes) -> None:
        fs, base = self._writable()
        fs.pipe_file(f"{base}/{path}", data)

    def remove(self, path: str) -> None:
        """Take the file away; one that is gone already is as good."""
        fs, base = self._writable()
        with contextlib.suppress(FileNotFoundError):
            fs.rm_file(f"{base}/{path}")

    def remove_folder(self, path: str) -> None:
        """Take an empty folder away, where the filesystem has folders."""
        fs, base, proof = self._opened()
        if proof is None or proof.creates_by != "mode":
            with contextlib.suppress(OSError, NotImplementedError):
                fs.rmdir(f"{base}/{path}")

    def read(self, path: str) -> bytes | None:
        return self.read_many([path])[0]

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        """The bytes at each path or None, all at once where the filesystem can."""
        fs, base, proof = self._opened()
        full = [f"{base}/{path}" for path in paths]
        if getattr(fs, "async_impl", False):
            found = _gathered(fs, full, proof.read_options if proof else {})
        elif hasattr(fs, "attempt_many"):
            found = fs.attempt_many(full)
        else:
            found = [_attempt(fs.cat_file, path) for path in full]
        return [self._bytes_or_none(path, item) for path, item in zip(paths, found, strict=True)]

    def names(self, folder: str) -> list[str]:
        fs, base = self._filesystem()
        fs.invalidate_cache()
        at = f"{base}/{folder}".rstrip("/")
        try:
            listed = fs.ls(at, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except Exception as error:
            raise self._unavailable(error) from error
        # Some list an empty folder, or a file, as the one thing in itself.
        return [_name(item) for item in listed if _name(item) and str(item["name"]).strip("/") != at.strip("/")]

    def sizes(self, folder: str) -> list[tuple[str, int, datetime]]:
        """Name, size in bytes and moment of the last change of every file in a folder; now, where the filesystem does not say."""
        fs, base = self._filesystem()
        fs.invalidate_cache()
        try:
            listed = fs.ls(f"{base}/{folder}", detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except Exception as error:
            raise self._unavailable(error) from error
        return [(_name(item), int(item.get("size") or 0), _changed_at(item)) for item in listed if not _name(item).endswith("/")]

    def modified_at(self, path: str) -> Any:
        """When the filesystem says that this was written, as a datetime, or None where it does not say."""
        fs, base = self._filesystem()
        with contextlib.suppress(Exception):
            return fs.modified(f"{base}/{path}")
        return None

    def put_bytes(self, path: str, data: bytes) -> None:
        """A blob that is small enough to be in memory, if absent. The same bytes twice are one blob."""
        try:
            self.create(path, data)
        except FlowregError:
            raise
        except Exception as error:
            # Taken, or the reply was lost: the name is the digest, so what counts is that the whole of it is there.
            self._require(path, len(data), error)
            self._met_before = True

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

    def get_file(self, path: str, into: Path, *, size_bytes: int | None = None, progress: Progress = no_progress) -> str | None:
        """Download to the new file ``into``; the digest of what arrived, or None where there is no such file.

        ``size_bytes``, where the caller knows it, saves a request; an object of another size is ``Corrupt``.
        """
        size = self._size(path) if size_bytes is None else size_bytes
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
        if len(data) < WORTH_ASKING or not self._met_before or self._size(path) != len(data):
            self._met_before = False
            self.put_bytes(path, data)

    def _put_large(self, source: Path, fd: int, place: Callable[[str], str], progress: Progress) -> tuple[int, str]:
        before = os.fstat(fd)
        parts = hash_in_parts(fd)
        path = place(parts.digest)
        found = self._size(path)
        if found is not None:
            self._require_size(path, parts.size_bytes, found)
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
            self._require(path, parts.size_bytes, error)
        else:
            if not is_s3(fs) and not same_file(before, os.fstat(fd)):
                fs.rm_file(f"{base}/{path}")  # it was read twice, and nobody knows what was sent
                raise file_changed(source)
        return parts.size_bytes, parts.digest

    def _get_large(self, path: str, fd: int, into: Path, size: int, progress: Progress) -> str | None:
        from .downloads import WrongSize, download  # asyncio, which a local root does without

        fs, base = self._filesystem()
        try:
            if is_s3(fs):
                return download(fs, f"{base}/{path}", fd, size, progress=progress)
            fs.get_file(f"{base}/{path}", str(into))
        except FileNotFoundError:
            return None
        except WrongSize as error:
            raise Corrupt(
                f"a blob of {size} bytes is stored with another size than the record says",
                where=f"{self.root}/{path} was changed after registration; nothing was loaded",
                do="restore the file from a backup or the bucket's versions, then run flowreg check",
                code="changed-blob",
            ) from error
        except Exception as error:
            raise self._unavailable(error) from error
        progress(size)
        return digest_of_path(into)

    def _size(self, path: str) -> int | None:
        fs, base = self._filesystem()
        try:
            return size_on_s3(fs, f"{base}/{path}") if is_s3(fs) else int(fs.info(f"{base}/{path}")["size"])
        except FileNotFoundError:
            return None
        except Exception as error:  # botocore's are no OSError: no credentials, no connection
            raise self._unavailable(error) from error

    def _require(self, path: str, size: int, error: Exception | None) -> None:
        found = self._size(path)
        if found is None:
            raise self._unavailable(error or FileNotFoundError(path)) from error
        self._require_size(path, size, found)

    def _require_size(self, path: str, size: int, found: int) -> None:
        if found != size:
            raise Corrupt(
                f"a blob of {size} bytes is stored with {found} bytes",
                where=f"{self.root}/{path}; nothing was registered",
                do="run flowreg check: the stored one is damaged",
                code="damaged-blob",
            )

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
        """The filesystem, if it may be written: by its row of proofs, or because the probe passed. ``first``: a registry begins."""
        fs, base, proof = self._opened()
        if not self._on_trial:
            if proof is None:
                self._require_probe("whole", lambda trial: reason_against(trial, fs))
            elif old := too_old(proof):
                raise self._not_written(f"{proof.package} is needed, and {old} is installed")
            elif first:
                self._require_probe("first", reason_against_first)
        return fs, base

    def _require_probe(self, which: str, find_reason: Callable[[Trial], str | None]) -> None:
        if which in self._passed:
            return
        if reason := find_reason(lambda: FsspecStore(self._at, self._options, shown=self.root, on_trial=True)):
            raise self._not_written(reason)
        self._passed.add(which)

    def _not_written(self, reason: str) -> Refused:
        return Refused(
            f"{self.root} can be read, but not written: {reason}",
            where="nothing was written",
            do=f"use a root on one of {', '.join(sorted(PROOFS))}; flowreg doctor URL tries a filesystem",
            code="no-exclusive-create",
        )

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


def _gathered(fs: Any, paths: Sequence[str], options: Mapping[str, Any]) -> list[Any]:
    import asyncio

    from fsspec.asyn import sync

    accepted = {k: v for k, v in options.items() if k in inspect.signature(fs._cat_file).parameters}

    async def read_all() -> list[Any]:
        return await asyncio.gather(*(fs._cat_file(path, **accepted) for path in paths), return_exceptions=True)

    return list(sync(fs.loop, read_all))


def _attempt(read: Callable[[str], bytes], path: str) -> bytes | Exception:
    try:
        return read(path)
    except Exception as error:
        return error


def _is_taken(error: OSError) -> bool:
    """s3fs knows a refused condition only by AWS's own wording; other servers say it by the number 412 alone."""
    response = getattr(error.__cause__, "response", None) or {}
    return bool(response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 412)


def _name(item: Mapping[str, Any]) -> str:
    name = str(item["name"]).rstrip("/").rpartition("/")[2]
    return name + "/" if item.get("type") == "directory" and name else name


def _changed_at(item: Mapping[str, Any]) -> datetime:
    """The moment of the last change, by the name that each filesystem gives it; a listing that does not say makes a file young."""
    said = next((item[name] for name in ("LastModified", "last_modified", "mtime", "updated", "created") if item.get(name)), None)
    if isinstance(said, int | float):
        return datetime.fromtimestamp(said, UTC)
    if isinstance(said, str):
        said = datetime.fromisoformat(said)
    if not isinstance(said, datetime):
        return datetime.now(UTC)
    return said if said.tzinfo else said.replace(tzinfo=UTC)
