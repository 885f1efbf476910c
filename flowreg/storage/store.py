"""The store: the few things flowreg asks of a filesystem, and the proof that each filesystem really does them.

Rule 1: this is the only importer of fsspec, and it is imported only for roots that are not a local folder.
Rule 2: ``create`` succeeds for one writer of a path and for no other. fsspec's own modes do not promise that, so each filesystem
has a row in ``PROOFS``; one without a row is read, and refused for writing.
Rule 3: an error of ``create`` says nothing about whether the bytes landed. The caller reads back.
Rule 4: listings and instances are not cached, and a forked child makes a filesystem of its own.
Rule 5: ``root`` is safe to show; credentials stay in the filesystem object.

It is long because what each filesystem really does is told in one place, beside the proof.
"""

from __future__ import annotations

import contextlib
import errno
import inspect
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from ..core.codec import digest_of
from ..errors import BadInput, Corrupt, FlowregError, Refused, Unavailable
from .hashing import digest_of_file, digest_of_path
from .local import LocalStore, read_all, regular_file

IN_MEMORY = 16 << 20  # bytes up to which a blob travels as one request


class Store(Protocol):
    """What flowreg asks of a filesystem. Paths are relative to the root, with ``/``."""

    root: str
    mechanism: str
    concurrent_files: int

    def create(self, path: str, data: bytes) -> None: ...
    def replace(self, path: str, data: bytes) -> None: ...
    def read(self, path: str) -> bytes | None: ...
    def read_many(self, paths: Sequence[str]) -> list[bytes | None]: ...
    def names(self, folder: str) -> list[str]: ...
    def put_bytes(self, path: str, data: bytes) -> None: ...
    def put_file(self, source: Path, place: Callable[[str], str]) -> tuple[int, str]: ...
    def get_file(self, path: str, into: Path) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Proof:
    """Why a filesystem's ``create`` is believed: the mechanism, the version floor, and the server it was raced on."""

    protocol: str
    package: str
    mechanism: str
    raced_on: str
    options: Mapping[str, Any] = field(default_factory=dict)
    read_options: Mapping[str, Any] = field(default_factory=dict)


_S3_CONFIG = {"max_pool_connections": 64, "connect_timeout": 5, "read_timeout": 20, "retries": {"total_max_attempts": 2}}
PROOFS = {
    "file": Proof("file", "", LocalStore.mechanism, "ext4, tmpfs"),
    "memory": Proof("memory", "fsspec>=2025.7", "one lock in this process; lost when it ends", "threads"),
    "s3": Proof(
        "s3",
        "s3fs>=2025.7",
        "PUT with If-None-Match: *",
        "SeaweedFS, moto",
        # s3fs spends a HEAD on every read unless told to read in one request.
        options={"use_listings_cache": False, "config_kwargs": _S3_CONFIG},
        read_options={"max_concurrency": 1},
    ),
}
_ALIASES = {"s3a": "s3", "local": "file"}
_MEMORY_LOCK = threading.Lock()


def open_store(root: str | os.PathLike[str], options: Mapping[str, Any] | None = None) -> Store:
    """The store at ``root``: a path, or a URL of any installed fsspec filesystem. Nothing is read or written yet."""
    text = os.fspath(root)
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise BadInput(f"{text!r} is not a root", do="give a folder or a URL such as s3://bucket/registry", code="bad-root")
    if "::" in text:
        raise BadInput(
            "a chained URL cannot be a root", where=shown_root(text), do="give the URL of the filesystem itself", code="bad-root"
        )
    protocol, is_url, rest = text.partition("://")
    if not is_url or _ALIASES.get(protocol, protocol) == "file":
        return LocalStore(Path(rest if is_url else text).expanduser().absolute())
    return FsspecStore(_ALIASES.get(protocol, protocol), text, options or {})


def shown_root(root: str) -> str:
    """A root without user, password, query and fragment."""
    protocol, separator, _rest = root.partition("://")
    if not separator:
        return root
    parts = urlsplit(root)
    host = parts.netloc.rpartition("@")[2]
    port = host.rpartition(":")[2] if ":" in host else "0"
    if not (port.isdigit() or port.endswith("]")):
        return f"{protocol}://…"  # a secret with a "/", "#" or "?" in it: nothing says where it ends
    return f"{protocol}://{host}{parts.path}".rstrip("/")


