"""All that is known of one version, gathered once: what every form is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from .. import reading, tables
from ..core import decide
from ..core.decision import Decision
from ..core.events import Run
from ..core.manifest import File
from ..core.policies import PolicyRecord, RegistryState
from ..core.state import ModelState
from ..core.views import Approval, HistoryLine, Version, approval_view, version_view
from ..inside import Inside, Moment, VersionRef
from ..lineage.masking import MASK, is_secret_name
from ..storage import blobs
from ..storage.store import Store


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package; ``source`` is where it came from, where that was no index."""

    name: str
    version: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A version and all about it, as of ``known_at``, the moment of the newest entry that was looked at.

    ``slices`` has the rows of each evaluation, in the order of ``version.evaluations``. ``history`` is what happened to this version, and
    to the aliases that it held, the oldest first. ``policies`` are those in force for this model. ``registry`` is the registry's identity.
    """

    version: Version
    root: str
    registry: str | None
    known_at: str
    files: tuple[File, ...]
    packages: tuple[Package, ...]
    card: str | None
    slices: tuple[tuple[Mapping[str, Any], ...], ...]
    decisions: tuple[Decision, ...]
    approvals: tuple[Approval, ...]
    history: tuple[HistoryLine, ...]
    policies: tuple[PolicyRecord, ...]

    @property
    def run(self) -> Run:
        """The run that registered it; without a fact where nobody recorded one."""
        return self.version.run or Run()

    @property
    def name(self) -> str:
        """``risk/churn@12``"""
        return self.version.ref


def gather(inside: Inside, ref: VersionRef, *, as_of: Moment = None) -> Told:
    """All about the version that ``ref`` names now, or named at ``as_of``. Reads what the journal names, and no file of the artifact."""
    parsed = reading.as_ref(ref)
    model, at = parsed.model, reading.moment(as_of)
    state = inside.state(model, as_of)
    version = _public(version_view(model, state, decide.resolve(state, parsed)))
    registry = inside.registry_state(as_of)
    slots = inside.journals.of(model).slots()
    return Told(
        version=version,
        root=inside.store.root,
        registry=registry.registry,
        known_at=state.at,
        files=blobs.get_manifest(inside.store, version.digest, what=version.ref).files,
        packages=packages_of(inside.store, version),
        card=card_of(inside.store, version),
        slices=tuple(tuple(tables.slice_rows(inside.store, e.table, e.ref)) for e in version.evaluations),
        decisions=_decisions(inside.store, state, version.number),
        approvals=tuple(approval_view(model, said) for said in state.approvals if said.said.version == version.number),
        history=tuple(_about(reading.history(slots, inside.journals.replay, at), version.number)),
        policies=_in_force(registry, model),
    )


def _public(version: Version) -> Version:
    """Without the values of what is called like a secret: it was recorded as it was given, and need not go out."""
    labels = {name: MASK if is_secret_name(name) else value for name, value in version.labels.items()}
    run = version.run and version.run.model_copy(update={"parameters": _without_secrets(version.run.parameters)})
    return replace(version, params=_without_secrets(version.params), labels=labels, run=run)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        hidden = {name for name, said in value.items() if isinstance(said, str) and is_secret_name(str(name))}
        return {name: MASK if name in hidden else _without_secrets(said) for name, said in value.items()}
    return [_without_secrets(item) for item in value] if isinstance(value, list | tuple) else value


def card_of(store: Store, version: Version) -> str | None:
    """The card that people wrote for a version, as they gave it."""
    return None if version.card is None else blobs.get(store, version.card, what=f"the card of {version.ref}").decode("utf-8", "replace")


def packages_of(store: Store, version: Version) -> tuple[Package, ...]:
    """The packages of the run that registered a version, by name."""
    digest = version.run.environment.packages if version.run and version.run.environment else None
    if digest is None:
        return ()
    raw = blobs.get(store, digest, what=f"the list of packages of {version.ref}").decode("utf-8", "replace")
    found = (_package(line) for line in raw.splitlines() if "==" in line)
    return tuple({package.name: package for package in found}.values())


def _package(line: str) -> Package:
    pinned, _, source = line.partition(" @ ")
    name, _, version = pinned.partition("==")
    return Package(name.strip(), version.strip(), source.strip() or None)


def _decisions(store: Store, state: ModelState, number: int) -> tuple[Decision, ...]:
    return tuple(tables.read_decision(store, said.said.decision) for said in state.decisions if said.said.version == number)


def _about(lines: tuple[HistoryLine, ...], number: int) -> list[HistoryLine]:
    """What happened to a version, and the moves that took an alias away from it."""
    found, holds = [], set()
    for line in lines:
        if line.kind == "alias_moved" and line.version == number:
            holds.add(line.alias)
            found.append(line)
        elif line.version == number or (line.kind == "alias_moved" and line.alias in holds):
            found.append(line)
            if line.kind == "alias_moved":
                holds.discard(line.alias)
    return found


def _in_force(state: RegistryState, model: str) -> tuple[PolicyRecord, ...]:
    """The policies in force that cover an alias of this model."""
    return tuple(p for p in state.policies if p.until is None and any(fnmatchcase(model, pattern) for pattern in p.models))
