"""Blobs: an artifact's files stored under their digests, and brought back verified.

Rule 1: files first, then the manifest; the caller writes the journal entry after both. What is interrupted leaves blobs that
nothing refers to, never a version that lacks bytes.
Rule 2: no byte reaches anybody before its digest was checked; what fails the check is removed.
Rule 3: links, devices and pipes are refused on the way in; on the way out only paths of a checked manifest are made, inside a new
folder that gets its name when it is complete.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.codec import digest_of
from ..core.layout import blob_path
from ..core.manifest import (
    BYTES_LIMIT,
    FILE_LIMIT,
    File,
    Manifest,
    decode_manifest,
    encode_manifest,
    manifest_of,
    refuse_collisions,
    safe_path,
)
from ..errors import BadInput, Corrupt, Refused
from .hashing import Progress, no_progress
from .incarnations import FIRST, Place, get_blob, read_blob
from .parallel import parallel_map
from .source_files import file_changed, read_all, regular_file
from .store import IN_MEMORY, Store

if TYPE_CHECKING:
    from .fetched import Cache


def put(store: Store, data: bytes, place: Place = FIRST) -> str:
    """Store these bytes under their digest, if absent; the digest."""
    digest = digest_of(data)
    store.put_bytes(place(digest), data)
    place.stored(digest, lambda: store.put_bytes(place(digest), data))
    return digest


def put_file(store: Store, path: Path, place: Place = FIRST) -> str:
    """Store one file under its digest, if absent; the digest."""
    digest = store.put_file(path, place)[1]
    place.stored(digest, lambda: _put_again(store, path, digest, place))
    return digest


def _put_again(store: Store, path: Path, digest: str, place: Place) -> None:
    if store.put_file(path, place)[1] != digest:
        raise file_changed(path)


def put_artifact(store: Store, path: Path, *, loader: str, progress: Progress = no_progress, place: Place = FIRST) -> tuple[Manifest, str]:
    """Store a file, or a folder with all its files, and the manifest; the manifest and its digest."""
    listed = list(_walk(path))
    refuse_collisions([name for name, _ in listed])  # before a byte is written
    if len(listed) == 1 and os.lstat(listed[0][1]).st_size <= IN_MEMORY:
        with regular_file(listed[0][1]) as fd:
            data = read_all(fd)
        progress(len(data))
        return _put_small_artifact(store, listed[0][0], data, loader=loader, place=place)

    stored = store.put_files([path for _, path in listed], place, progress)
    for (_, file), (_, digest) in zip(listed, stored, strict=True):
        place.stored(digest, partial(_put_again, store, file, digest, place))
    manifest = manifest_of([File(name, *found) for (name, _), found in zip(listed, stored, strict=True)], loader=loader)
    return manifest, put(store, encode_manifest(manifest), place)


def _put_small_artifact(store: Store, name: str, data: bytes, *, loader: str, place: Place) -> tuple[Manifest, str]:
    """One file in memory: its manifest is known before anything is sent, so both go at once."""
    manifest = manifest_of([File(safe_path(name), len(data), digest_of(data))], loader=loader)
    digest, _ = parallel_map(lambda content: put(store, content, place), [encode_manifest(manifest), data], threads=2)
    return manifest, digest


def get(store: Store, digest: str, *, what: str) -> bytes:
    """The bytes with this digest. ``Corrupt`` where they are gone or not these."""
    data = read_blob(store, digest)
    _verify(None if data is None else digest_of(data), digest, what, store)
    return data or b""


@contextlib.contextmanager
def as_file(store: Store, digest: str, *, what: str) -> Iterator[Path]:
    """The blob as a file of its own, verified, as long as the block lasts: for what may be larger than ``READ_LIMIT``."""
    with tempfile.TemporaryDirectory(prefix="flowreg-blob-") as folder:
        into = Path(folder, "blob")
        _verify(get_blob(store, digest, lambda path: store.get_file(path, into)), digest, what, store)
        yield into


def get_manifest(store: Store, digest: str, *, what: str, cache: Cache | None = None) -> Manifest:
    data = cache.read(digest, limit_bytes=BYTES_LIMIT) if cache else None
    if data is None:
        data = get(store, digest, what=f"the manifest of {what}")
        if cache:
            cache.keep(data)
    return decode_manifest(data, where=what)


def get_artifact(
    store: Store, manifest: Manifest, into: Path, *, what: str, progress: Progress = no_progress, cache: Cache | None = None
) -> Path:
    """Bring the files of ``manifest`` into the new folder ``into``, each verified before the folder gets its name.

    With a ``cache``, what it has is copied out of it, and what comes from the store is kept in it.
    """
    _refuse_existing(into)
    into.parent.mkdir(parents=True, exist_ok=True)
    private = into.parent / f".{into.name[:60]}.{os.urandom(6).hex()}.partial"
    private.mkdir(mode=0o700)
    partial = private / "files"
    try:
        partial.mkdir()
        for folder in sorted({str(Path(f.path).parent) for f in manifest.files}):
            (partial / folder).mkdir(parents=True, exist_ok=True)

        room = cache.with_room_for(manifest.files) if cache else None

        def one(file: File) -> None:
            found = _get_file(store, file, partial / file.path, progress, room)
            _verify(found, file.digest, f"{file.path} of {what}", store)

        parallel_map(one, manifest.files, threads=store.concurrent_files)
        if into.exists():
            into.rmdir()
        partial.rename(into)
    finally:
        shutil.rmtree(private, ignore_errors=True)
    return into


def _get_file(store: Store, file: File, into: Path, progress: Progress, cache: Cache | None) -> str | None:
    if cache:
        from .fetched.through import get_through  # what is near does without

        return get_through(cache, store, file, into, progress)
    return get_blob(store, file.digest, lambda path: store.get_file(path, into, size_bytes=file.size_bytes, progress=progress))


def verify_artifact(store: Store, digest: str, *, what: str) -> None:
    """Read every byte of the artifact whose manifest has this digest; ``Corrupt`` where one is not what was registered."""
    with tempfile.TemporaryDirectory(prefix="flowreg-verify-") as folder:
        get_artifact(store, get_manifest(store, digest, what=what), Path(folder, "files"), what=what)


def _verify(found: str | None, expected: str, what: str, store: Store) -> None:
    if found == expected:
        return
    where = f"{store.root}/{blob_path(expected)}"
    if found is None:
        raise Corrupt(f"the bytes of {what} are gone", where=where, do="restore the file, then run flowreg check", code="missing-blob")
    raise Corrupt(
        f"sha256 of {what} is {found[7:19]}…, the record says {expected[7:19]}…",
        where=f"{where} was changed after registration; nothing was loaded",
        do="restore the file from a backup or the bucket's versions, then run flowreg check",
        code="changed-blob",
    )


def _walk(path: Path) -> Iterator[tuple[str, Path]]:
    """Relative path and place of every file below ``path``, or of ``path`` itself."""
    if not path.is_dir() or path.is_symlink():
        yield safe_path(path.name), path
        return
    count = 0
    for folder, folders, names in os.walk(path, followlinks=False, onerror=_unreadable):
        for name in (*folders, *names):
            mode = os.lstat(os.path.join(folder, name)).st_mode
            if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
                kind = "a link" if stat.S_ISLNK(mode) else "not a regular file"
                raise BadInput(
                    f"{os.path.join(folder, name)!r} is {kind}",
                    where="nothing was registered",
                    do="replace it by the file it stands for, or leave it out",
                    code="not-a-file",
                )
        for name in names:
            count += 1
            if count > FILE_LIMIT:
                raise BadInput(f"{str(path)!r} has more than {FILE_LIMIT} files", do="pack small files together", code="too-many-files")
            place = Path(folder, name)
            yield safe_path(place.relative_to(path).as_posix()), place


def _unreadable(error: OSError) -> None:
    raise BadInput(f"cannot read {error.filename!r}: {error.strerror}", where="nothing was registered", code="unreadable") from error


def _refuse_existing(into: Path) -> None:
    if into.is_symlink() or (into.exists() and (not into.is_dir() or any(into.iterdir()))):
        raise Refused(f"{str(into)!r} exists already", where="nothing was fetched", do="name a new or empty folder", code="exists")
