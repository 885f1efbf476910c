"""Golden inputs: a few rows as a model takes them, and what it answered when it was registered. Kept with the version.

Rule 1: which rows is no matter of chance: at most 20, evenly spaced. They are data: where rows are personal, say ``golden=False``.
Rule 2: what cannot be kept exactly (columns that are no numbers, truth values or text) is not kept at all, and a warning says so.
Rule 3: numpy, pandas and polars are imported only where the rows came from them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .core.codec import decode, encode
from .core.events import read_measure, write_measure
from .core.frames import is_frame
from .errors import BadInput, Corrupt

ROWS = 20
BYTES_LIMIT = 4 << 20
_METHODS = ("predict", "predict_proba", "decision_function")


@dataclass(frozen=True, slots=True)
class Golden:
    """Rows by ``columns``, with the type of each in ``dtypes`` and the kind of frame they were in (``pandas``, ``polars``, ``array``).

    ``outputs`` has the answers by the name of the method that gave them, nested as the method gave them.
    """

    kind: str
    columns: tuple[str, ...]
    dtypes: tuple[str, ...]
    inputs: tuple[tuple[Any, ...], ...]
    outputs: Mapping[str, Any]

    def frame(self) -> Any:
        """The rows as the model takes them."""
        if self.kind == "array":
            import numpy

            return numpy.array([list(row) for row in self.inputs], dtype=self.dtypes[0])
        columns = {name: [row[place] for row in self.inputs] for place, name in enumerate(self.columns)}
        if self.kind == "polars":
            import polars

            return polars.DataFrame({name: polars.Series(name, values) for name, values in columns.items()}).cast(
                {name: getattr(polars, dtype) for name, dtype in zip(self.columns, self.dtypes, strict=True)}
            )
        import pandas

        return pandas.DataFrame(
            {name: pandas.Series(columns[name], dtype=dtype) for name, dtype in zip(self.columns, self.dtypes, strict=True)}
        )

    def answered_by(self, model: Any) -> dict[str, Any]:
        """What a model answers to these rows, by the methods that the record has."""
        frame = self.frame()
        return {name: _listed(getattr(model, name)(frame)) for name in self.outputs if callable(getattr(model, name, None))}


def golden_of(model: Any, frame: Any) -> bytes:
    """The record of a few rows of a frame and of the answers of the model. ``BadInput`` where they cannot be kept."""
    kind, columns, dtypes, inputs = _picked(frame)
    bare = Golden(kind, columns, dtypes, inputs, {})
    rows, answers = bare.frame(), {}
    for name in _METHODS:
        if callable(method := getattr(model, name, None)):
            answers[name] = _listed(method(rows))
    if not answers:
        raise BadInput(f"a {type(model).__name__} has none of {', '.join(_METHODS)}", do="leave golden= out", code="bad-golden")
    return encoded(Golden(kind, columns, dtypes, inputs, answers))


def encoded(golden: Golden) -> bytes:
    raw = encode(
        {
            "format": 1, "kind": golden.kind, "columns": list(golden.columns), "dtypes": list(golden.dtypes),
            "inputs": [[_written(value) for value in row] for row in golden.inputs], "outputs": _written(golden.outputs),
        }
    )  # fmt: skip
    if len(raw) > BYTES_LIMIT:
        raise BadInput(f"{ROWS} rows make {len(raw)} bytes, and {BYTES_LIMIT} is the most", do="say golden=False", code="bad-golden")
    return raw


def decoded(raw: bytes, what: str) -> Golden:
    """The record in a blob, or ``Corrupt``."""
    try:
        said = decode(raw, limit=BYTES_LIMIT)
        if said["format"] != 1 or said["kind"] not in ("pandas", "polars", "array"):
            raise ValueError("another form")
        inputs = tuple(tuple(_as_number(value, dtype) for value, dtype in zip(row, said["dtypes"], strict=True)) for row in said["inputs"])
        return Golden(said["kind"], tuple(said["columns"]), tuple(said["dtypes"]), inputs, _read(said["outputs"]))
    except (BadInput, KeyError, TypeError, ValueError) as error:
        raise Corrupt(
            f"the golden inputs of {what} cannot be read ({type(error).__name__})", do="run flowreg check", code="bad-golden"
        ) from None


def takes_golden(model: Any, frame: Any) -> bool:
    """Whether there is something to ask: an object with a method that answers, and a frame that is no mere description."""
    return is_frame(frame) and not isinstance(frame, Mapping) and any(callable(getattr(model, name, None)) for name in _METHODS)


def _picked(frame: Any) -> tuple[str, tuple[str, ...], tuple[str, ...], tuple[tuple[Any, ...], ...]]:
    """A few rows of a frame of pandas or polars, or of an array of two dimensions."""
    count = len(frame)
    if not count:
        raise BadInput("the golden inputs have no rows", do="give some, or golden=False", code="bad-golden")
    places = sorted({round(place * (count - 1) / max(1, ROWS - 1)) for place in range(ROWS)})[:ROWS] if count > ROWS else list(range(count))
    module = type(frame).__module__.partition(".")[0]
    if module == "pandas" and hasattr(frame, "iloc"):
        few = frame.iloc[places]
        names, dtypes = tuple(map(str, few.columns)), tuple(str(dtype) for dtype in few.dtypes)
        columns = [few.iloc[:, place].tolist() for place in range(len(names))]
        return "pandas", names, _plain_dtypes(dtypes), _rows(columns, len(places))
    if module == "polars" and hasattr(frame, "get_columns"):
        few = frame[places]
        columns = [column.to_list() for column in few.get_columns()]
        return "polars", tuple(few.columns), _plain_dtypes(tuple(str(dtype) for dtype in few.dtypes)), _rows(columns, len(places))
    if getattr(frame, "ndim", 0) == 2 and hasattr(frame, "dtype"):
        few = frame[places]
        width = few.shape[1]
        return (
            "array",
            tuple(f"x{place}" for place in range(width)),
            _plain_dtypes((str(few.dtype),) * width),
            tuple(map(tuple, few.tolist())),
        )
    raise BadInput(
        f"a {type(frame).__name__} cannot be kept as golden inputs", do="give a frame of pandas or polars, or an array", code="bad-golden"
    )


def _plain_dtypes(dtypes: Sequence[str]) -> tuple[str, ...]:
    """The types, if a value of each can be written down and read again exactly."""
    for dtype in dtypes:
        if not dtype.lower().startswith(("int", "uint", "float", "bool", "str", "object", "utf8")):
            raise BadInput(f"a column of type {dtype} cannot be kept as golden inputs", do="say golden=False", code="bad-golden")
    return tuple(dtypes)


def _rows(columns: list[list[Any]], count: int) -> tuple[tuple[Any, ...], ...]:
    rows = tuple(tuple(column[place] for column in columns) for place in range(count))
    for row in rows:
        for value in row:
            if not isinstance(value, bool | int | float | str | None):
                raise BadInput(f"a {type(value).__name__} cannot be kept as golden inputs", do="say golden=False", code="bad-golden")
    return rows


def _listed(answer: Any) -> Any:
    for name in ("tolist", "to_list"):
        if callable(method := getattr(answer, name, None)):
            return method()
    return list(answer)


def _written(value: Any) -> Any:
    match value:
        case float():
            return write_measure(value)
        case Mapping():
            return {str(name): _written(item) for name, item in value.items()}
        case list() | tuple():
            return [_written(item) for item in value]
        case int() if not isinstance(value, bool) and abs(value) > 2**53 - 1:
            raise BadInput("a whole number beyond 2**53 cannot be kept as golden inputs", do="say golden=False", code="bad-golden")
        case None | bool() | int() | str():
            return value
    raise BadInput(f"a {type(value).__name__} cannot be kept as golden inputs", do="say golden=False", code="bad-golden")


def _read(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _read(item) for name, item in value.items()}
    return [_read(item) for item in value] if isinstance(value, list | tuple) else read_measure(value)


def _as_number(value: Any, dtype: str) -> Any:
    """JSON does not tell 1.0 from 1; a text such as "NaN" in a column of numbers is a number."""
    if dtype.lower().startswith("float") and value is not None:
        number = read_measure(value)
        return float(number) if isinstance(number, int | float) else math.nan
    return value
