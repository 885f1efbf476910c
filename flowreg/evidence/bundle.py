"""Writing a bundle: into a folder beside its place, then moved there as a whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..artifacts import fetch_artifact
from ..core.names import shown
from ..errors import BadInput
from ..inside import Inside, Moment, VersionRef
from .gathering import Gathered, Part, gather

INDEX = "bundle.json"


def write(inside: Inside, ref: VersionRef, into: str | os.PathLike[str], *, as_of: Moment = None, with_files: bool = False) -> Path:
    """The folder of the bundle, which did not exist before. ``with_files`` puts the artifact itself into it, verified."""
    target = Path(into)
    _refuse_existing(target)
    found = gather(inside, ref, as_of=as_of)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _beside(target) as folder:
        if with_files:
            version = found.told.version
            fetch_artifact(inside.store, version.digest, folder / "files", ref=version.ref)
        _fill(folder, found)
        _refuse_existing(target)
        folder.replace(target)
    return target


def _fill(folder: Path, found: Gathered) -> None:
    parts = {**found.parts, "verify.py": Part("the script that checks all of this", files(__package__).joinpath("verify.py").read_bytes())}
    for path, part in parts.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(part.data)
    listed = [_line(path, part.role, part.data) for path, part in sorted(parts.items())]
    raw = json.dumps({**found.index, "files": listed}, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
    (folder / INDEX).write_bytes(raw)


def _line(path: str, role: str, data: bytes) -> dict[str, Any]:
    return {"path": path, "role": role, "size_bytes": len(data), "digest": f"sha256:{hashlib.sha256(data).hexdigest()}"}


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_existing(target: Path) -> None:
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise BadInput(f"{shown(str(target))} exists already", where="nothing was written", do="name a new folder", code="exists")
