"""What a model's journal adds up to, as values that never change. ``replaying`` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import codec
from .aliases import AliasState, Stamp
from .events import Approved, Decided, Evaluated, VersionRegistered


@dataclass(frozen=True, slots=True)
class EvaluationState:
    said: Evaluated
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class DecisionState:
    said: Decided
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class ApprovalState:
    said: Approved
    stamp: Stamp

    @property
    def person(self) -> str:
        """Whose word it is."""
        return self.said.person or self.stamp.by.actor


@dataclass(frozen=True, slots=True)
class VersionState:
    """One version: what was registered, and what has been said about it since. ``retired`` says by whom and why.

    ``dropped`` says the same where its files are kept no more.
    """

    said: VersionRegistered
    stamp: Stamp
    labels: Mapping[str, str] = field(default_factory=dict)
    evaluations: tuple[EvaluationState, ...] = ()
    retired: Stamp | None = None
    dropped: Stamp | None = None

    @property
    def number(self) -> int:
        return self.said.version

    @property
    def manifest(self) -> str:
        return self.said.manifest


@dataclass(frozen=True, slots=True)
class ModelState:
    """Everything a model's journal says up to entry ``seq``, whose file has the digest ``digest``.

    ``under`` is the newest registry entry any entry was decided under; ``unknown`` names what only a newer flowreg understands
    (then nothing may be written); ``broken`` is the entry that contradicts the chain, if any.
    """

    seq: int = 0
    digest: str | None = None
    at: str = ""
    under: int = 0
    versions: tuple[VersionState, ...] = ()
    aliases: Mapping[str, AliasState] = field(default_factory=dict)
    by_key: Mapping[str, int] = field(default_factory=dict)
    decisions: tuple[DecisionState, ...] = ()
    voids: tuple[codec.Void, ...] = ()
    unknown: tuple[str, ...] = ()
    broken: codec.Void | None = None
    holds: Mapping[str, Stamp] = field(default_factory=dict)  # by the number of the version, "" for the whole model
    approvals: tuple[ApprovalState, ...] = ()
    retired_bytes: Mapping[str, Stamp] = field(default_factory=dict)  # by manifest, who barred them and why

    @property
    def newest(self) -> int:
        return len(self.versions)

    def version(self, number: int) -> VersionState | None:
        return self.versions[number - 1] if 1 <= number <= len(self.versions) else None

    def holder(self, alias: str) -> VersionState | None:
        state = self.aliases.get(alias)
        return self.version(state.version) if state and state.version else None

    def held_by(self, number: int) -> tuple[str, ...]:
        """The aliases that this version holds."""
        return tuple(sorted(name for name, alias in self.aliases.items() if alias.version == number))

    def same_bytes(self, manifest: str) -> tuple[VersionState, ...]:
        """The versions with these bytes."""
        return tuple(version for version in self.versions if version.manifest == manifest)

    def hold_on(self, number: int | None) -> Stamp | None:
        """The hold that this version (None: the whole model) is under, its own or the model's."""
        return self.holds.get(hold_key(number)) or self.holds.get(hold_key(None))


def hold_key(number: int | None) -> str:
    return "" if number is None else str(number)


EMPTY = ModelState()
