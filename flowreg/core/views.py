"""What callers get: frozen values that say all about a version, an evaluation, a move. Made from a state, pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .codec import Entry, Slot, Void
from .decision import Decision
from .events import (
    AliasMoved,
    Approved,
    By,
    BytesDropped,
    Dataset,
    Decided,
    Evaluated,
    Event,
    Fenced,
    Held,
    Labelled,
    Parent,
    Released,
    Restored,
    Retired,
    Run,
    VersionRegistered,
)  # fmt: skip
from .state import ApprovalState, EvaluationState, ModelState, VersionState


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics of a version on a dataset. ``n`` is the number of examples, ``table`` the digest of the sliced values."""

    ref: str
    dataset: str | None
    dataset_digest: str | None
    metrics: Mapping[str, float]
    n: int | None
    table: str | None
    recorded_at: str
    by: By
    run: Run | None = None
    examples: str | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable version. ``digest`` is its manifest's; ``metrics`` are the newest value of each over all evaluations."""

    model: str
    number: int
    digest: str
    loader: str
    size_bytes: int
    file_count: int
    registered_at: str
    by: By
    because: str | None
    metrics: Mapping[str, float]
    params: Mapping[str, Any]
    labels: Mapping[str, str]
    aliases: tuple[str, ...]
    data: tuple[Dataset, ...]
    parents: tuple[Parent, ...]
    run: Run | None
    evaluations: tuple[Evaluation, ...]
    key: str | None = None
    signature: Mapping[str, Any] | None = None
    card: str | None = None
    retired: str | None = None
    held: str | None = None
    dropped: str | None = None
    golden: str | None = None
    reproduces: Parent | None = None

    @property
    def ref(self) -> str:
        """``churn@12``"""
        return f"{self.model}@{self.number}"

    @property
    def stamp(self) -> str:
        """``churn@12+3fa9c1``: the version and the start of its digest, for responses, logs and tables."""
        return stamp(self.model, self.number, self.digest)

    def __str__(self) -> str:
        return self.ref


@dataclass(frozen=True, slots=True)
class AliasMove:
    """An alias moved to ``version`` from ``previous``. ``decision`` has the gates, where a policy protects the alias.

    Of a rollback, ``served_since`` says since when the previous one held the alias, ``retired`` its bytes' digest if they are barred now,
    ``kept`` why they are not. ``undoes`` is the entry of the rollback that was taken back.
    """

    model: str
    alias: str
    version: Version
    previous: int | None
    how: str
    decision: Decision | None = None
    because: str | None = None
    served_since: str | None = None
    retired: str | None = None
    kept: str | None = None
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's word about moving ``alias`` to a version: ``approved`` or not, and why. ``by`` recorded it, ``via`` what."""

    model: str
    version: int
    alias: str
    person: str
    approved: bool
    because: str
    recorded_at: str
    by: By
    policy: str
    base: int | None = None
    via: str | None = None

    @property
    def ref(self) -> str:
        """``churn@12``"""
        return f"{self.model}@{self.version}"


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One thing that happened: ``what`` is a sentence, ``version`` whom it is about. ``void``: without effect, and why."""

    seq: int
    at: str
    by: By | None
    kind: str
    what: str
    because: str | None = None
    version: int | None = None
    alias: str | None = None
    decision: str | None = None
    void: str | None = None


@dataclass(frozen=True, slots=True)
class ModelLine:
    """One model at a glance; a damaged one says so, and hides no other."""

    model: str
    newest: int
    registered_at: str
    by: str
    aliases: Mapping[str, int] = field(default_factory=dict)
    broken: str | None = None  # why its journal cannot be read; then nothing else is known of it


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two versions: by section (``metrics``, ``params``, ``files``, …), by name, the two values."""

    before: str
    after: str
    sections: Mapping[str, Mapping[str, tuple[Any, Any]]]


def stamp(model: str, number: int, digest: str) -> str:
    return f"{model}@{number}+{digest[7:13]}"


def version_view(model: str, state: ModelState, version: VersionState) -> Version:
    said = version.said
    evaluations = tuple(evaluation_view(model, e) for e in version.evaluations)
    return Version(
        model=model,
        number=said.version,
        digest=said.manifest,
        loader=said.loader,
        size_bytes=said.size_bytes,
        file_count=said.file_count,
        registered_at=version.stamp.at,
        by=version.stamp.by,
        because=version.stamp.because,
        metrics={name: value for e in evaluations for name, value in e.metrics.items()},
        params=said.params,
        labels=version.labels,
        aliases=state.held_by(said.version),
        data=said.data,
        parents=said.parents,
        run=said.run,
        evaluations=evaluations,
        key=said.key,
        signature=said.signature,
        card=said.card,
        retired=(version.retired.because or "no reason was given") if version.retired else None,
        held=(held.because or "no reason was given") if (held := state.hold_on(said.version)) else None,
        dropped=f"by {version.dropped.by.actor} on {version.dropped.at[:10]}: {version.dropped.because}" if version.dropped else None,
        golden=said.golden,
        reproduces=said.reproduces,
    )


def evaluation_view(model: str, state: EvaluationState) -> Evaluation:
    said = state.said
    return Evaluation(
        f"{model}@{said.version}", said.dataset, said.dataset_digest, said.metrics, said.n, said.table,
        state.stamp.at, state.stamp.by, said.run, said.examples,
    )  # fmt: skip


