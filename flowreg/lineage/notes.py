"""Notes that the processes of one machine leave each other about a flow run: which versions it has loaded.

Rule 1: they are hints. What cannot be written or read is not there, and nothing fails.
Rule 2: only our own user's notes are believed: the folder is ours, and nobody else may write there.
Rule 3: a note is complete or not there; notes of runs that are over go after a week.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from ..core.events import Parent

KEPT_S = 7 * 24 * 3600
NOTES_LIMIT = 200  # of one run
SIZE_LIMIT = 4096
_RUN = re.compile(r"[A-Za-z0-9-]{1,64}")


def write(run: str, parent: Parent, *, own: bool) -> None:
    """Note that this run, or (``own`` false) one that it called, has loaded this version."""
    with contextlib.suppress(OSError):
        folder = _folder(run, create=True)
        if folder is None or sum(1 for _ in folder.iterdir()) >= NOTES_LIMIT:
            return
        name = f"{time.time_ns():020d}-{'own' if own else 'called'}-{parent.manifest[7:23]}-{parent.version}.json"
        descriptor, temporary = tempfile.mkstemp(dir=folder, suffix=".tmp")
        with open(descriptor, "wb") as file:
            file.write(parent.model_dump_json().encode())
        Path(temporary).replace(folder / name)


def read(run: str) -> Iterator[tuple[Parent, bool]]:
    """What was noted about a run, the oldest first, and whether it loaded it itself."""
    with contextlib.suppress(OSError):
        folder = _folder(run, create=False)
        for path in sorted(folder.glob("*.json")) if folder else ():
            with contextlib.suppress(ValidationError):
                yield Parent.model_validate_json(_read(path)), "-own-" in path.name


def _read(path: Path) -> bytes:
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
        return file.read(SIZE_LIMIT)


def _folder(run: str, *, create: bool) -> Path | None:
    if not _RUN.fullmatch(run):
        return None
    above = Path(tempfile.gettempdir(), f"flowreg-runs-{os.getuid() if hasattr(os, 'getuid') else 'me'}")
    if create and not above.exists():
        above.mkdir(mode=0o700, exist_ok=True)
    if not _is_ours(above):
        return None
    folder = above / run
    if create and not folder.exists():
        _sweep(above)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder if folder.is_dir() else None


def _is_ours(folder: Path) -> bool:
    try:
        seen = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(seen.st_mode) and (not hasattr(os, "getuid") or (seen.st_uid == os.getuid() and not seen.st_mode & 0o022))


def _sweep(above: Path) -> None:
    """Remove the notes of runs that nobody has noted anything about for a week."""
    with contextlib.suppress(OSError), os.scandir(above) as entries:
        for entry in entries:
            if entry.stat(follow_symlinks=False).st_mtime < time.time() - KEPT_S:
                shutil.rmtree(entry.path, ignore_errors=True)
