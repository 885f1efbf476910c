"""Files over SFTP: created under a temporary name and renamed, since SFTP's plain rename refuses a name that is taken.

Rule 1: never ``posix_rename`` or ``fs.mv`` for what is created once: they overwrite. They are for hints.
Rule 2: SFTP 3 has no word for "exists": after a refused rename, looking decides.
Rule 3: a client serves one call at a time. At most ``CLIENTS`` are open, since OpenSSH allows 10 sessions a connection.
Rule 4: a connection that died is replaced, and what was asked over it asked again, once: a name that its reply was lost for is found taken.
Rule 5: bytes are fsynced where the server can (OpenSSH). It cannot fsync a folder, so a power cut there may take back a name.
"""

from __future__ import annotations

import contextlib
import errno
import posixpath
import queue
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from paramiko.ssh_exception import ChannelException, SSHException

from .parallel import parallel_map

T = TypeVar("T")
CLIENTS = 8
_EXTENDED = 200  # SSH_FXP_EXTENDED


class RenamingFiles:
    """An SFTP filesystem of fsspec whose ``mode="create"`` holds: exactly one writer, the whole content or nothing."""

    def __init__(self, files: Any) -> None:
        self._files = files
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()
        self._free = threading.BoundedSemaphore(CLIENTS)
        self._connecting = threading.Lock()
        self._known: set[str] = set()  # folders seen to exist; only saves requests

    def pipe_file(self, path: str, data: bytes, mode: str = "overwrite") -> None:
        def write(ftp: Any) -> None:
            if mode == "create" and _is_there(ftp, path):
                raise FileExistsError(errno.EEXIST, "the path is taken", path)
            with self._temporary(ftp, path) as temporary:
                with ftp.open(temporary, "wx") as file:
                    file.set_pipelined(True)
                    file.write(data)
                    file.set_pipelined(False)
                    _sync(ftp, file)
                self._name(ftp, temporary, path, mode)

        self._over_a_client(write)

    def put_file(self, source: str, path: str, mode: str = "overwrite", **_: Any) -> None:
        def write(ftp: Any) -> None:
            with self._temporary(ftp, path) as temporary:
                ftp.put(source, temporary)
                with ftp.open(temporary, "r+") as file:
                    _sync(ftp, file)
                self._name(ftp, temporary, path, mode)

        self._over_a_client(write)

    def get_file(self, path: str, into: str, **_: Any) -> None:
        self._over_a_client(lambda ftp: ftp.get(path, into))

    def cat_file(self, path: str, limit_bytes: int | None = None) -> bytes:
        """The bytes at ``path``; of more than ``limit_bytes`` only one more than these."""

        def read(ftp: Any) -> bytes:
            with ftp.open(path, "rb") as file:
                return bytes(file.read(None if limit_bytes is None else limit_bytes + 1))

        return self._over_a_client(read)

    def attempt_many(self, paths: Sequence[str], *, limit_bytes: int) -> list[bytes | Exception]:
        """The bytes at each path, or the error, several at a time."""

        def attempt(path: str) -> bytes | Exception:
            try:
                return self.cat_file(path, limit_bytes)
            except Exception as error:
                return error

        return parallel_map(attempt, paths, threads=CLIENTS)

    def info(self, path: str) -> dict[str, Any]:
        return {**self._files._decode_stat(self._over_a_client(lambda ftp: ftp.stat(path))), "name": path}

    def ls(self, path: str, detail: bool = True) -> list[Any]:
        found = [self._files._decode_stat(item, path) for item in self._over_a_client(lambda ftp: ftp.listdir_attr(path))]
        found = [item for item in found if not item["name"].rpartition("/")[2].startswith(".")]
        return found if detail else [item["name"] for item in found]

    def modified(self, path: str) -> Any:
        return self.info(path)["mtime"]

    def rm_file(self, path: str) -> None:
        with self._client() as ftp:
            ftp.remove(path)

    def rmdir(self, path: str) -> None:
        with self._client() as ftp:
            ftp.rmdir(path)
        self._known.discard(path)

    def invalidate_cache(self) -> None:
        """Nothing is cached."""

    def _over_a_client(self, work: Callable[[Any], T]) -> T:
        """What ``work`` gives; once more over a new connection where the old one had died. What it created by then is taken then."""
        with self._client() as ftp:
            try:
                return work(ftp)
            except Exception as error:
                transport = ftp.get_channel().get_transport()
                if isinstance(error, EOFError):  # of a death the transport hears last
                    transport.close()
                if transport.is_active():
                    raise
        with self._client() as ftp:
            return work(ftp)

    @contextlib.contextmanager
    def _client(self) -> Iterator[Any]:
        with self._free:
            ftp = self._idle_client() or self._new_client()
            try:
                yield ftp
            finally:
                self._idle.put(ftp)

    def _idle_client(self) -> Any:
        while True:
            try:
                ftp = self._idle.get_nowait()
            except queue.Empty:
                return None
            if _is_alive(ftp):
                return ftp

    def _new_client(self) -> Any:
        with self._connecting:
            transport = self._files.client.get_transport()
            if transport is not None and transport.is_active():
                try:
                    return self._files.client.open_sftp()
                except ChannelException:  # the server is there, and will not
                    raise
                except (EOFError, SSHException):
                    transport.close()
            self._files._connect()
            return self._files.client.open_sftp()

    @contextlib.contextmanager
    def _temporary(self, ftp: Any, path: str) -> Iterator[str]:
        folder, name = posixpath.split(path)
        self._make_folders(ftp, folder)
        temporary = f"{folder}/.{name[:40]}.{secrets.token_hex(8)}.tmp"
        try:
            yield temporary
        except BaseException:
            with contextlib.suppress(Exception):  # the error that counts is on its way
                ftp.remove(temporary)
            raise

    def _name(self, ftp: Any, temporary: str, path: str, mode: str) -> None:
        if mode != "create":
            ftp.posix_rename(temporary, path)
            return
        try:
            ftp.rename(temporary, path)
        except OSError as error:
            if _is_there(ftp, path):
                raise FileExistsError(errno.EEXIST, "the path is taken", path) from error
            raise

    def _make_folders(self, ftp: Any, folder: str) -> None:
        if folder in self._known or folder in ("", "/"):
            return
        if not _is_there(ftp, folder):
            self._make_folders(ftp, posixpath.dirname(folder))
            try:
                ftp.mkdir(folder)
            except OSError:
                if not _is_there(ftp, folder):  # else another writer made it
                    raise
        self._known.add(folder)


def _is_alive(ftp: Any) -> bool:
    channel = ftp.get_channel()
    return not channel.closed and bool(channel.get_transport().is_active())


def _is_there(ftp: Any, path: str) -> bool:
    try:
        ftp.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _sync(ftp: Any, file: Any) -> None:
    """OpenSSH's extension; a server without it keeps the bytes as it likes."""
    file.flush()
    with contextlib.suppress(OSError):
        ftp._request(_EXTENDED, "fsync@openssh.com", file.handle)
