"""The signature of a training frame: pandas, polars, pyarrow, numpy, or a mapping of columns. None of them is imported.

Rule: a frame is told by what it has (``columns`` and ``dtypes``, ``schema``, ``dtype``), and asked in its own words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import BadInput
from .names import shown
from .signature import FLOATS, INTEGERS, Field, Signature

COLUMNS_LIMIT = 5000
_NAMES = {
    "boolean": "bool", "bool_": "bool", "double": "float64", "float": "float32", "halffloat": "float16", "half": "float16",
    "str": "string", "utf8": "string", "large_string": "string", "string_view": "string", "category": "string", "categorical": "string",
    "enum": "string", "date32": "date", "date64": "date", "timestamp": "datetime", "datetime64": "datetime", "timedelta64": "duration",
    "large_binary": "binary", "bytes": "binary", "bool": "bool", "string": "string", "date": "date", "datetime": "datetime",
    "duration": "duration", "binary": "binary",
}  # fmt: skip


def signature_of(frame: Any, *, ranges: bool = False) -> Signature:
    """The signature of the inputs a model was trained on. An input is nullable if the frame has a null (or NaN) there.

    With ``ranges`` the least and greatest number of each numeric column is in it, and serving then refuses what lies outside.
    ``BadInput`` for what is no frame.
    """
    try:
        columns = list(named_columns(frame))
        fields = tuple(_field(name, column, ranges=ranges) for name, column in columns[:COLUMNS_LIMIT])
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(
            f"this {type(frame).__name__} cannot be read as a frame: {shown(str(error), 200)}", code="bad-signature",
            do="give columns of one level, collected; or a Signature",
        ) from error  # fmt: skip
    if not fields or len(columns) > COLUMNS_LIMIT:
        raise BadInput(
            f"a signature has 1 to {COLUMNS_LIMIT} inputs, this frame has {len(columns)}", do="give the columns that the model takes",
            code="bad-signature",
        )  # fmt: skip
    return Signature(fields)


def is_frame(value: Any) -> bool:
    """Is it something that ``signature_of`` reads? A mapping only if all its values are arrays or columns."""
    if isinstance(value, Mapping):
        return bool(value) and all(_is_column(column) for column in value.values())
    return hasattr(value, "columns") or hasattr(value, "column_names") or (hasattr(value, "dtype") and hasattr(value, "ndim"))


def named_columns(frame: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(frame, Mapping):
        yield from ((_name(name), column) for name, column in frame.items())
    elif hasattr(frame, "column_names"):  # pyarrow; its ``columns`` are the values
        yield from zip(map(_name, frame.column_names), frame.columns, strict=True)
    elif hasattr(frame, "columns"):  # pandas and polars
        names = list(frame.columns)
        if len({str(name) for name in names}) < len(names):
            raise BadInput("two columns of this frame have the same name", do="give each its own", code="bad-signature")
        yield from ((_name(name), frame[name]) for name in names)
    elif getattr(getattr(frame, "dtype", None), "names", None):  # a structured array of numpy
        yield from ((_name(name), frame[name]) for name in frame.dtype.names)
    elif getattr(frame, "ndim", 0) == 2:
        yield from ((f"x{place}", frame[:, place]) for place in range(frame.shape[1]))
    else:
        raise BadInput(
            f"{shown(type(frame).__name__)} is not a frame", code="bad-signature",
            do="give a frame of pandas, polars or pyarrow, a numpy array of two dimensions, or columns by name",
        )  # fmt: skip


def _name(name: Any) -> str:
    return name if isinstance(name, str) else str(name)


def _is_column(value: Any) -> bool:
    return (hasattr(value, "dtype") or hasattr(value, "type")) and hasattr(value, "__len__") and not isinstance(value, Mapping)


def _field(name: str, column: Any, *, ranges: bool) -> Field:
    type_ = type_of_values(column) if isinstance(column, list | tuple) else type_of_dtype(column)
    low, high = _bounds(column) if ranges and (type_ in INTEGERS or type_ in FLOATS) else (None, None)
    return Field(name, type_, _has_null(column), low, high)


def type_of_dtype(column: Any) -> str:
    dtype = getattr(column, "dtype", None)
    said = str(dtype if dtype is not None else getattr(column, "type", "any"))
    if said.startswith(("<U", ">U")):
        return "string"
    if said in ("object", "Object"):
        return type_of_values(listed(column)[:10_000])
    word = re.split(r"[\[(<]", said.rpartition(".")[2] if "(" not in said and "[" not in said else said)[0].strip().lower()
    return word if word in INTEGERS or word in FLOATS else _NAMES.get(word, "any")


def type_of_values(values: Any) -> str:
    """The type of plain Python values, if they share one; integers and floats together are floats."""
    kinds = {type(value).__name__ for value in values if not is_null(value)}
    known = {"int": "int64", "float": "float64", "str": "string", "bool": "bool", "bytes": "binary", "date": "date",
             "datetime": "datetime", "timedelta": "duration"}  # fmt: skip
    if kinds == {"int", "float"}:
        return "float64"
    return known.get(kinds.pop(), "any") if len(kinds) == 1 else "any"


def _has_null(column: Any) -> bool:
    nulls = getattr(column, "null_count", None)  # pyarrow has a number, polars a method
    if nulls is not None and (nulls() if callable(nulls) else nulls):
        return True
    if callable(isna := getattr(column, "isna", None)):
        return bool(isna().any())
    if callable(is_nan := getattr(column, "is_nan", None)) and type_of_dtype(column) in FLOATS:  # polars and pyarrow
        found = is_nan()
        return any(found.to_pylist()) if hasattr(found, "to_pylist") else bool(found.any())
    if nulls is not None:
        return False
    if type_of_dtype(column) in FLOATS and not isinstance(column, list | tuple):
        return bool((column != column).any())  # NaN is what differs from itself
    return any(map(is_null, listed(column))) if isinstance(column, list | tuple) or str(column.dtype) == "object" else False


def is_null(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ in ("NAType", "NaTType")


def _bounds(column: Any) -> tuple[float | None, float | None]:
    numbers = [float(value) for value in listed(column) if not is_null(value) and math.isfinite(value)]
    return (min(numbers), max(numbers)) if numbers else (None, None)


def listed(column: Any) -> list[Any]:
    for name in ("to_pylist", "to_list", "tolist"):
        if callable(method := getattr(column, name, None)):
            return list(method())
    return list(column)
