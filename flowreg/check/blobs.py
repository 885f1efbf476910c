"""The blobs that journals need: manifests and decisions are read, all others measured, or read whole where that is asked for.

Rule 1: a blob is measured once, however many versions share it; who needs it is told for each model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..core.codec import decode, digest_of
from ..core.decision import Decision
from ..core.events import Decided, VersionRegistered
from ..core.layout import blob_path
from ..core.manifest import Manifest, decode_manifest
from ..core.needs import named_in
from ..errors import Corrupt
from ..storage.incarnations import later_paths
from ..storage.parallel import parallel_map
from ..storage.store import Store
from .files import Unreadable, digest_at, read, read_many, sizes_near
from .needs import Need
from .reading import NOTHING, Reading, Watching, unwatched
from .report import Finding, found

THREADS = 8
Seen = bytes | Finding


@dataclass(frozen=True, slots=True)
class Measured:
    """What one blob turned out to be: ``digest`` None if its bytes were not read."""

    size: int | Unreadable | None
    digest: str | Unreadable | None = None


def manifests(
    store: Store, model: str, versions: Sequence[VersionRegistered], dropped: Collection[int] = ()
) -> tuple[list[Need], list[Finding]]:
    """The files that these versions need but those whose bytes were ``dropped``, and what is wrong with their manifests."""

    def one(said: VersionRegistered) -> tuple[list[Need], list[Finding]]:
        ref = f"{model}@{said.version}"
        raw = _verified(store, Need(model, said.manifest, f"the manifest of {ref}"))
        if isinstance(raw, Finding):
            return [], [raw]
        try:
            manifest = decode_manifest(raw, where=ref)
        except (Corrupt, ValueError, RecursionError) as error:
            return [], [found("bad-manifest", blob_path(said.manifest), getattr(error, "what", str(error)), model)]
        files = [] if said.version in dropped else [Need(model, f.digest, f"{f.path} of {ref}", f.size_bytes) for f in named_in(manifest)]
        return files, list(_compared(model, said, manifest))

    done = parallel_map(one, versions, threads=THREADS)
    return [need for needs, _ in done for need in needs], [finding for _, findings in done for finding in findings]


def _compared(model: str, said: VersionRegistered, manifest: Manifest) -> Iterator[Finding]:
    if (said.loader, said.size_bytes, said.file_count) != (manifest.loader, manifest.size_bytes, len(manifest.files)):
        what = (
            f"{model}@{said.version} is registered as {said.file_count} files of {said.size_bytes} bytes for {said.loader}, "
            f"and its manifest has {len(manifest.files)} of {manifest.size_bytes} for {manifest.loader}"
        )
        yield found("wrong-manifest", blob_path(said.manifest), what, model)


def decisions(store: Store, model: str, decided: Sequence[Decided]) -> list[Finding]:
    """Decisions whose record is missing, cannot be read, or says something else than the journal."""

    def one(said: Decided) -> Finding | None:
        raw = _verified(store, Need(model, said.decision, f"the decision about {model}@{said.version} as {said.alias}"))
        if isinstance(raw, Finding):
            return raw
        where = blob_path(said.decision)
        try:
            record = Decision.model_validate(decode(raw))
        except (ValueError, RecursionError) as error:
            what = f"the decision about {model}@{said.version} is none: {str(error).splitlines()[0]}"
            return found("bad-decision", where, what, model)
        differs = _differs(model, said, record)
        what = f"the record of {model}@{said.version} as {said.alias} differs from the journal in {differs}"
        return found("wrong-decision", where, what, model) if differs else None

    return [finding for finding in parallel_map(one, decided, threads=THREADS) if finding]


def _differs(model: str, said: Decided, record: Decision) -> str:
    pairs = {
        "model": (model, record.model),
        "outcome": (said.outcome, record.outcome),
        "alias": (said.alias, record.alias),
        "version": ((said.version, said.manifest), (record.candidate.version, record.candidate.manifest)),
        "holder": (said.base, record.base.version if record.base else None),
        "generation": (said.generation, record.generation),
        "policy": ((said.policy, said.policy_digest), (record.policy_name, record.policy_digest)),
        "dataset": ((said.dataset, said.dataset_digest), (record.dataset, record.dataset_digest)),
        "gates that did not pass": (False, record.outcome == "promote" and bool(record.failing())),
    }
    return ", ".join(name for name, (journal, blob) in pairs.items() if journal != blob)


def measured(store: Store, needs: Iterable[Need], *, reading: Reading = NOTHING, watching: Watching = unwatched) -> dict[str, Measured]:
    """Every needed blob, the largest first so that none is waited for at the end; those that ``reading`` draws are read whole."""
    sizes: dict[str, int] = {}
    for need in needs:
        sizes[need.digest] = max(sizes.get(need.digest, 0), need.size_bytes or 0)
    digests = sorted(sizes, key=lambda digest: -sizes[digest])
    drawn, size_at = reading.drawn(digests), sizes_near(store, map(blob_path, digests))

    def one(digest: str) -> Measured:
        path, size = blob_path(digest), size_at(blob_path(digest))
        for path in later_paths(digest) if size is None else ():
            if (size := size_at(path)) is not None:
                break
        if digest not in drawn or not isinstance(size, int):
            return Measured(size)
        found = Measured(size, digest_at(store, path, size))
        done(size)
        return found

    with watching(sum(sizes[digest] for digest in drawn)) as done:
        return dict(zip(digests, parallel_map(one, digests, threads=THREADS), strict=True))


def measured_findings(needs: Iterable[Need], seen: Mapping[str, Measured]) -> Iterator[Finding]:
    """A finding for each blob that is missing or wrong and each model that needs it."""
    wanted: dict[tuple[str, str], list[Need]] = defaultdict(list)
    for need in needs:
        wanted[need.model, need.digest].append(need)
    for (model, digest), several in wanted.items():
        wrong = _wrong(digest, seen[digest], {need.size_bytes for need in several if need.size_bytes is not None})
        if wrong:
            yield found(wrong[0], blob_path(digest), f"{_said(several)}: {wrong[1]}", model)


def _wrong(digest: str, seen: Measured, sizes: set[int]) -> tuple[str, str] | None:
    for read_as in (seen.size, seen.digest):
        if isinstance(read_as, Unreadable):
            return "unreadable", read_as.why
    if seen.size is None:
        return "missing-blob", "the bytes are gone"
    if seen.digest not in (None, digest):
        return "changed-blob", f"the digest of its bytes is {seen.digest}"
    if sizes - {seen.size}:
        return "changed-blob", f"{seen.size} bytes are stored and {min(sizes - {seen.size})} were registered"
    return None


def _said(several: Sequence[Need]) -> str:
    named = sorted({need.what for need in several})
    return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")


def _verified(store: Store, need: Need) -> Seen:
    """The bytes of a blob, or what is wrong with it."""
    raw = read(store, blob_path(need.digest))
    if raw is None:
        raw = next((found for found in read_many(store, later_paths(need.digest)) if found is not None), None)
    seen = Measured(None) if raw is None else Measured(raw) if isinstance(raw, Unreadable) else Measured(len(raw), digest_of(raw))
    wrong = _wrong(need.digest, seen, set())
    if wrong:
        return found(wrong[0], blob_path(need.digest), f"{need.what}: {wrong[1]}", need.model)
    assert isinstance(raw, bytes)
    return raw
