"""The file that pins the packages of a project, as far as there is one near its code.

Rule: a requirements file may hold the password of an index. It is kept without it; one that looks as if there were more is not kept.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from ..core.events import Lockfile
from .attempts import Attempts
from .masking import holds_address_secret, without_users

SIZE_LIMIT = 8 << 20
# In this order where a folder has several: what is exact goes before what may be a list of wishes.
NAMES = (
    "uv.lock", "pylock.toml", "pylock.*.toml", "poetry.lock", "pdm.lock", "pixi.lock", "conda-lock.yml", "*conda-lock.yml", "Pipfile.lock",
    "requirements.lock", "requirements*.lock", "requirements.txt", "requirements*.txt",
)  # fmt: skip


def read_lockfile(folder: Path, top: Path | None, attempts: Attempts) -> tuple[Lockfile, bytes] | None:
    """The lockfile nearest to the code: of its folder, else of the folders above it, up to the top of its repository."""
    for place in _upwards(folder, top):
        for name in _named(place):
            path = place / name
            if path.is_file():
                return _read(path, name if top is None else os.path.relpath(path, top), attempts)
    return None


def _named(place: Path) -> Iterator[str]:
    """What is called like a lockfile in this folder, in the order of ``NAMES``."""
    try:
        with os.scandir(place) as entries:
            there = sorted(entry.name for entry in entries if entry.name.endswith((".lock", ".toml", ".yml", ".txt")))
    except OSError:
        return
    yield from (name for pattern in NAMES for name in there if fnmatchcase(name, pattern))


def _upwards(folder: Path, top: Path | None) -> list[Path]:
    if top is None or not folder.is_relative_to(top):
        return [folder]
    return [folder, *(parent for parent in folder.parents if parent.is_relative_to(top))]


def _read(path: Path, shown: str, attempts: Attempts) -> tuple[Lockfile, bytes] | None:
    with path.open("rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return None
        raw = file.read(SIZE_LIMIT + 1)
    if len(raw) > SIZE_LIMIT:
        attempts.warn("lockfile", f"{shown} is larger than {SIZE_LIMIT >> 20} MiB and was not kept")
        return None
    text = raw.decode("utf-8", "surrogateescape")
    kept = without_users(text)
    if holds_address_secret(kept):
        attempts.warn("lockfile", f"{shown} was not kept: it looks as if it held a secret")
        return None
    if kept != text:
        attempts.warn("lockfile", f"{shown} was kept without the users and passwords in its addresses")
        raw = kept.encode("utf-8", "surrogateescape")
    return Lockfile(path=Path(shown).as_posix(), digest=f"sha256:{hashlib.sha256(raw).hexdigest()}"), raw
