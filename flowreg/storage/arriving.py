"""A large file on its way in: in ranges, many at once, each from its start; and where it was when an earlier attempt stopped.

Rule 1: a recorded file has, behind its bytes, a number for each range: how many bytes of it are in. The number is written after the
bytes that it counts, so whoever goes on after a kill finds no more promised than there is.
Rule 2: nothing is believed of a record. A file that was gone on with is verified whole, like any other.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

RANGE_BYTES = 16 << 20
_NUMBER = 4  # bytes of each number of the record


class DiskFailed(Exception):
    """The disk did not take the bytes; its own error is the cause. Asking the network again would not help."""


@dataclass(frozen=True, slots=True)
class Arriving:
    """A file of ``size_bytes`` bytes that comes into descriptor ``target``; with ``recorded``, another process can go on with it."""

    target: int
    size_bytes: int
    recorded: bool = False

    def __len__(self) -> int:
        return -(-self.size_bytes // RANGE_BYTES)

    def span(self, number: int) -> tuple[int, int]:
        """First byte of a range, and the one after its last."""
        return number * RANGE_BYTES, min((number + 1) * RANGE_BYTES, self.size_bytes)

    def begin(self) -> None:
        """Have room for the record. A file that is not of our making starts from nothing."""
        whole = self.size_bytes + _NUMBER * len(self)
        if self.recorded and os.fstat(self.target).st_size != whole:
            os.ftruncate(self.target, 0)
            os.ftruncate(self.target, whole)

    def so_far(self, number: int) -> int:
        """The bytes of a range that are in, from its start."""
        if not self.recorded:
            return 0
        start, stop = self.span(number)
        found = int.from_bytes(os.pread(self.target, _NUMBER, self.size_bytes + _NUMBER * number), "little")
        return found if found <= stop - start else 0

    def take(self, number: int, at: int, piece: bytes) -> None:
        """Write ``piece`` at offset ``at``, right behind what is in of its range."""
        try:
            _write(self.target, piece, at)
            if self.recorded:
                count = at + len(piece) - self.span(number)[0]
                _write(self.target, count.to_bytes(_NUMBER, "little"), self.size_bytes + _NUMBER * number)
        except OSError as error:
            raise DiskFailed from error

    def end(self) -> None:
        """All is in: what is left is the bytes alone."""
        if self.recorded:
            os.ftruncate(self.target, self.size_bytes)


def _write(target: int, piece: bytes, at: int) -> None:
    view = memoryview(piece)
    while view:
        count = os.pwrite(target, view, at)
        view, at = view[count:], at + count
