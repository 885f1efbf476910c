"""Files over SFTP: created under a temporary name and renamed, since SFTP's plain rename refuses a name that is taken.

Rule 1: never ``posix_rename`` or ``fs.mv`` for what is created once: they overwrite. They are for hints.
Rule 2: SFTP 3 has no word for "exists": after a refused rename, looking decides.
Rule 3: a client serves one call at a time. At most ``CLIENTS`` are open, since OpenSSH allows 10 sessions a connection.
Rule 4: bytes are fsynced where the server can (OpenSSH). It cannot fsync a folder, so a power cut there may take back a name.
"""

from __future__ import annotations

import contextlib
import errno
import posixpath
import queue
import secrets
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from .local import parallel_map

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
        with self._client() as ftp:
            if mode == "create" and _is_there(ftp, path):
                raise FileExistsError(errno.EEXIST, "the path is taken", path)
            with self._temporary(ftp, path) as temporary:
                with ftp.open(temporary, "wx") as file:
                    file.set_pipelined(True)
                    file.write(data)
                    file.set_pipelined(False)
                    _sync(ftp, file)
                self._name(ftp, temporary, path, mode)

    def put_file(self, source: str, path: str, mode: str = "overwrite", **_: Any) -> None:
        with self._client() as ftp, self._temporary(ftp, path) as temporary:
            ftp.put(source, temporary)
            with ftp.open(temporary, "r+") as file:
                _sync(ftp, file)
            self._name(ftp, temporary, path, mode)

    def get_file(self, path: str, into: str, **_: Any) -> None:
        with self._client() as ftp:
            ftp.get(path, into)

    def cat_file(self, path: str) -> bytes:
        with self._client() as ftp, ftp.open(path, "rb") as file:
            return bytes(file.read())

    def attempt_many(self, paths: Sequence[str]) -> list[bytes | Exception]:
        """The bytes at each path, or the error, several at a time."""

        def attempt(path: str) -> bytes | Exception:
            try:
                return self.cat_file(path)
            except Exception as error:
                return error

        return parallel_map(attempt, paths, threads=CLIENTS)

    def info(self, path: str) -> dict[str, Any]:
        with self._client() as ftp:
            return {**self._files._decode_stat(ftp.stat(path)), "name": path}

    def ls(self, path: str, detail: bool = True) -> list[Any]:
        with self._client() as ftp:
            found = [self._files._decode_stat(item, path) for item in ftp.listdir_attr(path)]
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
            if not ftp.get_channel().closed and ftp.get_channel().get_transport().is_active():
                return ftp

    def _new_client(self) -> Any:
        with self._connecting:
            transport = self._files.client.get_transport()
            if transport is None or not transport.is_active():
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
