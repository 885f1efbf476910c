"""A file in numbered parts: read once from front to back, and hashed as a whole and part by part from the same bytes.

So whoever takes in a part, in any order, can be held to the very bytes that the digest of the whole was made of, and nothing is
hashed again when it is sent.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future

PART_BYTES = 16 << 20
PARTS_LIMIT = 10_000  # of one multipart upload
STEP = 1 << 20  # bytes that the two hashes are given at a time; every part but the last is a multiple of it


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a file of ``size_bytes`` bytes, counted from 0. ``digest`` is of all of it, ``checksums`` the sha256 of each."""

    size_bytes: int
    part_bytes: int
    digest: str
    checksums: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.checksums)

    def size_of(self, part: int) -> int:
        return min(self.part_bytes, self.size_bytes - part * self.part_bytes)

    def read(self, source: int, part: int) -> bytes:
        """The bytes of a part as they are now."""
        return _read(source, part * self.part_bytes, self.size_of(part))

    def has(self, part: int, data: bytes) -> bool:
        """Whether these are the bytes that were hashed."""
        return hashlib.sha256(data).digest() == self.checksums[part]


def part_bytes_for(size_bytes: int) -> int:
    """The size of the parts: a function of the file's size alone, so that whoever resumes cuts the file as it was cut before."""
    least = -(-size_bytes // PARTS_LIMIT)
    return max(PART_BYTES, -(-least // STEP) * STEP)


def hash_in_parts(source: int) -> Parts:
    """Read all of descriptor ``source`` once: one thread hashes the whole, another the parts."""
    from concurrent.futures import ThreadPoolExecutor  # a root on this disk does without

    part_bytes = part_bytes_for(os.fstat(source).st_size)
    whole, part, size, checksums = hashlib.sha256(), hashlib.sha256(), 0, list[bytes]()
    reading, hashed = memoryview(bytearray(STEP)), memoryview(bytearray(STEP))
    pending: Future[None] | None = None
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="flowreg-hash") as beside:
        while count := os.preadv(source, [reading[: STEP - size % STEP]], size):
            if pending:
                pending.result()
            if size and size % part_bytes == 0:
                checksums.append(part.digest())
                part = hashlib.sha256()
            pending = beside.submit(part.update, reading[:count])
            whole.update(reading[:count])
            size += count
            reading, hashed = hashed, reading
    return Parts(size, part_bytes, "sha256:" + whole.hexdigest(), [*checksums, part.digest()])


def _read(source: int, offset: int, size: int) -> bytes:
    found = os.pread(source, size, offset)
    while len(found) < size and (more := os.pread(source, size - len(found), offset + len(found))):
        found += more
    return found
