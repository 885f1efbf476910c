"""Serving: which version is meant, and give it to me. Read-only and light: no Prefect, no gates, no formats but the one needed.

>>> import flowreg.serving as serving
>>> serving.load("churn@champion")                                     # doctest: +SKIP
>>> serving.resolve("churn@champion").stamp                            # doctest: +SKIP
'churn@12+3fa9c1'

Rule 1: nothing here writes to the registry.
Rule 2: resolving an alias costs one read, and a second round trip to make sure that the head tells the truth and nothing is newer.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .artifacts import fetch_artifact, load_artifact
from .core.decide import resolve as resolve_in_state
from .core.names import Alias, Newest, Ref, parse_ref
from .core.views import stamp
from .dropped import told_if_dropped
from .journals import Journals
from .root import default_root
from .storage.caches import Head, newest_head, read_head
from .storage.store import open_store

if TYPE_CHECKING:
    from .core.signature import Signature


@dataclass(frozen=True, slots=True)
class Resolved:
    """The version that a reference names: enough to fetch its bytes and to say which version made a prediction."""

    model: str
    number: int
    digest: str

    @property
    def ref(self) -> str:
        """``churn@12``"""
        return f"{self.model}@{self.number}"

    @property
    def stamp(self) -> str:
        """``churn@12+3fa9c1``: for responses, log lines and tables."""
        return stamp(self.model, self.number, self.digest)


class Reader:
    """A registry opened for reading; keep one for a long-running process. Safe to share between threads."""

    def __init__(self, root: str | os.PathLike[str] | None = None, *, storage_options: Mapping[str, Any] | None = None) -> None:
        self._store = open_store(default_root() if root is None else root, storage_options)
        self._journals = Journals(self._store, actor=None)
        self._replayed: set[str] = set()

    def __repr__(self) -> str:
        return f"Reader({self._store.root!r})"

    def resolve(self, ref: str, *, fresh: bool = True) -> Resolved:
        """The version that ``ref`` names. With ``fresh=False`` an alias may be as old as the last head that was written, and costs
        one read."""
        parsed = parse_ref(ref)
        if parsed.model not in self._replayed:
            head = (newest_head if fresh else read_head)(self._store, parsed.model)
            if head and (known := _in_head(head, parsed)):
                return known
        state = self._journals.of(parsed.model).state(fresh=fresh)
        self._replayed.add(parsed.model)
        version = resolve_in_state(state, parsed)
        return Resolved(parsed.model, version.number, version.manifest)

    def signature(self, ref: str | Resolved) -> Signature | None:
        """What the input of a version looks like, if that was recorded: ``signature.violations(rows)`` says what is wrong with a request.

        Reads the model's journal. ``BadInput`` where what was recorded is in a form of somebody's own.
        """
        from .core.signature import Signature

        found = ref if isinstance(ref, Resolved) else self.resolve(ref)
        recorded = self._journals.of(found.model).state(fresh=False).versions
        if found.number > len(recorded):
            recorded = self._journals.of(found.model).state().versions
        said = recorded[found.number - 1].said.signature
        return None if said is None else Signature.read(said)

    def fetch(self, ref: str | Resolved, into: str | os.PathLike[str]) -> Path:
        """Bring the files of a version into the new folder ``into``, every byte verified; the folder."""
        found = ref if isinstance(ref, Resolved) else self.resolve(ref)
        with told_if_dropped(self._journals, found.model, found.number):
            folder = fetch_artifact(self._store, found.digest, Path(into), ref=found.ref)
        self._note(found)
        return folder

    def load(self, ref: str | Resolved, *, trust: bool = False) -> Any:
        """The model as an object, its bytes verified before any loader sees them. ``trust=True`` lets a pickle run its code."""
        found = ref if isinstance(ref, Resolved) else self.resolve(ref)
        with told_if_dropped(self._journals, found.model, found.number):
            model = load_artifact(self._store, found.digest, ref=found.ref, trust=trust)
        self._note(found)
        return model

    def _note(self, found: Resolved) -> None:
        """In a flow run it becomes a parent of what the run registers. Elsewhere nothing of lineage is imported."""
        if "prefect.context" in sys.modules or "PREFECT__FLOW_RUN_ID" in os.environ:
            from .core.events import Parent
            from .lineage.loaded import note_loaded

            note_loaded(Parent(model=found.model, version=found.number, manifest=found.digest), self._store.root)


def resolve(
    ref: str, *, root: str | os.PathLike[str] | None = None, storage_options: Mapping[str, Any] | None = None, fresh: bool = True
) -> Resolved:
    """The version that ``ref`` names in the registry at ``root``; ``NotFound`` where there is none."""
    return Reader(root, storage_options=storage_options).resolve(ref, fresh=fresh)


def fetch(
    ref: str,
    into: str | os.PathLike[str],
    *,
    root: str | os.PathLike[str] | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> Path:
    """Bring the files of the version that ``ref`` names into the new folder ``into``."""
    return Reader(root, storage_options=storage_options).fetch(ref, into)


def load(
    ref: str,
    *,
    root: str | os.PathLike[str] | None = None,
    storage_options: Mapping[str, Any] | None = None,
    trust: bool = False,
) -> Any:
    """The model that ``ref`` names, as an object."""
    return Reader(root, storage_options=storage_options).load(ref, trust=trust)


def _in_head(head: Head, ref: Ref) -> Resolved | None:
    match ref.selector:
        case Alias(name, 0) if name in head.aliases:
            found = head.aliases[name]
        case Newest() if head.newest:
            found = head.newest
        case _:
            return None
    return Resolved(ref.model, int(found["version"]), str(found["manifest"]))
