"""Removing blobs that nothing refers to, soundly against every writer at the same moment, without clocks in the proof.

The order is: doom, fence, look again, remove. A doom is an entry of the registry's journal: from there on the digest is stored under
its next incarnation. A fence is an entry of a model's journal: whoever writes after it has read the dooms, and stores again what was
doomed. So what a version needs is either named before the fence, and seen, or stored under an incarnation that is not removed.

Rule 1: an age only spares uploads that are under way; nothing depends on it.
Rule 2: what cannot be read with certainty stops the collection before anything is doomed: a journal that is broken or of a newer
flowreg, a manifest that is gone.
Rule 3: a crash anywhere leaves dooms that the next collection carries out; nothing is waited for. What the storage does not remove
stays doomed, and is told as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from . import ids, reading
from .collected import Collection, Kept, LeftoverFate, VersionFate
from .core.decide import drop_bytes, why_bytes_stay
from .core.events import BlobsDoomed, Decided, Evaluated, Event, VersionRegistered
from .core.layout import BLOBS, LAST_INCARNATION, blob_named, blob_path
from .core.needs import named_by, named_in
from .core.policies import RegistryState
from .core.state import ModelState
from .errors import Unavailable
from .journals import Journals
from .storage import blobs
from .storage.leftovers import Leftover, temporary_files, uploads
from .storage.parallel import parallel_map
from .storage.store import Store

MOST_DOOMED = 1_000  # digests of one entry
WHY = "flowreg collect"
UNFINISHED_FOR = timedelta(days=1)  # at least, whatever the grace: what is on the way is not swept from under its writer


@dataclass(frozen=True, slots=True)
class _Stored:
    digest: str
    incarnation: int
    size_bytes: int
    modified: datetime

    @property
    def path(self) -> str:
        return blob_path(self.digest, self.incarnation)


def collect(store: Store, journals: Journals, *, dry_run: bool, grace: timedelta, retired: bool = False) -> Collection:
    """Doom and remove what no entry refers to. See the rules above."""
    there = sorted(_stored(store), key=lambda blob: blob.path)
    registry = journals.registry.state()
    if registry.registry is None:
        return Collection(store.root, dry_run, tuple(_kept(blob, "the registry does not exist") for blob in there))
    now = datetime.now(UTC)
    young = now - grace
    states = _states(store, journals, registry)
    versions: tuple[VersionFate, ...] = ()
    without: frozenset[tuple[str, str]] = frozenset()
    if retired:
        versions, without = _drop(journals, states, retired_before=ids.rfc3339(young), dry_run=dry_run)
        states = states if dry_run else _states(store, journals, registry)
    used = _needed(store, states.items(), without if dry_run else ())
    doomed = registry.doomed
    fresh = sorted({b.digest for b in there if b.digest not in used and b.modified <= young and _may_be_doomed(b, doomed)})
    if not dry_run:
        for start in range(0, len(fresh), MOST_DOOMED):
            event = BlobsDoomed(digests=tuple(fresh[start : start + MOST_DOOMED]))
            registry = journals.transact_registry(lambda _, event=event: [event], because=WHY)  # type: ignore[misc]
        doomed = registry.doomed
        if any(b.digest not in used and b.incarnation < doomed.get(b.digest, 0) for b in there):
            used = _needed(store, _fenced(store, journals, registry).items())
    else:
        doomed = {**doomed, **{digest: doomed.get(digest, 0) + 1 for digest in fresh}}
    told = tuple(_told(blob, used, doomed, young) for blob in there)
    if not dry_run:
        told = tuple(parallel_map(lambda blob: _removed(store, blob), told, threads=store.concurrent_files))
    swept, unseen = _swept(store, states, now - max(grace, UNFINISHED_FOR), dry_run=dry_run)
    return Collection(store.root, dry_run, told, swept, versions, unseen)


def _drop(
    journals: Journals, states: Mapping[str, ModelState], *, retired_before: str, dry_run: bool
) -> tuple[tuple[VersionFate, ...], frozenset[tuple[str, str]]]:
    """The files of what was retired long enough are dropped, each by an entry; what became of every retired version."""
    told: list[VersionFate] = []
    without: set[tuple[str, str]] = set()
    for model, state in states.items():
        for version in state.versions:
            if not version.retired or version.dropped:
                continue
            number = version.number
            if not dry_run and not why_bytes_stay(state, number, retired_before=retired_before):
                # decided on what stands there then: a restore, or a hold, may have come first
                state = journals.transact(model, _dropping(number, retired_before), because=WHY)
            why = None if state.versions[number - 1].dropped else why_bytes_stay(state, number, retired_before=retired_before)
            told.append(VersionFate(f"{model}@{number}", "kept" if why else "dropped", why or f"it was retired: {version.retired.because}"))
            without |= set() if why else {(model, version.manifest)}
    return tuple(told), frozenset(without)


def _dropping(number: int, retired_before: str) -> Callable[[ModelState, RegistryState], Sequence[Event]]:
    return lambda state, _: drop_bytes(state, number, retired_before=retired_before)


def _removed(store: Store, blob: Kept) -> Kept:
    """The blob, gone if it was to go."""
    why_not = _take_away(lambda: store.remove(blob.where)) if blob.fate == "dropped" else None
    return blob if why_not is None else replace(blob, fate="stuck", reason=why_not)


def _swept(
    store: Store, models: Iterable[str], begun_before: datetime, *, dry_run: bool
) -> tuple[tuple[LeftoverFate, ...], tuple[str, ...]]:  # fmt: skip
    """What became of the leftovers, and which could not be looked for."""
    found = list(temporary_files(store, models))
    unseen: tuple[str, ...] = ()
    try:
        found += uploads(store)
    except Unavailable as error:
        unseen = (f"uploads in parts that were never finished cannot be listed here: {error.where}",)
    fates = parallel_map(lambda one: _fate(one, begun_before, dry_run=dry_run), found, threads=store.concurrent_files)
    return tuple(fates), unseen


def _fate(one: Leftover, begun_before: datetime, *, dry_run: bool) -> LeftoverFate:
    if one.begun_at > begun_before:
        return LeftoverFate(one.where, one.size_bytes, "kept", f"young: {one.what} that may be on the way")
    if not dry_run and (why_not := _take_away(one.remove)):
        return LeftoverFate(one.where, one.size_bytes, "stuck", why_not)
    return LeftoverFate(one.where, one.size_bytes, "dropped", f"{one.what} that was never finished")


def _take_away(remove: Callable[[], None]) -> str | None:
    """Why the storage did not say that it is gone, or None."""
    try:
        remove()
    except OSError as error:
        return f"it could not be removed: {error.where if isinstance(error, Unavailable) else error}"
    return None


def _may_be_doomed(blob: _Stored, doomed: Mapping[str, int]) -> bool:
    """Whether these bytes were stored under the incarnation that counts now, and another may follow."""
    return blob.incarnation >= doomed.get(blob.digest, 0) < LAST_INCARNATION


def _told(blob: _Stored, used: Mapping[str, str], doomed: Mapping[str, int], young: datetime) -> Kept:
    if blob.digest in used:
        return _kept(blob, used[blob.digest])
    if blob.incarnation < doomed.get(blob.digest, 0):
        return Kept(blob.digest, blob.path, blob.size_bytes, "dropped", "no entry refers to it")
    if blob.modified > young:
        return _kept(blob, "young: its entry may still be on the way")
    return _kept(blob, "doomed too often, or stored again since")


def _kept(blob: _Stored, reason: str) -> Kept:
    return Kept(blob.digest, blob.path, blob.size_bytes, "kept", reason)


def _stored(store: Store) -> Iterator[_Stored]:
    folders = [name for name in store.names(BLOBS) if name.endswith("/")]
    for listed in parallel_map(lambda name: store.sizes(f"{BLOBS}/{name[:-1]}"), folders, threads=8):
        for name, size, modified in listed:
            if (found := blob_named(name)) is not None:
                yield _Stored(*found, size, modified)


def _states(store: Store, journals: Journals, registry: RegistryState) -> dict[str, ModelState]:
    models = sorted(registry.models | set(reading.model_names(store)))
    return dict(zip(models, parallel_map(lambda model: journals.of(model).state(), models, threads=8), strict=True))


def _fenced(store: Store, journals: Journals, registry: RegistryState) -> dict[str, ModelState]:
    """Every model's state with all in it that was written by somebody who may not know of the dooms."""
    models = sorted(registry.models | set(reading.model_names(store)))
    return dict(zip(models, parallel_map(lambda m: journals.fence(m, registry.seq, because=WHY), models, threads=8), strict=True))


