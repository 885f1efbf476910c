"""Which root is meant where none is given: ``$FLOWREG_ROOT``, then ``[tool.flowreg] root`` in pyproject.toml, then ``~/.flowreg``."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from .errors import BadInput


def default_root() -> str:
    """The root of this project or user. A relative ``root`` in pyproject.toml is relative to that file."""
    if root := os.environ.get("FLOWREG_ROOT"):
        return root
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "pyproject.toml").is_file():
            return _configured(folder) or str(Path.home() / ".flowreg")
    return str(Path.home() / ".flowreg")


def _configured(folder: Path) -> str | None:
    try:
        with open(folder / "pyproject.toml", "rb") as file:
            root = tomllib.load(file).get("tool", {}).get("flowreg", {}).get("root")
    except (OSError, tomllib.TOMLDecodeError):
        return None  # somebody else's file to mend; it says nothing about a root
    if root is None or (isinstance(root, str) and "://" in root):
        return root
    if isinstance(root, str) and root:
        return str(folder / Path(root).expanduser())
    raise BadInput("[tool.flowreg] root is not text", where=str(folder / "pyproject.toml"), do='write root = "s3://bucket/registry"')
