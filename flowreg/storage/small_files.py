"""Many small files to an object store: coroutines on the filesystem's own loop. A thread for each file in flight spends more time on
changing hands than on sending.

Rule 1: only the plain case is dealt with here: a file that was not there, and was taken in. Whatever goes another way ends the rest of
it; the files that are left are put one by one, which finds out why.
Rule 2: what is in memory at once is at most ``AT_ONCE`` files of ``SMALL_BYTES``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from ..core.codec import digest_of
from .hashing import Progress
from .source_files import read_all, regular_file

AT_ONCE = 32
SMALL_BYTES = 1 << 20

Create = Callable[[str, bytes], Awaitable[object]]  # of a path; raises where it is taken
Stored = tuple[int, str]  # size in bytes and digest


def put_small_files(
    loop: asyncio.AbstractEventLoop, create: Create, sources: Sequence[Path], place: Callable[[str], str], progress: Progress
) -> list[Stored | None]:
    """Put each file under ``place(its digest)``; None for those that are left, the large ones among them."""
    from fsspec.asyn import sync

    stored: list[Stored | None] = [None] * len(sources)
    begun: set[str] = set()  # equal files are one blob, and the second is left for when it is there

    async def put_in_turn(numbers: Iterator[int]) -> None:
        for number in numbers:
            data = _small(sources[number])
            if data is None:
                continue
            digest = digest_of(data)
            if digest in begun:
                continue
            begun.add(digest)
            await create(place(digest), data)
            stored[number] = len(data), digest
            progress(len(data))

    async def put_all() -> None:
        numbers = iter(range(len(sources)))
        turns = [asyncio.ensure_future(put_in_turn(numbers)) for _ in range(AT_ONCE)]
        try:
            await asyncio.wait(turns, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for _ in numbers:
                pass  # nobody takes another one
            await asyncio.gather(*turns, return_exceptions=True)

    sync(loop, put_all)
    return stored


def _small(source: Path) -> bytes | None:
    with regular_file(source) as fd:
        return read_all(fd) if os.fstat(fd).st_size <= SMALL_BYTES else None
