"""Removing blobs that nothing refers to, soundly against every writer at the same moment, without clocks in the proof.

The order is: doom, fence, look again, remove. A doom is an entry of the registry's journal: from there on the digest is stored under
its next incarnation. A fence is an entry of a model's journal: whoever writes after it has read the dooms, and stores again what was
doomed. So what a version needs is either named before the fence, and seen, or stored under an incarnation that is not removed.

Rule 1: an age only spares uploads that are under way; nothing depends on it.
Rule 2: what cannot be read with certainty stops the collection before anything is doomed: a journal that is broken or of a newer
flowreg, a manifest that is gone.
Rule 3: a crash anywhere leaves dooms that the next collection carries out; nothing is waited for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from . import reading
from .core.events import BlobsDoomed
from .core.layout import BLOBS, LAST_INCARNATION, blob_named, blob_path
from .core.policies import RegistryState
from .core.state import ModelState
from .journals import Journals
from .storage import blobs
from .storage.local import parallel_map
from .storage.store import Store

MOST_DOOMED = 1_000  # digests of one entry
WHY = "flowreg collect"


@dataclass(frozen=True, slots=True)
class Kept:
    """One stored blob, whether it stays or goes, and why."""

    digest: str
    where: str
    size_bytes: int
    fate: Literal["kept", "dropped"]
    reason: str


@dataclass(frozen=True, slots=True)
class Collection:
    """What a collection did, or with ``dry_run`` would do, blob by blob."""

    root: str
    dry_run: bool
    blobs: tuple[Kept, ...]

    @property
    def dropped(self) -> tuple[Kept, ...]:
        return tuple(blob for blob in self.blobs if blob.fate == "dropped")

    @property
    def dropped_bytes(self) -> int:
        return sum(blob.size_bytes for blob in self.dropped)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many blobs by fate and reason, those of versions together."""
        return Counter(f"{blob.fate}: {blob.reason.partition(' of ')[0]}" for blob in self.blobs)


@dataclass(frozen=True, slots=True)
class _Stored:
    digest: str
    incarnation: int
    size_bytes: int
    modified: datetime

    @property
    def path(self) -> str:
        return blob_path(self.digest, self.incarnation)


def collect(store: Store, journals: Journals, *, dry_run: bool, grace: timedelta) -> Collection:
    """Doom and remove what no entry refers to. See the rules above."""
    there = list(_stored(store))
    registry = journals.registry.state()
    if registry.registry is None:
        return Collection(store.root, dry_run, tuple(_kept(blob, "the registry does not exist") for blob in there))
    young = datetime.now(UTC) - grace
    used = _needed(store, _states(store, journals, registry).items())
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
        parallel_map(store.remove, [blob.where for blob in told if blob.fate == "dropped"], threads=store.concurrent_files)
    return Collection(store.root, dry_run, told)


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


def _needed(store: Store, states: Iterable[tuple[str, ModelState]]) -> dict[str, str]:
    """Every digest that an entry refers to, and for what."""
    needed: dict[str, str] = {}
    for model, state in states:
        for digest, what in _named(store, model, state):
            needed.setdefault(digest, what)
    return needed


def _named(store: Store, model: str, state: ModelState) -> Iterator[tuple[str, str]]:
    for decision in state.decisions:
        yield decision.said.decision, f"a decision of {model}@{decision.said.version}"
    manifests = sorted({version.manifest for version in state.versions})
    read = dict(zip(manifests, parallel_map(lambda d: blobs.get_manifest(store, d, what=model), manifests, threads=8), strict=True))
    for version in state.versions:
        ref = f"{model}@{version.number}"
        yield version.manifest, f"the manifest of {ref}"
        yield from ((file.digest, f"a file of {ref}") for file in read[version.manifest].files)
        beside = [version.said.card, *(digest for e in version.evaluations for digest in (e.said.table, e.said.examples))]
        runs = [version.said.run, *(e.said.run for e in version.evaluations)]
        beside += [run.environment.packages for run in runs if run and run.environment]
        yield from ((digest, f"what was recorded of {ref}") for digest in beside if digest)
