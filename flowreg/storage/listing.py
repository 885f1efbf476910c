"""Listings of a folder, in one form for all the ways in which filesystems give them.

Rule 1: nothing is taken from a cache of listings. Rule 2: a folder that is not there is empty; any other error is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def names_in(fs: Any, at: str) -> list[str]:
    """The names in a folder, subfolders with a ``/`` at the end."""
    # Some list an empty folder, or a file, as the one thing in itself.
    return [_name(item) for item in _listed(fs, at) if _name(item) and str(item["name"]).strip("/") != at.strip("/")]


def sizes_in(fs: Any, at: str) -> list[tuple[str, int, datetime]]:
    """Name, size in bytes and moment of the last change of every file in a folder; now, where the filesystem does not say."""
    return [(_name(item), int(item.get("size") or 0), _changed_at(item)) for item in _listed(fs, at) if not _name(item).endswith("/")]


def _listed(fs: Any, at: str) -> list[Mapping[str, Any]]:
    fs.invalidate_cache()
    try:
        return list(fs.ls(at, detail=True))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _name(item: Mapping[str, Any]) -> str:
    name = str(item["name"]).rstrip("/").rpartition("/")[2]
    return name + "/" if item.get("type") == "directory" and name else name


def _changed_at(item: Mapping[str, Any]) -> datetime:
    """The moment of the last change, by the name that each filesystem gives it; a listing that does not say makes a file young."""
    said = next((item[name] for name in ("LastModified", "last_modified", "mtime", "updated", "created") if item.get(name)), None)
    if isinstance(said, int | float):
        return datetime.fromtimestamp(said, UTC)
    if isinstance(said, str):
        said = datetime.fromisoformat(said)
    if not isinstance(said, datetime):
        return datetime.now(UTC)
    return said if said.tzinfo else said.replace(tzinfo=UTC)
