"""Exact bytes ⇄ values: canonical JSON (RFC 8785), and entries strictly read.

Rule 1: bytes that are not exactly what ``encode`` would write are not read. One comparison shuts out duplicate keys, NaN
tokens, odd spacing, odd numbers and invalid UTF-8 alike.
Rule 2: size and depth are bounded before anything is built from hostile bytes.
Rule 3: a file that cannot be read as an entry of its place is ``Void``: it has no effect, is kept, and is reported.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from ..errors import BadInput
from .events import Envelope, Unknown

FORMAT = 1
ENTRY_LIMIT = 1 << 20  # bytes of one entry file
DEPTH_LIMIT = 32
SAFE_INTEGER = 2**53 - 1  # beyond it a JSON number is not exact everywhere
_LONG_NUMBER = re.compile(rb"(?:^|[\[:,])-?[1-9][0-9]{15}")


def encode(value: Any, *, depth_limit: int = DEPTH_LIMIT) -> bytes:
    """Canonical JSON (RFC 8785) of plain values: mappings with text keys, sequences, text, numbers, booleans, None.

    Raises ``BadInput`` for what has no canonical form: NaN, infinities, integers beyond 2**53 - 1, lone surrogates, depth.
    """
    out: list[str] = []
    _write(value, out.append, depth_limit)
    try:
        return "".join(out).encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadInput(
            "text with a lone surrogate cannot be stored", where=f"at {error.object[error.start : error.end]!a}", do="use valid Unicode"
        ) from None


def decode(raw: bytes, *, limit: int = ENTRY_LIMIT) -> Any:
    """The value whose canonical form is exactly ``raw``, else ``BadInput`` saying why not."""
    if len(raw) > limit:
        raise BadInput(f"{len(raw)} bytes are more than the {limit} allowed")
    try:
        value = parse(raw)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"not JSON: {error}") from None
    if encode(value) != raw:
        raise BadInput("not in canonical form (RFC 8785)")
    return value


def parse(raw: bytes, *, depth_limit: int = DEPTH_LIMIT) -> Any:
    """JSON as RFC 8785 means it: a number beyond 2**53 - 1 is a double, though 1e16 is written like an integer.

    Raises ``orjson.JSONDecodeError``.
    """
    value = orjson.loads(raw)
    return _with_doubles(value, depth_limit) if _LONG_NUMBER.search(raw) else value


def digest_of(raw: bytes) -> str:
    """``sha256:…`` over exactly these bytes."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal file that says something, with the digest of its exact bytes."""

    said: Envelope
    digest: str

    @property
    def seq(self) -> int:
        return self.said.seq


@dataclass(frozen=True, slots=True)
class Void:
    """One journal file without effect, and why. ``newer`` if only a newer flowreg can read it: then writing is refused."""

    seq: int
    digest: str
    reason: str
    newer: bool = False


Slot = Entry | Void


def encode_entry(said: Envelope) -> bytes:
    """The exact bytes of an entry file: one line of canonical JSON. Raises ``BadInput`` where it grows too long."""
    raw = encode(said.model_dump(exclude_none=True)) + b"\n"
    if len(raw) > ENTRY_LIMIT:
        raise too_long(len(raw))
    return raw


def too_long(size: int) -> BadInput:
    """The refusal of an entry of ``size`` bytes."""
    return BadInput(
        f"this would make an entry of {size} bytes; {ENTRY_LIMIT} are allowed",
        where="nothing was written",
        do="put long texts and tables into files of the artifact, and keep params and labels short",
        code="too-long",
    )


def decode_entry(raw: bytes, *, model: str | None, seq: int) -> Slot:
    """Read the file at place ``seq`` of the journal of ``model`` (None: the registry's own)."""
    digest = digest_of(raw)
    try:
        if not raw.endswith(b"\n"):
            raise BadInput("no line end: torn or truncated" if raw else "empty file")
        value = decode(raw[:-1])
    except BadInput as error:
        return Void(seq, digest, error.what)
    written_as = value.get("format") if isinstance(value, dict) else None
    if type(written_as) is not int:  # True counts as 1 in Python, and nowhere else
        return Void(seq, digest, "format: not a whole number")
    if written_as > FORMAT:
        return Void(seq, digest, f"format {written_as} needs a newer flowreg; this one reads format {FORMAT}", newer=True)
    try:
        said = _ENVELOPE.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return Void(seq, digest, f"{'.'.join(map(str, first['loc'])) or 'entry'}: {first['msg']}")
    if (said.model, said.seq) != (model, seq):
        return Void(seq, digest, f"says that it is entry {said.seq} of {said.model or 'the registry'}: replayed or misplaced")
    return Entry(said, digest)


def unknown_kinds(entry: Entry) -> tuple[str, ...]:
    """The kinds of event in ``entry`` that this version of flowreg does not know."""
    return tuple(event.kind for event in entry.said.events if isinstance(event, Unknown))


def _with_doubles(value: Any, depth: int) -> Any:
    if isinstance(value, int) and abs(value) > SAFE_INTEGER:
        return float(value)
    if isinstance(value, dict) and depth:
        return {key: _with_doubles(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list) and depth:
        return [_with_doubles(item, depth - 1) for item in value]
    return value


def _write(value: Any, put: Any, depth: int) -> None:
    if value is None or value is True or value is False:
        put({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, str):
        put(encode_basestring(value))
    elif isinstance(value, int):
        put(_integer(value))
    elif isinstance(value, float):
        put(_number(value))
    elif depth <= 0:
        raise BadInput("values are nested too deeply to be stored", do=f"at most {DEPTH_LIMIT} levels")
    elif isinstance(value, Mapping):
        _write_object(value, put, depth - 1)
    elif isinstance(value, list | tuple):
        for at, item in enumerate(value):
            put("," if at else "[")
            _write(item, put, depth - 1)
        put("]" if value else "[]")
    else:
        raise BadInput(
            f"a value of type {type(value).__name__} cannot be stored", do="use text, numbers, booleans, None, lists and mappings"
        )


def _write_object(value: Mapping[Any, Any], put: Any, depth: int) -> None:
    if not all(isinstance(key, str) for key in value):
        raise BadInput("mappings are stored with text keys only")
    keys = sorted(value) if all(map(str.isascii, value)) else sorted(value, key=_utf16)
    for at, key in enumerate(keys):
        put("," if at else "{")
        put(encode_basestring(key))
        put(":")
        _write(value[key], put, depth)
    put("}" if keys else "{}")


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")  # RFC 8785 3.2.3 sorts by UTF-16 code units


def _integer(value: int) -> str:
    if abs(value) > SAFE_INTEGER:
        raise BadInput(f"the integer {str(value)[:30]} is beyond 2**53 - 1 and would not be exact", do="store it as text or as a float")
    return str(int(value))


def _number(value: float) -> str:
    """A double as ECMAScript writes it (RFC 8785 3.2.2.3): the shortest digits that read back, laid out its way."""
    if not math.isfinite(value):
        raise BadInput(f"{value} is not a JSON number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(float(value))).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = fraction if fraction != "0" else ""
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))  # digits before the decimal point
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    tail = f"e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return sign + digits[0] + ("." + digits[1:] if count > 1 else "") + tail


_ENVELOPE = TypeAdapter(Envelope)
