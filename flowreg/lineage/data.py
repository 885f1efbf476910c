"""What data was: its digest over the whole content, how many rows, which columns. ``flowreg.dataset(...)``.

Rule 1: never a prefix, never a sample. What is too large to be read whole has no digest, and a warning says so.
Rule 2: a frame is not copied as a whole: its columns are hashed one after the other.
Rule 3: nothing of a URL but its place is kept: no user, no query.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..core.events import Dataset
from ..core.frames import is_frame
from ..core.names import shown
from ..errors import BadInput
from .attempts import Attempts
from .framed import columns_of, digest_of_frame
from .masking import public_url, without_credentials

SIZE_LIMIT = 2 << 30  # bytes of a file that is hashed without being asked to
BUDGET_S = 60.0  # for all data of one registration
_CHUNK = 1 << 20


def dataset(source: Any, *, name: str | None = None, role: str | None = None, uri: str | None = None) -> Dataset:
    """A ``Dataset`` of a local file, or of a frame (pandas, polars, pyarrow, numpy, columns by name), with the digest of its whole content.

    ``name`` is what gates and people call it, ``role`` what it was used for ("train", "holdout"); ``uri`` says where a frame came
    from. The same values in the same columns have the same digest in every kind of frame. Of a Parquet file the rows and columns are told
    as well. A file of any size is read to its end. ``BadInput`` for what is neither, or a file that cannot be read.

    >>> dataset({"age": [31, 44]}, name="people").rows
    2
    """
    if isinstance(source, str | os.PathLike):
        path = local_path(source)
        if path is None:
            raise BadInput(
                f"{shown(without_credentials(os.fspath(source)))} is not on this machine", code="bad-data",
                do="give the frame that was read from it, with uri=…; or Dataset(uri, digest=…)",
            )  # fmt: skip
        try:
            return _of_file(path, _public(Dataset(uri or os.fspath(source), name=name, role=role)), limit=sys.maxsize, ends_at=None)
        except OSError as error:
            raise BadInput(
                f"the data {shown(os.fspath(source))} cannot be read: {error.strerror}", do="give a file", code="bad-data"
            ) from None
    if not is_frame(source) and not _is_lists(source):
        raise BadInput(f"a {type(source).__name__} is no dataset", do="give a path, or a frame", code="bad-data")
    return _of_frame(source, _public(Dataset(uri, name=name, role=role)))


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
        given = _public(given)
        path = local_path(given.uri) if given.uri is not None and given.digest is None else None
        return given if path is None else _described_file(path, given, attempts)
    if is_frame(given):
        return attempts.get("data", lambda: _of_frame(given, Dataset())) or Dataset(name=type(given).__name__)
    return given


def _public(said: Dataset) -> Dataset:
    uri = said.uri if isinstance(said.uri, str) else None
    return said.model_copy(update={"uri": public_url(uri)}) if uri and "://" in uri and uri != public_url(uri) else said


def _described_file(path: Path, said: Dataset, attempts: Attempts) -> Dataset:
    called = f"data {without_credentials(said.uri or '')}" if "://" in (said.uri or "") else f"data {said.uri}"
    try:
        found = _of_file(path, said, limit=SIZE_LIMIT, ends_at=attempts.ends_at)
    except OSError as error:
        attempts.warn(called, f"could not be read ({type(error).__name__}), so there is no digest of it")
        return said
    if found.digest is None:
        attempts.warn(
            called, f"no digest: larger than {SIZE_LIMIT >> 30} GiB, no regular file, or it took too long; give flowreg.dataset(…)"
        )
    return found


def _of_file(path: Path, said: Dataset, *, limit: int, ends_at: float | None) -> Dataset:
    """With size and digest; without a digest where the file is larger than ``limit``, or was not read to its end in time."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb", buffering=0) as file:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            if ends_at is None:
                raise IsADirectoryError(21, "it is no regular file")
            return said
        found = said.model_copy(update={"size_bytes": seen.st_size})
        if seen.st_size > limit:
            return found
        digest = hashlib.sha256()
        while chunk := file.read(_CHUNK):
            if ends_at is not None and time.monotonic() > ends_at:
                return found
            digest.update(chunk)
        if _moved(seen, os.fstat(descriptor)):
            raise BlockingIOError(11, "it changed while it was read")
    learnt: dict[str, Any] = {"digest": f"sha256:{digest.hexdigest()}", **_of_parquet(path, said)}
    return found.model_copy(update=learnt)


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
