"""What interrupted uploads leave behind: temporary files, and on S3 uploads that were begun and not completed.

Rule 1: nothing refers to any of it, so only an age tells what is on the way from what is left. The moment is that of the server's
own listing (its clock, not ours, wrote it); where a listing has none, it is now, and the thing is never old.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ..core.layout import BLOBS, HEADS, checkpoint_folder, journal_folder
from .parallel import parallel_map
from .store import Store

_TEMPORARY = re.compile(r"\..{1,40}\.[0-9a-f]{16}\.tmp")  # of ``local`` and ``sftp``


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing that an upload left, relative to the root. ``remove`` takes it away, or raises an ``OSError``.

    ``size_bytes`` is None where nobody says it: the parts of an upload are not listed with it.
    """

    where: str
    what: str
    size_bytes: int | None
    begun_at: datetime
    remove: Callable[[], None]


def temporary_files(store: Store, models: Iterable[str]) -> Iterator[Leftover]:
    """Those in the folders of a registry with these models."""
    folders = ["blobs/incoming", HEADS, journal_folder(None)]
    folders += [f"{BLOBS}/{name[:-1]}" for name in store.names(BLOBS) if name.endswith("/")]
    folders += [folder for model in models for folder in (journal_folder(model), checkpoint_folder(model))]
    for folder, listed in zip(folders, parallel_map(store.sizes, folders, threads=8), strict=True):
        for name, size, changed_at in listed:
            if _TEMPORARY.fullmatch(name):
                path = f"{folder}/{name}"
                yield Leftover(path, "a temporary file", size, changed_at, partial(store.remove, path))


def uploads(store: Store) -> Iterator[Leftover]:
    """The uploads in parts. ``Unavailable`` where the storage may not, or cannot, list them."""
    for one in store.unfinished("blobs"):
        yield Leftover(f"{one.key}?uploadId={one.upload}", "an upload in parts", None, one.begun_at, partial(store.give_up, one))
