"""The files of an artifact: a sorted list of path, size and digest. Its own digest is the identity of a version.

Rule 1: a path is relative, uses ``/``, and can neither climb out of its folder nor be read as anything but a file name,
on any operating system. That is checked where a manifest is made and again where one is read.
Rule 2: no two paths meet on a file system that ignores case or normalises Unicode, and none is another's folder.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import BadInput, Corrupt
from . import codec
from .names import digest, names_device, shown

FILE_LIMIT = 100_000
BYTES_LIMIT = 64 << 20  # of the manifest itself
PATH_LIMIT = 1000  # bytes


@dataclass(frozen=True, slots=True, order=True)
class File:
    """One file of an artifact; ``size_bytes`` and ``digest`` are of its exact bytes."""

    path: str
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of an artifact, sorted by path, and the name of the format that can load them ("files": none)."""

    loader: str
    files: tuple[File, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def manifest_of(files: Iterable[File], *, loader: str) -> Manifest:
    """A manifest of these files. ``BadInput`` for no files, too many, or paths that are not safe everywhere."""
    listed = tuple(sorted(files))
    if not listed:
        raise BadInput(
            "an artifact needs at least one file",
            where="the folder is empty; nothing was written",
            do="register a file or a folder that has files",
        )
    if len(listed) > FILE_LIMIT:
        raise BadInput(f"an artifact of {len(listed)} files is too large", do=f"at most {FILE_LIMIT}: pack small files together")
    for file in listed:
        safe_path(file.path)
    refuse_collisions([file.path for file in listed])
    return Manifest(loader, listed)


def encode_manifest(manifest: Manifest) -> bytes:
    """The exact bytes of the manifest blob; a pure function of the files and the loader."""
    files = [{"digest": f.digest, "path": f.path, "size_bytes": f.size_bytes} for f in manifest.files]
    return codec.encode({"files": files, "format": 1, "loader": manifest.loader})


def decode_manifest(raw: bytes, *, where: str) -> Manifest:
    """Read a manifest blob whose digest was already checked. ``Corrupt`` when it is not one."""
    try:
        value = codec.decode(raw, limit=BYTES_LIMIT)
        if (
            set(value) != {"files", "format", "loader"}
            or value["format"] != 1
            or value["format"] is True
            or not isinstance(value["loader"], str)
        ):
            raise BadInput("fields are not those of a manifest of format 1")
        files = [File(safe_path(f["path"]), _size(f["size_bytes"]), digest(f["digest"])) for f in value["files"] if len(f) == 3]
        read = manifest_of(files, loader=value["loader"])
        if len(files) != len(value["files"]) or list(read.files) != files:
            raise BadInput("files are not sorted, or carry unknown fields")
    except (BadInput, TypeError, KeyError, AttributeError) as error:
        raise Corrupt(f"the manifest of {where} cannot be read: {error}", do="run flowreg check", code="bad-manifest") from None
    return read


def safe_path(path: object) -> str:
    """``path`` if it is safe as a relative file path on every operating system, else ``BadInput``."""
    if isinstance(path, str) and path.isprintable() and unicodedata.normalize("NFC", path) == path:
        parts = path.split("/")
        if all(map(_is_safe_part, parts)) and len(path.encode()) <= PATH_LIMIT:
            return path
    raise BadInput(
        f"the file path {shown(path)} is not safe on every system",
        where="in the artifact; nothing was written",
        do="use relative paths with '/', no '..', '\\', ':' or control characters, no part that ends in a dot or a space, Unicode in NFC",
        code="bad-path",
    )


def _is_safe_part(part: str) -> bool:
    return (
        part not in ("", ".", "..")
        and not set(part) & set('\\:*?"<>|')
        and part[-1] not in ". "
        and len(part.encode()) <= 255
        and not names_device(part)
    )


def _size(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise BadInput(f"{shown(value)} is not a size")


def refuse_collisions(paths: list[str]) -> None:
    """``BadInput`` where two paths meet on some system, or one lies below another that is a file."""
    seen: dict[str, str] = {}
    for path in paths:
        folded = unicodedata.normalize("NFC", path.casefold())
        other = seen.get(folded)
        seen[folded] = path
        if other is not None:
            raise BadInput(f"{shown(other)} and {shown(path)} are one file on a system that ignores case", do="rename one", code="bad-path")
    for folded, path in seen.items():
        above = folded.split("/")[:-1]
        for depth in range(1, len(above) + 1):
            if "/".join(above[:depth]) in seen:
                raise BadInput(f"{shown(path)} lies under a path that is a file", do="rename one", code="bad-path")
