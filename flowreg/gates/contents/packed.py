"""What is packed in one file: the members of a zip or tar, and what a compressed stream unpacks to. Nothing gets a name on disk.

Rule: no more is unpacked than there is room for, so that a small file cannot fill a disk; what is beyond that is ``Unreadable``.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

ROOM = 64 << 30  # bytes unpacked of one artifact in all
MEMBERS_LIMIT = 100_000
_IN_MEMORY = 16 << 20
_CHUNK = 1 << 20
_ENOUGH = 16  # bytes; no pickle that does anything is shorter
_STREAMS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x78\x01": "zlib", b"\x78\x5e": "zlib", b"\x78\x9c": "zlib",
            b"\x78\xda": "zlib"}  # fmt: skip
_CLOSED = {b"\x04\x22\x4d\x18": "lz4", b"\x28\xb5\x2f\xfd": "zstd", b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "rar"}
_STORAGE = re.compile(r"(?:[^/]+/)?data/[0-9]+")
_FAULTS = (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, RuntimeError, NotImplementedError,
           ValueError, IndexError, KeyError)  # fmt: skip


class Unreadable(Exception):
    """It cannot be looked into, or not to its end."""


@dataclass
class Room:
    """How many bytes may still be unpacked."""

    left: int = ROOM

    def take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise Unreadable(f"it unpacks to more than {ROOM >> 30} GiB")


def kind_of(stream: IO[bytes]) -> str | None:
    """``zip``, ``tar``, ``gzip`` …, or None for what has nothing packed. A zip may begin anywhere: its end says so."""
    stream.seek(0)
    start = stream.read(8)
    if closed := next((name for magic, name in _CLOSED.items() if start.startswith(magic)), None):
        raise Unreadable(f"it is compressed with {closed}, which cannot be looked into")
    if found := next((name for magic, name in _STREAMS.items() if start.startswith(magic)), None):
        return found if _unpacks(stream, found) else None
    stream.seek(0)
    if zipfile.is_zipfile(stream) or start.startswith(b"PK\x03\x04"):
        return "zip"
    stream.seek(257)
    return "tar" if stream.read(5) == b"ustar" else None


def parts(stream: IO[bytes], kind: str, room: Room) -> Iterator[tuple[str, IO[bytes]]]:
    """Each member by name, to be closed by the caller; one of the name ``unpacked`` for a compressed stream."""
    stream.seek(0)
    try:
        yield from _zip(stream, room) if kind == "zip" else _tar(stream, room) if kind == "tar" else _stream(stream, kind, room)
    except _FAULTS as error:
        raise Unreadable(f"this {kind} cannot be read to its end: {type(error).__name__}: {str(error)[:200]}") from None


def is_storage_of_torch(name: str) -> bool:
    """The raw numbers beside a pickle of torch, which nothing unpickles."""
    return _STORAGE.fullmatch(name) is not None


def zip_kind(names: list[str], formats: set[str]) -> str:
    """Which of the formats that are a zip this is, by what is in it."""
    last = {name.rpartition("/")[2] for name in names}
    if "data.pkl" in last:
        return "torch"
    if "schema.json" in last:
        return "skops"
    if "model.weights.h5" in last:
        return "keras"
    return "npz" if formats == {"npy"} else "zip"


def _zip(stream: IO[bytes], room: Room) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(stream) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) > MEMBERS_LIMIT:
            raise Unreadable(f"it has more than {MEMBERS_LIMIT} members")
        for member in members:
            if is_storage_of_torch(member.filename):
                yield member.filename, io.BytesIO()
                continue
            with archive.open(member) as packed:
                yield member.filename, _copied(packed, room)


def _tar(stream: IO[bytes], room: Room) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        for member in archive:
            packed = archive.extractfile(member) if member.isfile() else None
            if packed is not None:
                yield member.name, _copied(packed, room)


def _stream(stream: IO[bytes], kind: str, room: Room) -> Iterator[tuple[str, IO[bytes]]]:
    yield "unpacked", _copied(_opened(stream, kind), room)


def _opened(stream: IO[bytes], kind: str) -> IO[bytes]:
    match kind:
        case "gzip":
            return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]
        case "bz2":
            return bz2.BZ2File(stream)
        case "xz":
            return lzma.LZMAFile(stream)
        case _:
            return _Zlib(stream)  # type: ignore[return-value]


class _Zlib:
    """A zlib stream (joblib writes them) read in pieces."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._unpacker = stream, zlib.decompressobj()

    def read(self, size: int) -> bytes:
        while not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail or self._stream.read(65536)
            if not packed:
                raise EOFError("it ends in the middle")
            if out := self._unpacker.decompress(packed, size):
                return out
        return b""


def _unpacks(stream: IO[bytes], kind: str) -> bool:
    """Is it that at all? Few bytes at the start say so, and a text may begin with ``x^``: then next to nothing comes of it."""
    stream.seek(0)
    unpacked, opened = 0, _opened(stream, kind)
    try:
        while unpacked < _ENOUGH and (chunk := opened.read(_ENOUGH)):
            unpacked += len(chunk)
    except _FAULTS:
        return unpacked >= _ENOUGH
    return True


def _copied(packed: IO[bytes], room: Room) -> IO[bytes]:
    copy = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - whoever takes it closes it
    while chunk := packed.read(_CHUNK):
        room.take(len(chunk))
        copy.write(chunk)
    copy.seek(0)
    return copy
