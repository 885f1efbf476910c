"""What may be asked about: a version, a file, a run, a commit. And where in the graph that is.

Rule 1: a file is what is in it. The digest of a path that is given is worked out here; what the records call the same path counts, too.
Rule 2: credentials in a URI are neither looked for nor repeated.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..core.events import Dataset
from ..core.frames import is_frame
from ..core.names import shown
from ..errors import BadInput, NotFound
from ..inside import VersionRef
from ..lineage.data import dataset, local_path
from ..lineage.graph import Direction, Graph, Unread, finding
from ..lineage.masking import public_url

Kind = Literal["version", "data", "run", "commit"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question. ``names`` are what the thing may be recorded as, the way it was given first."""

    kind: Kind
    names: tuple[str, ...]
    ref: VersionRef | None
    direction: Direction


def question(
    ref: VersionRef | None, *, data: Any = None, run: str | None = None, commit: str | None = None, direction: str | None = None
) -> Question:
    """What was asked, checked. Exactly one thing is asked about."""
    given = {"a version": ref, "data": data, "a run": run, "a commit": commit}
    about = [name for name, value in given.items() if value is not None]
    if len(about) != 1:
        raise BadInput(
            f"lineage is asked about one thing, not {' and '.join(about) or 'nothing'}",
            do="give a version (churn@12), or data= (--data), run= (--run) or commit= (--commit)",
            code="bad-question",
        )
    way = _direction(direction)
    if data is not None:
        return Question("data", _names_of(data), None, way)
    if ref is not None:
        return Question("version", (), ref, way)
    kind: Kind = "run" if run is not None else "commit"
    return Question(kind, (_text(run if run is not None else commit, kind),), None, way)


def _direction(given: object) -> Direction:
    match given:
        case None | "both":
            return "both"
        case "up":
            return "up"
        case "down":
            return "down"
    raise BadInput(f"{shown(given)} is no direction", do="write 'up' (where it comes from), 'down' (what came of it), or neither for both")


def starts(graph: Graph, asked: Question, where: str, unread: Iterable[Unread]) -> tuple[str, ...]:
    """The keys that ``asked`` names, else ``NotFound`` saying what was searched."""
    found = _FIND[asked.kind](graph, asked.names)
    if found:
        return found
    what, do = _MISSING[asked.kind]
    models = sorted(graph.states)
    versions = sum(len(graph.states[model].versions) for model in models)
    searched = f"searched: {versions:,} versions of {len(models):,} models in {where}"
    also = f", as {' and '.join(map(shown, asked.names[1:]))} too" if asked.names[1:] else ""
    left = f"; not searched, since they cannot be read: {', '.join(sorted(u.model for u in unread))}" if unread else ""
    raise NotFound(f"{what} {shown(asked.names[0])}", where=searched + also + left, do=do, code=f"no-{asked.kind}")


_FIND: dict[Kind, Callable[[Graph, tuple[str, ...]], tuple[str, ...]]] = {
    "data": finding.datasets,
    "run": lambda graph, names: finding.runs(graph, names[0]),
    "commit": lambda graph, names: finding.commits(graph, names[0]),
}
_MISSING: dict[Kind, tuple[str, str]] = {
    "data": ("no version was trained or measured on", "give its URI, name or digest as flowreg show MODEL@N has it, or the file itself"),
    "run": ("no version was made or measured by a run", "give its flow run id or name, as flowreg show MODEL@N has it"),
    "commit": ("no version was made at a commit that starts with", "give at least 4 digits of its id, as flowreg show MODEL@N has it"),
}


def _names_of(data: Any) -> tuple[str, ...]:
    """What a dataset may be recorded as: the way it was given, then its digest if that had to be worked out."""
    if isinstance(data, Dataset):
        data = data.digest or data.uri or data.name
        return (public_url(data) if isinstance(data, str) and "://" in data else _text(data, "data"),)
    if is_frame(data):
        return (_text(dataset(data).digest, "data"),)
    text = _text(os.fspath(data) if isinstance(data, os.PathLike) else data, "data")
    path = _there(text)
    if path is None:
        return (public_url(text) if "://" in text else text,)
    digest = [dataset(path).digest or ""] if path.is_file() else []  # a folder has none: it is what it is called
    return tuple(dict.fromkeys([text, *digest, str(path.absolute()), path.absolute().as_uri()]))


def _there(text: str) -> Path | None:
    """The local file or folder that a text means, if there is one."""
    try:
        path = local_path(text)
        return path if path is not None and path.exists() else None
    except (OSError, ValueError, RuntimeError):
        return None  # too long, or not what a path can be


def _text(given: object, what: str) -> str:
    if isinstance(given, str) and given.strip():
        return given.strip()
    raise BadInput(f"{what} is {shown(given)}", do=f"give {what} as text", code="bad-question")
