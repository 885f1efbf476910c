"""What a model takes: the names, types, nullability and ranges of its inputs. Recorded with a version as plain JSON.

Rule 1: a type is one of ``TYPES``, whatever the library that made the frame calls it; what has no such name is ``any``.
Rule 2: an input that may be null may also be left out.
Rule 3: nothing here imports a library of frames; ``frames`` reads them by their own words.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import BadInput
from .names import shown

INTEGERS = {f"{sign}int{bits}": (sign, bits) for sign in ("", "u") for bits in (8, 16, 32, 64)}
FLOATS = {"float16": 11, "float32": 24, "float64": 53}  # bits of the significand: integers up to that many are exact
TYPES = (*INTEGERS, *FLOATS, "bool", "string", "date", "datetime", "duration", "binary", "any")
VIOLATIONS_SHOWN = 100
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Field:
    """One input. ``low`` and ``high`` are the least and greatest number it takes (None: any)."""

    name: str
    type: str
    nullable: bool = False
    low: float | None = None
    high: float | None = None

    def to_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"name": self.name, "type": self.type, "nullable": self.nullable}
        return said if self.low is None and self.high is None else {**said, "range": [self.low, self.high]}

    def __str__(self) -> str:
        return f"{self.type}{' or null' if self.nullable else ''}"


@dataclass(frozen=True, slots=True)
class Signature:
    """The inputs of a model, in their order.

    >>> signature = Signature((Field("age", "int64", low=0), Field("city", "string", nullable=True)))
    >>> signature.violations([{"age": 41, "city": None}, {"age": "41"}])
    ("row 1: age is '41', not int64",)
    """

    inputs: tuple[Field, ...]

    @classmethod
    def of(cls, frame: Any, *, ranges: bool = False) -> Signature:
        """The signature of a training frame, see ``frames.signature_of``."""
        from .frames import signature_of

        return signature_of(frame, ranges=ranges)

    @classmethod
    def read(cls, recorded: Any) -> Signature:
        """The signature that a version carries: ``Signature.read(version.signature)``. ``BadInput`` where it is not in this form."""
        return read_signature(recorded)

    def to_json(self) -> dict[str, Any]:
        return {"inputs": [field.to_json() for field in self.inputs]}

    def violations(self, rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
        """What in these rows (from 0, values by name) the model does not take, at most 100 sentences; empty if all fits.

        What the model does not know is ignored. numpy's numbers are taken as the numbers they are.
        """
        found: list[str] = []
        for place, row in enumerate(rows):
            _require_row(row, place)
            for field in self.inputs:
                if said := _violation(field, row):
                    found.append(f"row {place}: {said}")
            if len(found) >= VIOLATIONS_SHOWN:
                break
        return tuple(found[:VIOLATIONS_SHOWN])


def read_signature(recorded: Any) -> Signature:
    """The signature a version carries. ``BadInput`` where it is not in this form."""
    inputs = recorded.get("inputs") if isinstance(recorded, Mapping) else None
    if not isinstance(inputs, list | tuple) or not inputs:
        raise _bad(f"{shown(recorded)} has no list of inputs")
    fields = tuple(map(_field, inputs))
    if twice := [name for name, count in Counter(field.name for field in fields).items() if count > 1]:
        raise _bad(f"the input {shown(twice[0])} is there twice")
    return Signature(fields)


def breaks(new: Signature, old: Signature) -> tuple[str, ...]:
    """Why a request that fits ``old`` may not fit ``new``: a new input that must be there, or one that takes less. Empty if none."""
    before = {field.name: field for field in old.inputs}
    return tuple(said for field in new.inputs for said in _narrowed(field, before.get(field.name)))


def differences(new: Signature, old: Signature) -> tuple[str, ...]:
    """Every way in which the inputs of the two are not the same; their order counts for nothing."""
    a, b = {f.name: f for f in new.inputs}, {f.name: f for f in old.inputs}
    gone = [f"{name} is gone" for name in b if name not in a]
    return (*gone, *(f"{name} is new" if name not in b else f"{name} is {_whole(a[name])}, was {_whole(b[name])}"
                     for name in a if a[name] != b.get(name)))  # fmt: skip


def takes(wide: str, narrow: str) -> bool:
    """Does type ``wide`` hold every value of ``narrow`` exactly? ``int32`` in ``int64`` or ``float64``, ``float32`` in ``float64``."""
    if wide in (narrow, "any"):
        return True
    if wide in FLOATS:
        bits = INTEGERS[narrow][1] - (INTEGERS[narrow][0] == "") if narrow in INTEGERS else FLOATS.get(narrow, 99)
        return bits <= FLOATS[wide]
    if wide in INTEGERS and narrow in INTEGERS:
        (sign, bits), (small_sign, small_bits) = INTEGERS[wide], INTEGERS[narrow]
        return bits >= small_bits if sign == small_sign else sign == "" and bits > small_bits
    return False


def _narrowed(new: Field, old: Field | None) -> Iterable[str]:
    if old is None:
        if not new.nullable:
            yield f"{new.name} is a new input that must be there"
        return
    if not takes(new.type, old.type):
        yield f"{new.name} is {new.type}, was {old.type}"
    if old.nullable and not new.nullable:
        yield f"{new.name} may no longer be null"
    if new.low is not None and (old.low is None or new.low > old.low):
        yield f"{new.name} starts at {new.low:g}, was {_bound(old.low)}"
    if new.high is not None and (old.high is None or new.high < old.high):
        yield f"{new.name} ends at {new.high:g}, was {_bound(old.high)}"


def _whole(field: Field) -> str:
    return str(field) if field.low is None and field.high is None else f"{field} in [{_bound(field.low)}, {_bound(field.high)}]"


def _bound(number: float | None) -> str:
    return "without a bound" if number is None else f"{number:g}"


def _require_row(row: object, place: int) -> None:
    if not isinstance(row, Mapping):
        raise BadInput(f"row {place} is {type(row).__name__}", do="give each row as a mapping of values by name", code="bad-rows")


def _violation(field: Field, row: Mapping[str, Any]) -> str | None:
    value = _plain(row.get(field.name))
    if value is None:
        return None if field.nullable else f"{field.name} is missing"
    if not _is(field.type, value):
        return f"{field.name} is {shown(value)}, not {field.type}"
    if field.low is not None and value < field.low:
        return f"{field.name} is {shown(value)}, below {field.low:g}"
    if field.high is not None and value > field.high:
        return f"{field.name} is {shown(value)}, above {field.high:g}"
    return None


def _plain(value: Any) -> Any:
    """The value without numpy round it; None for what counts as null: None, NaN, pandas' NA and NaT."""
    kind = type(value).__name__
    if value is None or kind in ("NAType", "NaTType"):
        return None
    if (
        not isinstance(value, str | bytes | int | float)
        and getattr(value, "shape", None) == ()
        and kind not in ("datetime64", "timedelta64")
    ):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value


