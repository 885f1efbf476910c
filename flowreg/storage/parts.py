"""A file in numbered parts: hashed once from front to back, and each part proved again, in any order, when it is sent.

A sha256 can be stopped and gone on with. The first reading keeps its state at the start of every part, so that proving a part later
costs one hash of that part and nothing is hashed twice over; what is proved piece by piece is exactly what was hashed as a whole.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .hashing import CHUNK

PART_BYTES = 16 << 20
PARTS_LIMIT = 10_000  # of one multipart upload


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a file of ``size_bytes`` bytes. ``states[n]`` is the hash of everything before part ``n``; the last is of all."""

    size_bytes: int
    part_bytes: int
    states: Sequence[Any]

    @property
    def digest(self) -> str:
        return "sha256:" + str(self.states[-1].hexdigest())

    def __len__(self) -> int:
        return len(self.states) - 1

    def size_of(self, part: int) -> int:
        return min(self.part_bytes, self.size_bytes - part * self.part_bytes)

    def read(self, source: int, part: int) -> bytes | None:
        """The bytes of a part, counted from 0; None where they are not those that were hashed."""
        data = _read(source, part * self.part_bytes, self.size_of(part))
        state = self.states[part].copy()
        state.update(data)
        return data if state.digest() == self.states[part + 1].digest() else None


def part_bytes_for(size_bytes: int) -> int:
    """The size of the parts: a function of the file's size alone, so that whoever resumes cuts the file as it was cut before."""
    least = -(-size_bytes // PARTS_LIMIT)
    return max(PART_BYTES, -(-least // (1 << 20)) << 20)


def hash_in_parts(source: int) -> Parts:
    """Read all of descriptor ``source`` once."""
    part_bytes = part_bytes_for(os.fstat(source).st_size)
    digest, size, states, buffer = hashlib.sha256(), 0, [hashlib.sha256()], memoryview(bytearray(CHUNK))
    while count := os.preadv(source, [buffer[: min(CHUNK, part_bytes - size % part_bytes)]], size):
        digest.update(buffer[:count])
        size += count
        if size % part_bytes == 0:
            states.append(digest.copy())
    return Parts(size, part_bytes, states if size and size % part_bytes == 0 else [*states, digest])


def _read(source: int, offset: int, size: int) -> bytes:
    found = os.pread(source, size, offset)
    while len(found) < size and (more := os.pread(source, size - len(found), offset + len(found))):
        found += more
    return found
