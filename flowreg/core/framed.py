"""The digest of a frame: over the names, types and values of all its columns, the same whichever library holds them.

``frame-sha256:v1:<hex>``; FORMAT.md 7.8 has the bytes. numpy is imported when it is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from .frames import is_null, listed, named_columns, type_of_dtype, type_of_values
from .signature import FLOATS, INTEGERS

PREFIX = "frame-sha256:v1:"
COLUMNS_LIMIT = 200  # columns whose types are told
_TOGETHER = 4096  # texts that are hashed at once


def digest_of_frame(frame: Any) -> tuple[str, int, dict[str, str]]:
    """The digest, the number of rows, and the type by the name of each column."""
    digest, rows, types = hashlib.sha256(), 0, {}
    for name, column in named_columns(frame):
        type_ = type_of_values(column) if isinstance(column, list | tuple) else type_of_dtype(column)
        rows = len(column)
        types[name] = type_
        digest.update(f"{len(name.encode())}:{name}:{type_}:{rows}\n".encode())
        for raw in _raw(column, type_):
            digest.update(raw)
    return f"{PREFIX}{digest.hexdigest()}", rows, dict(list(types.items())[:COLUMNS_LIMIT])


def columns_of(fields: Mapping[str, Any]) -> dict[str, str]:
    """The type by the name of each column, of things that have a ``type`` or a ``dtype``."""
    return {name: type_of_dtype(field) for name, field in list(fields.items())[:COLUMNS_LIMIT]}


def _raw(column: Any, type_: str) -> Any:
    """The bytes of a column: which rows have no value, then the values."""
    import numpy

    if type_ in FLOATS:
        values = numpy.array(_array(column), dtype="<f8")
        values[numpy.isnan(values)] = numpy.nan  # there are many bit patterns that are not a number; one is enough
        values += 0.0  # and one zero
        return (values.tobytes(),)
    array = None if isinstance(column, list | tuple) else _array(column)
    if type_ in INTEGERS or type_ == "bool":
        if array is not None and array.dtype.kind in "iub":
            return (array.astype("<u8" if array.dtype.kind == "u" else "<i8", copy=False).tobytes(),)
        return _texts(column)
    if array is not None and array.dtype.kind in "mM":
        return (array.astype(f"<{array.dtype.kind}8[ns]").tobytes(),)
    return _texts(column)


def _array(column: Any) -> Any:
    import numpy

    return column.to_numpy() if callable(getattr(column, "to_numpy", None)) else numpy.asarray(column)


def _texts(column: Any) -> Any:
    """Each value as text after its length in bytes; ``-`` for a row without a value."""
    values = listed(column)
    for start in range(0, len(values), _TOGETHER):
        yield b"".join(map(_text, values[start : start + _TOGETHER]))


def _text(value: Any) -> bytes:
    if is_null(value):
        return b"-\n"
    raw = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
    return b"%d:%b\n" % (len(raw), raw)
