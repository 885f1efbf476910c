"""An artifact on its way in and out: a path or an object becomes files, files become an object again.

Rule 1: a format writes into a private folder that goes away; what is stored is what stood in it.
Rule 2: bytes are verified before a loader sees them, and the loader sees the verified copy, never the store or the cache.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core.names import shown
from .errors import BadInput, FlowregError
from .formats.choose import loader_for_path, loader_named, saver_for
from .formats.refusals import UNNAMED, refuse_plain_files, refuse_untrusted
from .storage import blobs
from .storage.hashing import Progress, no_progress
from .storage.store import Store

if TYPE_CHECKING:
    from .storage.fetched import Cache


@contextlib.contextmanager
def as_files(artifact: Any, *, trust: str | None, loader: str | None) -> Iterator[tuple[Path, str]]:
    """The path of an artifact's files, and the name of the format that can load them."""
    if isinstance(artifact, str | os.PathLike):
        path = Path(artifact)
        _require_path(path, given=os.fspath(artifact))
        yield path, loader_named(loader).name if loader else loader_for_path(path, trust=trust)
        return
    saver = saver_for(artifact, trust=trust, loader=loader)
    with tempfile.TemporaryDirectory(prefix="flowreg-save-") as folder:
        saver.save(artifact, Path(folder))
        written = list(Path(folder).iterdir())
        yield written[0] if len(written) == 1 and written[0].is_file() else Path(folder), saver.name


def load_artifact(store: Store, digest: str, *, ref: str, trust: bool, author: str = "") -> Any:
    """The object whose manifest has this digest. ``Corrupt`` before any loader runs where a byte is not what was registered."""
    cache = cache_for(store)
    manifest = blobs.get_manifest(store, digest, what=ref, cache=cache)
    found = loader_named(manifest.loader)
    if manifest.loader == "files":
        raise refuse_plain_files(ref)
    if found.executes_code and not trust:
        raise refuse_untrusted(ref, found.name, author)
    with tempfile.TemporaryDirectory(prefix="flowreg-load-") as folder:
        files = blobs.get_artifact(store, manifest, Path(folder, "files"), what=ref, cache=cache)
        try:
            return found.load(files, trust=trust)
        except FlowregError as error:
            raise _named(error, ref) from error.__cause__


def fetch_artifact(store: Store, digest: str, into: Path, *, ref: str, progress: Progress = no_progress) -> Path:
    """The files of the artifact whose manifest has this digest, in the new folder ``into``, every byte verified; the folder."""
    cache = cache_for(store)
    manifest = blobs.get_manifest(store, digest, what=ref, cache=cache)
    return blobs.get_artifact(store, manifest, into, what=ref, progress=progress, cache=cache)


def cache_for(store: Store) -> Cache | None:
    """The local cache, for what comes from afar: a root on this disk, or in memory, is read as it is."""
    if not store.is_far:
        return None
    from .storage.fetched import cache_here

    return cache_here()


def _require_path(path: Path, *, given: str) -> None:
    if not given or not os.path.lexists(path):  # False also where the text cannot be a path at all
        raise BadInput(
            f"there is no file or folder {shown(given)}",
            where="nothing was registered",
            do="check the path; an object such as a fitted model is passed as it is",
            code="no-file",
        )


def _named(error: FlowregError, ref: str) -> FlowregError:
    """The same error with the reference in it, which a format does not know."""
    what = error.what.replace(UNNAMED, ref)
    return type(error)(what if ref in what else f"{ref}: {what}", where=error.where, do=error.do, code=error.code, **error.facts)