def _needed(store: Store, states: Iterable[tuple[str, ModelState]], without: Container[tuple[str, str]] = ()) -> dict[str, str]:
    """Every digest that an entry refers to, and for what; ``without`` the files of these manifests of these models."""
    needed: dict[str, str] = {}
    for model, state in states:
        for digest, what in _named(store, model, state, without):
            needed.setdefault(digest, what)
    return needed


def _named(store: Store, model: str, state: ModelState, without: Container[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for event in _events(state):
        yield from ((named.digest, f"{named.role} of {model}@{event.version}") for named in named_by(event))
    whole = [version for version in state.versions if not version.dropped and (model, version.manifest) not in without]
    manifests = sorted({version.manifest for version in whole})
    read = dict(zip(manifests, parallel_map(lambda d: blobs.get_manifest(store, d, what=model), manifests, threads=8), strict=True))
    for version in whole:
        yield from ((named.digest, f"{named.role} of {model}@{version.number}") for named in named_in(read[version.manifest]))


def _events(state: ModelState) -> Iterator[Decided | VersionRegistered | Evaluated]:
    """What counts of the events that name blobs."""
    yield from (decision.said for decision in state.decisions)
    for version in state.versions:
        yield version.said
        yield from (evaluation.said for evaluation in version.evaluations)
