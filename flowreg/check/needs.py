"""Which blobs the entries of a model need, and for what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..core.codec import Entry
from ..core.events import Decided, Evaluated, Run, VersionRegistered


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
    return Needs(
        tuple(event for event in events if isinstance(event, VersionRegistered)),
        tuple(event for event in events if isinstance(event, Decided)),
        tuple(need for event in events for need in _named(model, event)),
    )


def _named(model: str, event: object) -> Iterator[Need]:
    match event:
        case VersionRegistered():
            named = [(event.card, "the card"), (_packages(event.run), "the list of packages")]
        case Evaluated():
            named = [(event.table, "sliced values"), (event.examples, "the examples"), (_packages(event.run), "the list of packages")]
        case _:
            return
    for digest, what in named:
        if digest is not None:
            yield Need(model, digest, f"{what} of {model}@{event.version}")


def _packages(run: Run | None) -> str | None:
    return run.environment.packages if run and run.environment else None
