"""What a collection tells: every blob, every leftover of an upload, every retired version, and what becomes of it.

Rule: *dropped* is said only of what the storage has taken away (in a dry run: of what would be); what it did not take away is *stuck*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Fate = Literal["kept", "dropped", "stuck"]


@dataclass(frozen=True, slots=True)
class Kept:
    """One stored blob, whether it stays or goes, and why. ``stuck``: it was to go, and could not be removed."""

    digest: str
    where: str
    size_bytes: int
    fate: Fate
    reason: str


@dataclass(frozen=True, slots=True)
class LeftoverFate:
    """What an upload left that was not finished, and whether it goes. ``size_bytes`` is None where the storage does not say it."""

    where: str
    size_bytes: int | None
    fate: Fate
    reason: str


@dataclass(frozen=True, slots=True)
class VersionFate:
    """One retired version, and whether its files are kept."""

    ref: str
    fate: Literal["kept", "dropped"]
    reason: str


@dataclass(frozen=True, slots=True)
class Collection:
    """What a collection did, or with ``dry_run`` would do: blob by blob, what uploads left, and the retired versions if asked for.

    ``unseen`` says what could not be looked at, and why; nothing of that was removed.
    """

    root: str
    dry_run: bool
    blobs: tuple[Kept, ...]
    leftovers: tuple[LeftoverFate, ...] = ()
    versions: tuple[VersionFate, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def dropped(self) -> tuple[Kept, ...]:
        return tuple(blob for blob in self.blobs if blob.fate == "dropped")

    @property
    def dropped_bytes(self) -> int:
        return sum(blob.size_bytes for blob in self.dropped)

    @property
    def stuck(self) -> tuple[Kept | LeftoverFate, ...]:
        """What was to go and is there still, or may be: the next collection tries again."""
        every: tuple[Kept | LeftoverFate, ...] = (*self.blobs, *self.leftovers)
        return tuple(one for one in every if one.fate == "stuck")

    @property
    def counts(self) -> Mapping[str, int]:
        """How many blobs by fate and reason, those of versions together."""
        return Counter(f"{blob.fate}: {_in_short(blob)}" for blob in self.blobs)


def _in_short(blob: Kept) -> str:
    if blob.fate == "stuck":
        return blob.reason.partition(": ")[0]
    what, of, _ = blob.reason.rpartition(" of ")
    return f"{what} of a version" if of else blob.reason
