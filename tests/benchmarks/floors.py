"""The least that does the job, in the standard library alone: what flowreg is compared with.

Nothing here is checked, locked or recovered beyond what the promise needs; that is what makes it a floor.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path


def copy_then_hash(sources: Iterable[Path], folder: Path, *, durable: bool) -> list[str]:
    """Copy each file, then read each copy again for its sha256; ``durable``: with an fsync of each copy and one of the folder."""
    copies = []
    for source in sources:
        copies.append(Path(shutil.copyfile(source, folder / source.name)))
        if durable:
            sync(copies[-1])
    if durable:
        sync(folder)
    return [digest_of(copy) for copy in copies]


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def create(path: Path, content: bytes) -> None:
    """Durable create-if-absent: temporary file, fsync, link, fsync of the folder. ``FileExistsError`` where the name is taken."""
    if not path.parent.is_dir():
        make_folder(path.parent)
    temporary = path.parent / f".{os.urandom(8).hex()}.tmp"
    try:
        with open(temporary, "xb", buffering=0) as file:
            file.write(content)
            os.fsync(file.fileno())
        os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def make_folder(folder: Path) -> None:
    """``mkdir -p`` that lasts: each new folder is fsynced into the one above."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def put_blob(root: Path, content: bytes) -> str:
    """The bytes under their digest, if absent."""
    digits = hashlib.sha256(content).hexdigest()
    path = root / "blobs" / digits[:2] / digits
    if not path.exists():
        with contextlib.suppress(FileExistsError):
            create(path, content)
    return digits


def register(root: Path, source: Path, said: dict[str, object], *, after: int) -> int:
    """A blob, a manifest and the first free entry after number ``after``; the number that was free."""
    content = source.read_bytes()
    manifest = json.dumps({"files": [{"path": source.name, "size": len(content), "digest": put_blob(root, content)}]})
    entry = {**said, "manifest": put_blob(root, manifest.encode())}
    return append(root / "journal", entry, after=after)


def append(journal: Path, entry: dict[str, object], *, after: int) -> int:
    """Write an entry after the last one; where somebody was first, read what they wrote and try the next number."""
    seq, parent = read_tail(journal, after)
    while True:
        raw = json.dumps({**entry, "seq": seq + 1, "parent": parent}).encode()
        try:
            create(journal / f"{seq + 1:020d}.json", raw)
            return seq + 1
        except FileExistsError:
            seq, parent = read_tail(journal, seq)


def read_tail(journal: Path, after: int) -> tuple[int, str]:
    """The last number of the journal and the digest of its bytes, reading on from number ``after``."""
    seq, raw = after, b""
    while True:
        try:
            raw = (journal / f"{seq + 1:020d}.json").read_bytes()
        except FileNotFoundError:
            return seq, hashlib.sha256(raw).hexdigest()
        json.loads(raw)
        seq += 1


def sync(path: Path) -> None:
    """fsync a file or a folder."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
