"""One check from the first listing to the report.

Rule 1: heads, checkpoints and models are read before the registry's journal, and blobs are listed last: whatever a writer adds
meanwhile refers only to what is read later, so a registry in use is not found at fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core.codec import Entry
from ..core.events import ModelCreated
from ..core.layout import MODELS, blob_path
from ..core.names import from_disk, model_name, on_disk
from ..errors import NotFound
from ..storage.parallel import parallel_map
from ..storage.store import Store
from . import blobs, caches
from .caches import Stored, read_stored
from .ground import examined_ground
from .journals import Ground, Walked, walked
from .needs import Need, Needs, needs_of
from .reading import EVERYTHING, NOTHING, Reading, Watching, unwatched
from .report import Checked, Finding, Report, found, report_of
from .slots import Slots, journal_names, read_slots
from .strangers import Folder, Tree, blobs_there, folder_of, tree_of

THREADS = 4


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What was read of one model, before anything is judged."""

    stored: Stored
    slots: Slots


@dataclass(frozen=True, slots=True)
class ModelChecked:
    """One model, judged."""

    findings: tuple[Finding, ...]
    needs: tuple[Need, ...]
    read: frozenset[str]  # the blobs that were read whole on the way
    walked: Walked


def check(
    store: Store,
    model: str | None = None,
    *,
    read_data: bool = False,
    reading: Reading | None = None,
    watching: Watching = unwatched,
) -> Report:
    """Check a whole registry, or one model with all it stands on. ``read_data`` reads every byte of every needed blob, ``reading``
    those of a sample; ``watching`` is told how much there is to read, and gives what is told of each blob that was.

    Raises only ``NotFound`` for a model that is not there, and ``Unavailable`` where the root itself cannot be listed.
    """
    tree = tree_of(store) if model is None else _tree_of_model(store, model_name(model))
    files, ground, findings = read_all(store, tree)
    checked = {name: _check_model(store, name, of, ground) for name, of in files.items()}
    needs = [need for one in checked.values() for need in one.needs]
    drawn = reading or (EVERYTHING if read_data else NOTHING)
    seen = blobs.measured(store, needs, reading=drawn, watching=watching)
    findings += [*tree.strange, *(finding for one in checked.values() for finding in one.findings)]
    findings += blobs.measured_findings(needs, seen)
    if model is None:
        findings += _dangling(store, files, checked, findings)
    counts = Checked(
        models=len(files),
        entries=sum(len(of.slots.run) for of in files.values()),
        heads=sum(of.stored.raw_head is not None for of in files.values()),
        checkpoints=sum(len(of.stored.raw_checkpoints) for of in files.values()),
        blobs=len(seen.keys() | {digest for one in checked.values() for digest in one.read}),
        bytes_read=sum(m.size for m in seen.values() if isinstance(m.size, int) and m.digest is not None),
    )
    return report_of(store.root, findings, counts)


def read_all(store: Store, tree: Tree) -> tuple[dict[str, ModelFiles], Ground, list[Finding]]:
    """The files of these models, the ground they stand on, and what is wrong with that.

    A model that the registry's journal names is looked at, too, though no listing shows it yet.
    """
    own = read_slots(store, None, journal_names(store, None))
    unlisted = {name: Folder([], []) for name in _named(own) - tree.models.keys()} if tree.whole else {}
    folders = {**tree.models, **unlisted}

    def one(item: tuple[str, Folder]) -> ModelFiles:
        stored = read_stored(store, item[0], item[1].checkpoints)
        return ModelFiles(stored, read_slots(store, item[0], item[1].journal))

    names = sorted(folders)
    read = dict(zip(names, parallel_map(one, [(name, folders[name]) for name in names], threads=THREADS), strict=True))
    files = {name: of for name, of in read.items() if name in tree.models or of.slots.run}  # a name may be all that there is so far
    ground, findings = examined_ground(own, {name: of.slots for name, of in files.items()})
    return files, ground, findings


def _named(own: Slots) -> set[str]:
    said = (event.model for entry in own.entries for event in entry.said.events if isinstance(event, ModelCreated))
    return {model for model in said if from_disk(on_disk(model)) == model}


def walk_model(model: str, of: ModelFiles, ground: Ground) -> tuple[Walked, list[Finding]]:
    """A model's journal and caches, judged without its blobs."""
    stored, registry = of.stored, ground.policies.registry
    wanted = {*stored.raw_checkpoints, *([stored.head.seq, stored.head.checkpoint] if stored.head else [])}
    walk = walked(model, of.slots, stored.claims(registry), ground, wanted)
    newest = max((slot.seq for slot in of.slots.run if isinstance(slot, Entry)), default=0)
    return walk, [*walk.findings, *caches.judged(stored, registry, walk.chain, walk.states, newest)]


def _tree_of_model(store: Store, model: str) -> Tree:
    folder, strange = folder_of(store, f"{MODELS}/{on_disk(model)}")
    stored = read_stored(store, model, folder.checkpoints)
    if not folder.journal and not folder.checkpoints and stored.raw_head is None:
        raise NotFound(f"there is no model {model!r}", where=store.root, do="see flowreg ls", code="no-model")
    return Tree([], {model: folder}, strange, whole=False)


def _check_model(store: Store, model: str, of: ModelFiles, ground: Ground) -> ModelChecked:
    walk, findings = walk_model(model, of, ground)
    needs: Needs = needs_of(model, of.slots.entries, (void.seq for void in walk.state.voids))
    files, of_manifests = blobs.manifests(store, model, needs.versions, {v.number for v in walk.state.versions if v.dropped})
    of_decisions = blobs.decisions(store, model, needs.decisions)
    read = frozenset({v.manifest for v in needs.versions} | {d.decision for d in needs.decisions})
    return ModelChecked((*findings, *of_manifests, *of_decisions), (*files, *needs.others), read, walk)


def _dangling(
    store: Store, files: Mapping[str, ModelFiles], checked: Mapping[str, ModelChecked], so_far: Sequence[Finding]
) -> list[Finding]:
    """Strange files among the blobs, and blobs that nothing needs: where an entry or a manifest is lost, nobody can tell which."""
    there, strange = blobs_there(store)
    if any(finding.severity == "fault" and not finding.code.endswith(("-head", "-checkpoint")) for finding in so_far):
        return strange
    mentioned = {digest for of in files.values() for digest in of.slots.mentioned}
    mentioned |= {need.digest for one in checked.values() for need in one.needs}
    return strange + [found("dangling-blob", blob_path(digest), "no entry refers to it", None) for digest in sorted(there - mentioned)]
