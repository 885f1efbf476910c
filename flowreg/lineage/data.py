"""What data was: its digest over the whole content, how many rows, which columns. ``flowreg.dataset(...)``.

Rule 1: never a prefix, never a sample. What is too large to be read whole has no digest, and a warning says so.
Rule 2: a frame is not copied as a whole: its columns are hashed one after the other.
Rule 3: nothing of a URL but its place is kept: no user, no query that signs.
Rule 4: only ``dataset`` reaches out to another machine, since somebody asked for it; a registration does not.
"""

from __future__ import annotations

import hashlib
import math
import os
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..core.events import Dataset
from ..core.framed import columns_of, digest_of_frame
from ..core.frames import is_frame
from ..core.names import shown
from ..errors import BadInput
from .attempts import Attempts
from .masking import public_url

SIZE_LIMIT = 2 << 30  # bytes of a file that is hashed without being asked to
BUDGET_S = 60.0  # for all data of one registration
FILES_LIMIT = 10_000  # of a folder that is read without being asked to
FOLDER_PREFIX = "files-sha256:v1:"
_CHUNK = 1 << 20


def dataset(
    source: Any,
    *,
    name: str | None = None,
    role: str | None = None,
    uri: str | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> Dataset:
    """A ``Dataset`` of a file, a folder or a frame (pandas, polars, pyarrow, numpy, columns by name), by the digest of all of it.

    A file may lie on any filesystem of fsspec (``s3://…``; ``storage_options`` go to it), and be of any size: it is read to its end.
    ``name`` is what gates and people call it, ``role`` what it was used for ("train", "holdout"); ``uri`` says where a frame came from.
    The same values in the same columns have the same digest in every kind of frame. Of a Parquet file on this machine the rows and columns
    are told as well. ``BadInput`` for what is none of these, or cannot be read.

    >>> dataset({"age": [31, 44]}, name="people").rows
    2
    """
    if isinstance(source, str | os.PathLike):
        text, path = os.fspath(source), local_path(source)
        said = Dataset(public_url(uri or text), name=name, role=role)
        try:
            return _of_path(path, said, Bounds()) if path is not None else _of_url(text, said, storage_options or {})
        except Exception as error:  # each filesystem has its own
            why = getattr(error, "strerror", None) or type(error).__name__
            raise BadInput(
                f"the data {shown(public_url(text))} cannot be read: {why}", code="bad-data",
                do="give a file, a folder of files, or the frame that was read from it with uri=…",
            ) from None  # fmt: skip
    if not is_frame(source) and not _is_lists(source):
        raise BadInput(f"a {type(source).__name__} is no dataset", do="give a path, or a frame", code="bad-data")
    return _of_frame(source, Dataset(None if uri is None else public_url(uri), name=name, role=role))


def described(given: Any, attempts: Attempts) -> Any:
    """What is handed to ``data=``: paths and frames as datasets with digests, local files that have none yet with one.

    What cannot be told costs a warning, never the registration. What is neither is left to the check of what is given.
    """
    if isinstance(given, Dataset | str | os.PathLike) or is_frame(given):
        given = [given]
    return [_described(each, attempts) for each in given] if isinstance(given, list | tuple) else given


def local_path(source: str | os.PathLike[str]) -> Path | None:
    """The path of a file on this machine, also as ``file://``; None for any other URL."""
    text = os.fspath(source)
    if "::" in text:
        return None
    if "://" in text:
        try:
            parts = urlsplit(text)
        except ValueError:
            return None  # brackets that hold no address
        return Path(unquote(parts.path)) if parts.scheme in ("file", "local") and parts.netloc in ("", "localhost") else None
    return Path(text).expanduser()


def _described(given: Any, attempts: Attempts) -> Any:
    if isinstance(given, os.PathLike):
        given = os.fspath(given)
    if isinstance(given, str):
        given = Dataset(given)
    if isinstance(given, Dataset):
        if given.uri is None:
            return given
        path, said = local_path(given.uri), given.model_copy(update={"uri": public_url(given.uri)})
        if given.digest is None and path is not None:
            return _described_file(path, said, attempts)
        if given.digest is None:  # to reach out, with which credentials, and for how long, is not for a registration to decide
            attempts.warn(f"data {said.uri}", "no digest, since it is not on this machine; give flowreg.dataset(…), which reads it")
        return said
    if is_frame(given):
        return attempts.get("data", lambda: _of_frame(given, Dataset())) or Dataset(name=type(given).__name__)
    return given


def _described_file(path: Path, said: Dataset, attempts: Attempts) -> Dataset:
    called = f"data {said.uri}"
    try:
        found = _of_path(path, said, Bounds(SIZE_LIMIT, attempts.ends_at))
    except OSError as error:
        attempts.warn(called, f"could not be read ({type(error).__name__}), so there is no digest of it")
        return said
    if found.digest is None:
        attempts.warn(
            called, f"no digest: larger than {SIZE_LIMIT >> 30} GiB, no regular file, or it took too long; give flowreg.dataset(…)"
        )
    return found


@dataclass(slots=True)
class Bounds:
    """How many bytes may be read, until which moment of the monotonic clock. By default all of them, however long it takes."""

    left: int = sys.maxsize
    ends_at: float = math.inf

    @property
    def kept(self) -> bool:
        return self.left >= 0 and time.monotonic() <= self.ends_at


def _of_path(path: Path, said: Dataset, bounds: Bounds) -> Dataset:
    """With size and digest; without a digest where there is more than ``bounds`` allow."""
    if path.is_dir():
        return _of_folder(path, said, bounds)
    size, digest = _of_file(path, bounds)
    learnt: dict[str, Any] = {"size_bytes": size}
    if digest is not None:
        learnt |= {"digest": digest, **_of_parquet(path, said)}
    return said.model_copy(update={name: value for name, value in learnt.items() if value is not None})


def _of_folder(folder: Path, said: Dataset, bounds: Bounds) -> Dataset:
    """A folder of files is one dataset: its digest is that of the lines ``sha256:… path``, sorted by path, of all files in it.

    Hidden files and what begins with ``_`` (``_SUCCESS``, ``.crc``) are no data, as for every engine that reads such folders.
    """
    lines: list[str] = []
    size = 0
    for path in sorted(_files_of(folder), key=lambda path: path.relative_to(folder).as_posix()):
        if len(lines) >= FILES_LIMIT and bounds.ends_at != math.inf:
            return said
        found, digest = _of_file(path, bounds)
        if digest is None:
            return said
        lines.append(f"{digest} {path.relative_to(folder).as_posix()}\n")
        size += found or 0
    if not lines:
        raise FileNotFoundError(2, "there is no file in it")
    whole = hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    return said.model_copy(update={"digest": f"{FOLDER_PREFIX}{whole}", "size_bytes": size})


def _files_of(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):  # links to folders are not followed
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        yield from (Path(here, name) for name in names if not name.startswith((".", "_")))


def _of_file(path: Path, bounds: Bounds) -> tuple[int | None, str | None]:
    """The size and the digest of a file; no digest where it is more than ``bounds`` allow, neither for what is no regular file."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb", buffering=0) as file:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            if bounds.ends_at == math.inf:
                raise OSError(22, "it is no regular file")
            return None, None
        bounds.left -= seen.st_size
        digest = _digest_of(file, bounds)
        if _moved(seen, os.fstat(descriptor)):
            raise BlockingIOError(11, "it changed while it was read")
    return seen.st_size, digest


def _digest_of(file: Any, bounds: Bounds) -> str | None:
    digest = hashlib.sha256()
    while bounds.kept:
        if not (chunk := file.read(_CHUNK)):
            return f"sha256:{digest.hexdigest()}"
        digest.update(chunk)
    return None


def _of_url(url: str, said: Dataset, options: Mapping[str, Any]) -> Dataset:
    """A file on another machine, read as a stream. Its digest is that of its bytes, so it is the same wherever they lie."""
    from ..storage.opening import open_filesystem
    from ..storage.roots import parse_root

    files, path, _ = open_filesystem(parse_root(url), options)
    size = files.info(path).get("size")
    with files.open(path, "rb") as file:
        digest = _digest_of(file, Bounds())
    return said.model_copy(update={"digest": digest, **({"size_bytes": size} if isinstance(size, int) else {})})


def _moved(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)


def _of_parquet(path: Path, said: Dataset) -> dict[str, Any]:
    """Rows and columns out of the end of a Parquet file, where pyarrow is imported already: whoever reads Parquet has it."""
    if path.suffix not in (".parquet", ".pq") or "pyarrow" not in sys.modules:
        return {}
    try:
        from pyarrow import parquet

        told = parquet.ParquetFile(path)
        columns = columns_of({field.name: field for field in told.schema_arrow})
        return {"rows": said.rows if said.rows is not None else told.metadata.num_rows, "columns": said.columns or columns}
    except Exception:
        return {}  # what calls itself Parquet need not be it


def _of_frame(frame: Any, said: Dataset) -> Dataset:
    digest, rows, columns = digest_of_frame(frame)
    return said.model_copy(update={"digest": digest, "rows": rows, "columns": columns})


def _is_lists(source: Any) -> bool:
    return isinstance(source, Mapping) and bool(source) and all(isinstance(column, list | tuple) for column in source.values())