def _is(type_: str, value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if type_ in INTEGERS:
        sign, bits = INTEGERS[type_]
        low, high = (0, 2**bits) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1))
        return number and isinstance(value, int) and low <= value < high
    if type_ in FLOATS:
        return number
    name = type(value).__name__
    match type_:
        case "bool":
            return isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "binary":
            return isinstance(value, bytes | bytearray)
        case "date" | "datetime":
            return name in ("date", "datetime", "Timestamp", "datetime64") or (isinstance(value, str) and _DATE.match(value) is not None)
        case "duration":
            return number or name in ("timedelta", "Timedelta", "timedelta64")
        case _:
            return True


def _field(said: Any) -> Field:
    if not isinstance(said, Mapping) or not {"name", "type"} <= set(said) <= {"name", "type", "nullable", "range"}:
        raise _bad(f"{shown(said)} is not an input")
    name, type_, nullable = said["name"], said["type"], said.get("nullable", False)
    if not isinstance(name, str) or not name or type_ not in TYPES or not isinstance(nullable, bool):
        raise _bad(f"{shown(dict(said))} is not an input")
    low, high = _range(said.get("range"), name, type_)
    return Field(name, type_, nullable, low, high)


def _range(said: Any, name: str, type_: str) -> Sequence[float | None]:
    if said is None:
        return None, None
    bounds = tuple(said) if isinstance(said, list | tuple) else ()
    numbers = [b for b in bounds if b is not None]
    good = all(isinstance(b, int | float) and not isinstance(b, bool) and math.isfinite(b) for b in numbers)
    if len(bounds) != 2 or not good or sorted(numbers) != numbers or (type_ not in INTEGERS and type_ not in FLOATS):
        raise _bad(f"the range of {shown(name)} is {shown(said)}")
    return bounds


def _bad(what: str) -> BadInput:
    return BadInput(
        f"this is not a signature: {what}",
        do="give the training frame, or {'inputs': [{'name': 'age', 'type': 'int64', 'nullable': False, 'range': [0, 130]}]}; "
        f"types are {', '.join(TYPES)}",
        code="bad-signature",
    )
