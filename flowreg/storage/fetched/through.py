"""One file of an artifact: out of the cache, else from the store and into the cache.

Rule 1: whatever becomes of the cache, the file is brought; the digest that is returned is of what stands in ``into``.
Rule 2: a large file that another process brings is waited for while it grows, since it comes sooner so; then it is fetched without.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from ...core.manifest import File
from ...errors import Corrupt, FlowregError
from ..arriving import Arriving, DiskFailed
from ..hashing import Progress, Told
from ..incarnations import get_blob
from ..store import IN_MEMORY, Ranges, Store
from .cache import Cache
from .folder import NEW, Busy

PATIENCE_S = 30.0  # with a file that another brings and that does not grow
LOOK_EVERY_S = 0.05


def get_through(cache: Cache, store: Store, file: File, into: Path, progress: Progress) -> str | None:
    """Bring ``file`` to the new file ``into``. The digest of what is there now; None where the store has no such blob."""
    if cache.copy_out(file, into, progress):
        return file.digest
    if IN_MEMORY < file.size_bytes <= cache.limit_bytes and (ranges := store.ranges):
        return _in_turn(cache, store, ranges, file, into, progress)
    found = _directly(store, file, into, progress)
    if found == file.digest:
        cache.take_in(file, into)
    return found


def _directly(store: Store, file: File, into: Path, progress: Progress) -> str | None:
    return get_blob(store, file.digest, lambda path: store.get_file(path, into, size_bytes=file.size_bytes, progress=progress))


def _in_turn(cache: Cache, store: Store, ranges: Ranges, file: File, into: Path, progress: Progress) -> str | None:
    """By ourselves, or as soon as who is at it has brought it."""
    for _ in _while_it_grows(cache, file):
        if cache.copy_out(file, into, progress):
            return file.digest
        try:
            with cache.arriving(file) as arriving:
                if _bring(cache, store, ranges, file, arriving, into, progress):
                    return file.digest
                break
        except Busy:
            continue
        except FlowregError:
            raise
        except OSError:
            break
    return _directly(store, file, into, progress)


def _bring(cache: Cache, store: Store, ranges: Ranges, file: File, arriving: Arriving, into: Path, progress: Progress) -> bool:
    """Whether it came, whole and verified. If not, what is there of it is of no use: the store itself shall say why."""
    told = Told(progress)
    copy = os.open(into, NEW, 0o666)
    try:
        found = get_blob(store, file.digest, lambda path: ranges.get_in_ranges(path, arriving, copy=copy, progress=told.add))
    except (DiskFailed, Corrupt):
        found = None
    finally:
        os.close(copy)
    if found == file.digest:
        cache.arrived(file, arriving)
        return True
    cache.give_up(file, wrong=found is not None)
    told.take_back()
    into.unlink()
    return False


def _while_it_grows(cache: Cache, file: File) -> Iterator[None]:
    seen, since = -1, time.monotonic()
    while True:
        yield
        newest = cache.last_arrival(file)
        if newest != seen:
            seen, since = newest, time.monotonic()
        elif time.monotonic() - since > PATIENCE_S:
            return
        time.sleep(LOOK_EVERY_S)