def approval_view(model: str, state: ApprovalState) -> Approval:
    said, stamp = state.said, state.stamp
    return Approval(
        model, said.version, said.alias, state.person, said.verdict == "approved", stamp.because or "", stamp.at, stamp.by, said.policy,
        said.base, said.via,
    )  # fmt: skip


def history_lines(slots: list[Slot], voids: Mapping[int, Void]) -> list[HistoryLine]:
    """One line for each event but fences, which are about no version, and one for each slot without effect."""
    lines: list[HistoryLine] = []
    for slot in slots:
        if isinstance(slot, Entry) and slot.seq not in voids:
            lines += [_line(slot, event) for event in slot.said.events if not isinstance(event, Fenced)]
        else:
            reason = voids[slot.seq].reason if slot.seq in voids else ""
            said = slot.said if isinstance(slot, Entry) else None
            at, by = (said.at, said.by) if said else ("", None)
            lines.append(HistoryLine(slot.seq, at, by, "void", "an entry without effect", void=reason))
    return lines


def _line(entry: Entry, event: Event) -> HistoryLine:
    what, version, alias, decision = _told(event)
    return HistoryLine(
        entry.seq, entry.said.at, entry.said.by, str(getattr(event, "kind", "")), what, entry.said.because, version, alias, decision
    )  # fmt: skip


def _told(event: Event) -> tuple[str, int | None, str | None, str | None]:
    """The sentence, the version, the alias and the decision of an event."""
    match event:
        case VersionRegistered():
            return f"registered version {event.version}", event.version, None, None
        case Evaluated():
            on = f" on {event.dataset}" if event.dataset else ""
            return f"evaluated version {event.version}{on}", event.version, None, None
        case Labelled():
            return f"labelled version {event.version}: {', '.join(event.labels)}", event.version, None, None
        case Decided():
            return f"{event.policy}: {event.outcome} version {event.version} as {event.alias}", event.version, event.alias, event.decision
        case Approved():
            return _told_approval(event), event.version, event.alias, None
        case AliasMoved():
            return _told_move(event), event.version, event.alias, event.decision
        case Retired():
            return f"retired version {event.version}", event.version, None, None
        case Restored():
            return f"restored version {event.version}", event.version, None, None
        case BytesDropped():
            return f"dropped the bytes of version {event.version}", event.version, None, None
        case Held():
            return f"put {_whole_or(event.version)} on hold", event.version, None, None
        case Released():
            return f"released {_whole_or(event.version)}", event.version, None, None
        case _:
            return f"{getattr(event, 'kind', '?')} (of a newer flowreg)", None, None, None


def _whole_or(version: int | None) -> str:
    return "the whole model" if version is None else f"version {version}"


def _told_approval(event: Approved) -> str:
    person = f" by {event.person}" if event.person else ""
    return f"{event.verdict} version {event.version} as {event.alias}{person}{f' via {event.via}' if event.via else ''}"


def _told_move(event: AliasMoved) -> str:
    before = "nobody" if event.base is None else f"version {event.base}"
    after = "nobody" if event.version is None else f"version {event.version}"
    verb = {"promotion": "promoted", "rollback": "rolled back", "override": "overridden", "set": "set", "removal": "removed"}[event.how]
    if event.undoes:
        verb = f"rollback of entry {event.undoes} undone"
    return f"{event.alias} {verb}: {before} → {after}"


def difference(before: Version, after: Version, files: tuple[Mapping[str, str], Mapping[str, str]]) -> Difference:
    """Sections in which two versions differ; what is equal is left out."""
    pairs: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
        "metrics": (before.metrics, after.metrics),
        "params": (before.params, after.params),
        "labels": (before.labels, after.labels),
        "files": files,
        "data": (_data(before), _data(after)),
        "code": (_code(before), _code(after)),
    }
    sections = {name: _changed(a, b) for name, (a, b) in pairs.items()}
    return Difference(before.ref, after.ref, {name: changed for name, changed in sections.items() if changed})


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = [*before, *(name for name in after if name not in before)]
    return {name: (before.get(name), after.get(name)) for name in names if _differ(before.get(name), after.get(name))}


def _differ(before: Any, after: Any) -> bool:
    return bool(before != after) and not (before != before and after != after)  # NaN and NaN are the same finding


def _data(version: Version) -> dict[str, str | None]:
    roles = [d.role for d in version.data]
    return {_called(d, alone=roles.count(d.role) == 1): d.digest or d.uri or d.name for d in version.data}


def _called(said: Dataset, *, alone: bool) -> str:
    """A dataset by its role, or by where it is where several have that role."""
    named = said.uri or said.name or "data"
    return named if not said.role else said.role if alone else f"{said.role} {named}"


def _code(version: Version) -> dict[str, Any]:
    run = version.run
    git, environment = (run.git, run.environment) if run else (None, None)
    return {
        "commit": git.commit if git else None,
        "dirty": git.dirty if git else None,
        "changes": git.diff if git else None,
        "untracked files": git.untracked if git else None,
        "entrypoint": run.entrypoint if run else None,
        "python": environment.python if environment else None,
        "packages": environment.packages if environment else None,
        "lockfile": environment.lockfile.digest if environment and environment.lockfile else None,
        "cpu": environment.cpu if environment else None,
        "accelerators": ", ".join(environment.accelerators) or None if environment else None,
        "image": (run.image_digest or run.image) if run else None,
        "seeds": dict(run.seeds) if run and run.seeds else None,
    }
