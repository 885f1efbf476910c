"""Asking a registry: what a reference means, what was true at a moment, which models there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from . import ids
from .core.codec import Entry, Slot
from .core.layout import HEADS, model_of_head
from .core.names import Alias, Number, Ref, from_disk, parse_ref, shown
from .core.policies import PolicyRecord, RegistryState
from .core.state import ModelState
from .core.views import HistoryLine, ModelLine, Version, history_lines
from .errors import BadInput, Corrupt, NotFound
from .storage.caches import newest_head
from .storage.store import Store


def as_ref(ref: object) -> Ref:
    """What a reference, or a version that was returned before, points at."""
    return Ref(ref.model, Number(ref.number)) if isinstance(ref, Version) else parse_ref(ref)


def as_alias(ref: object) -> tuple[str, str, int]:
    """The model, the alias and the steps back of ``churn@champion`` or ``churn@champion~2``."""
    parsed = parse_ref(ref)
    if not isinstance(parsed.selector, Alias):
        raise BadInput(f"{parsed} does not name an alias", do=f"write {parsed.model}@champion", code="not-an-alias")
    return parsed.model, parsed.selector.name, parsed.selector.back


def policy_named(state: RegistryState, name: str) -> PolicyRecord:
    """The policy of this name that is in force."""
    record = state.named(name)
    if record is None:
        there = ", ".join(sorted(p.name for p in state.policies if p.until is None)) or "none"
        raise NotFound(f"there is no policy {name!r}", where=f"in force: {there}", do="see flowreg policy ls", code="no-policy")
    return record


def moment(as_of: str | datetime | None) -> str | None:
    """A moment as RFC 3339 in UTC with milliseconds. Text without a time zone is UTC; a plain date means its end."""
    if as_of is None:
        return None
    try:
        given = as_of if isinstance(as_of, datetime) else datetime.fromisoformat(as_of)
        if isinstance(as_of, str) and len(as_of) == len("2026-11-22"):
            given = given.replace(hour=23, minute=59, second=59, microsecond=999000)
        return ids.rfc3339(given if given.tzinfo else given.replace(tzinfo=UTC))
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"{shown(as_of)} is not a moment", do="write 2026-11-22 or 2026-11-22T09:14:03Z", code="bad-moment") from None


def until(slots: Iterable[Slot], at: str | None) -> Iterator[Slot]:
    """The slots up to the first that was written after ``at``."""
    for slot in slots:
        if at is not None and isinstance(slot, Entry) and slot.said.at > at:
            return
        yield slot


def history(slots: Iterable[Slot], replay: Callable[[Sequence[Slot]], ModelState], at: str | None) -> tuple[HistoryLine, ...]:
    """A line for everything that happened until ``at``, the oldest first; slots without effect with the reason why."""
    listed = list(until(slots, at))
    voids = {void.seq: void for void in replay(listed).voids}
    return tuple(history_lines(listed, voids))


def model_names(store: Store) -> list[str]:
    """Every model: those with a head, and those whose head is gone."""
    heads = (model_of_head(name) for name in store.names(HEADS))
    return sorted({name for name in heads if name} | set(_model_folders(store, "models", "")))


def _model_folders(store: Store, folder: str, prefix: str) -> Iterator[str]:
    for name in store.names(folder):
        if not name.endswith("/"):
            continue
        if name in ("journal/", "checkpoints/"):
            model = from_disk(prefix.rstrip("/"))
            if model is not None and name == "journal/":
                yield model
        else:
            yield from _model_folders(store, f"{folder}/{name.rstrip('/')}", prefix + name)


def line_of(model: str, state: ModelState) -> ModelLine:
    newest = state.version(state.newest)
    aliases = {name: alias.version for name, alias in sorted(state.aliases.items()) if alias.version}
    if newest is None:
        return ModelLine(model, 0, "", "", aliases)
    return ModelLine(model, newest.number, newest.stamp.at, newest.stamp.by.actor, aliases)


def line_of_broken(model: str, error: Corrupt) -> ModelLine:
    return ModelLine(model, 0, "", "", broken=error.what)


def line_of_head(store: Store, model: str) -> ModelLine | None:
    """The line as the head tells it, or None where there is no head that is up to date."""
    head = newest_head(store, model)
    if head is None or head.newest is None:
        return None
    aliases = {name: int(alias["version"]) for name, alias in sorted(head.aliases.items())}
    return ModelLine(model, int(head.newest["version"]), str(head.newest["at"]), str(head.newest["by"]), aliases)
