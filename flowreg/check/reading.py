"""How many of the needed blobs are read whole: none, all, or a sample drawn by a seed, so that it can be drawn again. Pure."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from ..core.names import shown
from ..errors import BadInput

Watching = Callable[[int], AbstractContextManager[Callable[[int], None]]]  # told all bytes; gives what is told of each blob that was read


@dataclass(frozen=True, slots=True)
class Reading:
    """``share`` of the blobs (rounded up), and at most ``count`` of them; which, is decided by ``seed``."""

    share: float = 1.0
    count: int | None = None
    seed: str = ""

    def drawn(self, digests: Sequence[str]) -> frozenset[str]:
        """The blobs to be read. Another seed draws others; the same one draws the same, as far as they are still there."""
        many = math.ceil(round(self.share * len(digests), 6))
        many = many if self.count is None else min(many, self.count)
        by_chance = sorted(digests, key=lambda digest: hashlib.sha256(f"{self.seed} {digest}".encode()).digest())
        return frozenset(by_chance[:many])


NOTHING, EVERYTHING = Reading(count=0), Reading()


def sample(text: str, *, seed: str) -> Reading:
    """``10%`` of the blobs, or a number of them."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(%?)", text.strip(), re.ASCII)
    number = float(match[1]) if match else 0.0
    if match and match[2] and 0 < number <= 100:
        return Reading(share=number / 100, seed=seed)
    if match and not match[2] and number >= 1 and number.is_integer():
        return Reading(count=int(number), seed=seed)
    raise BadInput(f"{shown(text)} is no sample", where="nothing was checked", do="write 10% or a number of blobs: 500", code="bad-sample")


@contextmanager
def unwatched(_total_bytes: int) -> Iterator[Callable[[int], None]]:
    """Nobody watches."""
    yield lambda _: None