class FsspecStore:
    """A root on an fsspec filesystem, through its conditional put."""

    concurrent_files = 8

    def __init__(self, protocol: str, root: str, options: Mapping[str, Any]) -> None:
        self.root = shown_root(root)
        self._url = root
        self._proof = PROOFS.get(protocol)
        self._options = _merged(self._proof.options if self._proof else {}, options)
        self._of_process: dict[int, tuple[Any, str]] = {}
        self.mechanism = self._proof.mechanism if self._proof else "none"

    def __repr__(self) -> str:
        return f"FsspecStore({self.root!r})"  # never the options: they hold credentials

    def create(self, path: str, data: bytes) -> None:
        """``data`` at ``path`` if absent. ``FileExistsError`` where it is taken; any other error leaves the outcome unknown."""
        fs, base = self._writable()
        try:
            with _MEMORY_LOCK if self._proof.protocol == "memory" else contextlib.nullcontext():  # type: ignore[union-attr]
                fs.pipe_file(f"{base}/{path}", data, mode="create")
        except OSError as error:
            if _is_taken(error):
                raise FileExistsError(errno.EEXIST, "the path is taken", path) from error
            raise

    def replace(self, path: str, data: bytes) -> None:
        fs, base = self._writable()
        fs.pipe_file(f"{base}/{path}", data)

    def read(self, path: str) -> bytes | None:
        return self.read_many([path])[0]

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        """The bytes at each path or None, all at once where the filesystem can."""
        fs, base = self._filesystem()
        full = [f"{base}/{path}" for path in paths]
        if getattr(fs, "async_impl", False):
            found = _gathered(fs, full, self._proof.read_options if self._proof else {})
        else:
            found = [_attempt(fs.cat_file, path) for path in full]
        return [self._bytes_or_none(path, item) for path, item in zip(paths, found, strict=True)]

    def names(self, folder: str) -> list[str]:
        fs, base = self._filesystem()
        fs.invalidate_cache()
        try:
            listed = fs.ls(f"{base}/{folder}", detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except Exception as error:
            raise self._unavailable(error) from error
        return [_name(item) for item in listed if _name(item)]

    def put_bytes(self, path: str, data: bytes) -> None:
        """A blob that is small enough to be in memory, if absent. The same bytes twice are one blob."""
        try:
            self.create(path, data)
        except FlowregError:
            raise
        except Exception as error:
            # Taken, or the reply was lost: the name is the digest, so what counts is that the whole of it is there.
            self._require(path, len(data), error)

    def put_file(self, source: Path, place: Callable[[str], str]) -> tuple[int, str]:
        """Store the file under ``place(its digest)`` if absent. Returns its size in bytes and its digest."""
        fs, base = self._writable()
        with regular_file(source) as fd:
            size = os.fstat(fd).st_size
            if size <= IN_MEMORY:
                data = read_all(fd)
                digest = digest_of(data)
                self.put_bytes(place(digest), data)
                return len(data), digest
            size, digest = digest_of_file(fd)
            target = f"{base}/{place(digest)}"
            if self._size(place(digest)) == size:
                return size, digest
            try:
                fs.put_file(str(source), target, mode="create")
            except Exception as error:  # taken meanwhile, or our own reply was lost: what counts is that all of it is there
                self._require(place(digest), size, error)
        return size, digest

    def get_file(self, path: str, into: Path) -> str | None:
        """Download to the new file ``into``; the digest of what arrived, or None where there is no such file."""
        fs, base = self._filesystem()
        with contextlib.suppress(FileExistsError):
            os.close(os.open(into, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        size = self._size(path)
        if size is None:
            return None
        if size <= IN_MEMORY:
            data = self.read(path)
            if data is None:
                return None
            into.write_bytes(data)
            return digest_of(data)
        try:
            fs.get_file(f"{base}/{path}", str(into))
        except Exception as error:
            raise self._unavailable(error) from error
        return digest_of_path(into)

    def _size(self, path: str) -> int | None:
        fs, base = self._filesystem()
        try:
            return int(fs.info(f"{base}/{path}")["size"])
        except FileNotFoundError:
            return None
        except Exception as error:  # botocore's are no OSError: no credentials, no connection
            raise self._unavailable(error) from error

    def _require(self, path: str, size: int, error: Exception | None) -> None:
        found = self._size(path)
        if found is None:
            raise self._unavailable(error or FileNotFoundError(path)) from error
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
            where=f"{self.root}: {_brief(error)}",
            do="check the root, the network and the credentials, then try again",
            code="storage",
        )

    def _writable(self) -> tuple[Any, str]:
        if self._proof is None:
            raise Refused(
                f"{self.root} can be read, but not written: its filesystem is not known to create a file for one writer only",
                where="nothing was written",
                do=f"use a root on one of {', '.join(sorted(PROOFS))}",
                code="no-exclusive-create",
            )
        return self._filesystem()

    def _filesystem(self) -> tuple[Any, str]:
        process = os.getpid()
        if process not in self._of_process:
            # In a forked child the parent's stays referenced: closing it there would touch the parent's event loop.
            self._of_process[process] = _open(self._url, self._options)
        return self._of_process[process]


def _open(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    import fsspec

    try:
        fs, base = fsspec.core.url_to_fs(url, skip_instance_cache=True, **options)
    except (ImportError, ValueError) as error:
        protocol = url.partition("://")[0]
        raise BadInput(
            f"cannot open the root {shown_root(url)!r}: {type(error).__name__}",
            where=_brief(error),
            do=f'install its filesystem, for example: pip install "flowreg[{protocol}]"',
            code="bad-root",
        ) from None
    return fs, str(base).rstrip("/")


def _merged(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(ours)
    for name, value in theirs.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = {**merged[name], **value} if both else value
    return merged


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


def _brief(error: BaseException) -> str:
    """The first line of a library's message, cut: some of them quote whole requests."""
    return (str(error).splitlines() or [""])[0][:200]
