"""All the files of an artifact: what each is, and what is packed in it, to the depth of three."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ..facts import Content, PickleSeen
from . import formats, packed
from .alarm import Scanner, scanner_named
from .machine import Read, read_pickles

DEPTH_LIMIT = 3


@dataclass
class Look:
    """What one stream of bytes is, gathered while it and what is packed in it are looked at."""

    format: str = "unknown"
    packed: set[str] = field(default_factory=set)
    pickles: list[PickleSeen] = field(default_factory=list)
    runs_code: str | None = None
    trouble: str | None = None


def contents_of(folder: Path, scanner: str | None = None) -> tuple[Content, ...]:
    """What every file below ``folder`` is, by path. ``scanner`` (``picklescan``) listens to its pickles too."""
    scan, room = scanner_named(scanner), packed.Room()
    return tuple(_content(path, folder, scan, room) for path in sorted(folder.rglob("*")) if path.is_file())


def _content(path: Path, folder: Path, scan: Scanner, room: packed.Room) -> Content:
    with path.open("rb") as stream:
        seen = look(stream, scan, room)
    return Content(
        path.relative_to(folder).as_posix(), seen.format, tuple(sorted(seen.packed)), tuple(seen.pickles), seen.runs_code, seen.trouble
    )


def look(stream: IO[bytes], scan: Scanner, room: packed.Room, inside: str = "", depth: int = 0) -> Look:
    """What this stream is. It is looked at as everything it could be taken for: a pickle may stand before an archive."""
    seen = Look()
    _pickle(stream, seen, scan, inside)
    try:
        _packed(stream, seen, scan, room, inside, depth)
    except packed.Unreadable as error:
        seen.trouble = str(error)
    if seen.format == "unknown":
        stream.seek(0)
        seen.format = formats.format_of(stream)
    if seen.format == "npy" and formats.npy_has_objects(stream):
        _add(stream, seen, scan, f"{inside} (objects of numpy)".strip())
    seen.runs_code = seen.runs_code or formats.what_runs_code(stream, seen.format)
    return seen


def _pickle(stream: IO[bytes], seen: Look, scan: Scanner, inside: str) -> None:
    stream.seek(0)
    start = stream.read(2)
    says_so = start[:1] == b"\x80" and start[1:] in (b"\x02", b"\x03", b"\x04", b"\x05")
    stream.seek(0)
    read = read_pickles(stream)
    if read.is_pickle or (says_so and (read.ended or read.imports or read.steps > 3)):
        seen.format = "pickle"
        stream.seek(0)
        seen.pickles.append(_seen(read, stream, scan, inside))


def _add(stream: IO[bytes], seen: Look, scan: Scanner, inside: str) -> None:
    """The pickle that follows from here on."""
    rest = io.BytesIO(stream.read())
    read = read_pickles(rest)
    rest.seek(0)
    seen.pickles.append(_seen(read, rest, scan, inside))


def _seen(read: Read, stream: IO[bytes], scan: Scanner, inside: str) -> PickleSeen:
    return PickleSeen(inside, tuple(sorted(read.names)), read.trouble, scan(stream, inside))


def _packed(stream: IO[bytes], seen: Look, scan: Scanner, room: packed.Room, inside: str, depth: int) -> None:
    kind = packed.kind_of(stream)
    if kind is None:
        return
    if depth >= DEPTH_LIMIT:
        raise packed.Unreadable(f"{inside or 'it'} is packed more than {DEPTH_LIMIT} deep")
    seen.format = kind if seen.format == "unknown" else seen.format
    names, found = [], set[str]()
    for name, part in _parts(stream, kind, room):
        names.append(name)
        if packed.is_storage_of_torch(name):
            continue
        one = look(part, scan, room, f"{inside}/{name}".lstrip("/"), depth + 1)
        seen.pickles += one.pickles
        seen.trouble, seen.runs_code = seen.trouble or one.trouble, seen.runs_code or one.runs_code
        found |= {one.format, *one.packed}
    seen.packed |= found
    if kind == "zip" and seen.format == "zip":
        seen.format = packed.zip_kind(names, found)


def _parts(stream: IO[bytes], kind: str, room: packed.Room) -> Iterator[tuple[str, IO[bytes]]]:
    for name, part in packed.parts(stream, kind, room):
        with part:
            yield name, part
