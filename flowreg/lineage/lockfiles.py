"""The file that pins the packages of a project, as far as there is one near its code.

Rule: a requirements file may hold the password of an index. One that looks so is not kept.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from ..core.events import Lockfile
from .attempts import Attempts
from .masking import holds_secret

SIZE_LIMIT = 8 << 20
NAMES = (
    "uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "pixi.lock", "conda-lock.yml", "Pipfile.lock",
    "requirements.lock", "requirements.txt",
)  # fmt: skip


def read_lockfile(folder: Path, top: Path | None, attempts: Attempts) -> tuple[Lockfile, bytes] | None:
    """The lockfile nearest to the code: of its folder, else of the folders above it, up to the top of its repository."""
    for place in _upwards(folder, top):
        for name in NAMES:
            path = place / name
            if path.is_file():
                return _read(path, name if top is None else os.path.relpath(path, top), attempts)
    return None


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
    if holds_secret(raw.decode("utf-8", "replace")):
        attempts.warn("lockfile", f"{shown} was not kept: it looks as if it held a secret")
        return None
    return Lockfile(path=Path(shown).as_posix(), digest=f"sha256:{hashlib.sha256(raw).hexdigest()}"), raw
