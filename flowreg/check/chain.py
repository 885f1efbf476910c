"""Which entry of a journal was changed: each names the digest of the one before, and heads and checkpoints remember some. Pure.

Rule 1: one changed file is one finding. An entry that its successor, a head or a checkpoint vouches for is not blamed for what its
neighbour says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..core.codec import Entry, Slot, Void


@dataclass(frozen=True, slots=True)
class Claim:
    """Some other file remembers that entry ``seq`` had this digest."""

    seq: int
    digest: str
    where: str
    who: str


@dataclass(frozen=True, slots=True)
class Chain:
    """``blamed`` has the changed entries with the reason; ``doubtful`` those where it may be this one or the one before;
    ``liars`` are claims that the chain itself refutes; ``lost`` are claims of entries that are not there."""

    blamed: Mapping[int, str]
    doubtful: Mapping[int, str]
    liars: tuple[Claim, ...]
    lost: tuple[Claim, ...]

    @property
    def first_wrong(self) -> int | None:
        """The number from which on the journal is not believed."""
        return min([*self.blamed, *(seq - 1 for seq in self.doubtful)], default=None)


def examined(run: Sequence[Slot], claims: Iterable[Claim]) -> Chain:
    """Compare a journal with itself and with what is remembered of it."""
    claims = list(claims)
    here = [claim for claim in claims if claim.seq <= len(run)]
    known = {claim.seq for claim in here if run[claim.seq - 1].digest == claim.digest}
    known |= {seq for seq in range(1, len(run)) if _follows(run, seq + 1)}
    liars = tuple(claim for claim in here if claim.seq in known and run[claim.seq - 1].digest != claim.digest)
    blamed = {
        c.seq: f"{c.who} remembers {c.digest}, and its digest is {run[c.seq - 1].digest}" for c in reversed(here) if c.seq not in known
    }
    doubtful: dict[int, str] = {}
    for seq in (slot.seq for slot in run if isinstance(slot, Entry) and not _follows(run, slot.seq)):
        _blame(run, seq, known, blamed, doubtful)
    return Chain(blamed, doubtful, liars, tuple(claim for claim in claims if claim.seq > len(run)))


def _follows(run: Sequence[Slot], seq: int) -> bool:
    """Whether entry ``seq`` is one, and names the digest of the file before."""
    slot = run[seq - 1]
    return isinstance(slot, Entry) and slot.said.parent == (run[seq - 2].digest if seq > 1 else None)


def _blame(run: Sequence[Slot], seq: int, known: set[int], blamed: dict[int, str], doubtful: dict[int, str]) -> None:
    """Entry ``seq`` contradicts the file before: which of the two was changed?"""
    if seq in blamed or seq - 1 in blamed:
        return  # that explains it
    follower = run[seq] if seq < len(run) else None
    contradicted = isinstance(follower, Entry) and seq not in known
    if seq == 1:
        blamed[seq] = "it is the first, and names one before it"
    elif contradicted or (seq - 1 in known and seq not in known):
        blamed[seq] = f"it does not follow entry {seq - 1}"
    elif seq - 1 not in known and (seq in known or isinstance(run[seq - 2], Void)):
        blamed[seq - 1] = f"entry {seq} was written after another entry {seq - 1}"
    else:
        doubtful[seq] = f"it does not follow entry {seq - 1}: one of the two was changed"
