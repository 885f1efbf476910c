"""What a model's journal needs: each blob by the entries that count. Pure; which event names what is told by ``core.needs``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..core.codec import Entry
from ..core.events import Decided, VersionRegistered
from ..core.needs import named_by


@dataclass(frozen=True, slots=True)
class Need:
    """One blob that ``model`` needs: for what, and its size where that is recorded."""

    model: str
    digest: str
    what: str
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What counts in a model's journal, and the blobs beside manifests and decisions that it names."""

    versions: tuple[VersionRegistered, ...]
    decisions: tuple[Decided, ...]
    others: tuple[Need, ...]


def needs_of(model: str, entries: Iterable[Entry], voids: Iterable[int]) -> Needs:
    """The needs of these entries; those in ``voids`` have no effect and need nothing."""
    without = set(voids)
    events = [event for entry in entries if entry.seq not in without for event in entry.said.events]
    read_on_the_way = ("the manifest", "a decision")
    return Needs(
        tuple(event for event in events if isinstance(event, VersionRegistered)),
        tuple(event for event in events if isinstance(event, Decided)),
        tuple(
            Need(model, named.digest, f"{named.role} of {model}@{getattr(event, 'version', '?')}")
            for event in events
            for named in named_by(event)
            if named.role not in read_on_the_way
        ),
    )
