"""Which format bytes are in that are neither a pickle nor packed. What is not certain is ``unknown``.

Rule: the form is checked as far as it can be without the library that reads it, not only the first bytes.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import IO, Any

TEXT_LIMIT = 1 << 30  # bytes of a file that is read as text or JSON
HEADER_LIMIT = 100 << 20  # bytes; of safetensors' own
_LAMBDA = re.compile(rb'"(?:class_name|registered_name)"\s*:\s*"(?:[\w.>]*>)?(?:Lambda|__lambda__)"')
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))


def format_of(stream: IO[bytes]) -> str:
    """The name of the format."""
    stream.seek(0)
    start = stream.read(128)
    size = stream.seek(0, 2)
    if not start:
        return "empty"
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return "hdf5"
    if start.startswith(b"\x93NUMPY"):
        return "npy" if _npy_header(stream) is not None else "unknown"
    if start.startswith(b"PAR1"):
        stream.seek(max(size - 4, 0))
        return "parquet" if stream.read(4) == b"PAR1" else "unknown"
    if start[:1] == b"{" and start[1:2] in b"iUIlL" and b"learner" in start:
        return "ubj"
    if _is_safetensors(stream, start, size):
        return "safetensors"
    if _is_onnx(stream, size):
        return "onnx"
    return _text_or_json(stream, size)


def npy_has_objects(stream: IO[bytes]) -> bool:
    """Are its elements Python objects, which are a pickle? The stream then stands where it begins."""
    header = _npy_header(stream)
    return header is not None and _has_objects(header.get("descr"))


def what_runs_code(stream: IO[bytes], format: str) -> str | None:
    """What in it runs code when it is loaded, besides pickles: a layer of Keras that is a function."""
    if format not in ("hdf5", "json"):
        return None
    stream.seek(0)
    before = b""
    while chunk := stream.read(1 << 20):
        if _LAMBDA.search(before + chunk):
            return "a Lambda layer of Keras, which is code"
        before = chunk[-200:]
    return None


def _npy_header(stream: IO[bytes]) -> dict[str, Any] | None:
    """The header of an array of numpy; the stream then stands behind it."""
    stream.seek(6)
    major = stream.read(2)[:1]
    width = 2 if major == b"\x01" else 4
    length = int.from_bytes(stream.read(width), "little")
    try:
        header = ast.literal_eval(stream.read(min(length, 1 << 20)).decode("utf-8"))
    except (ValueError, SyntaxError, RecursionError, MemoryError, UnicodeDecodeError):
        return None
    return header if isinstance(header, dict) and set(header) == {"descr", "fortran_order", "shape"} else None


def _has_objects(descr: Any) -> bool:
    """An element type, or in a list the fields with theirs: ``|O`` are objects."""
    if isinstance(descr, str):
        return "O" in descr
    return isinstance(descr, list | tuple) and any(_has_objects(field[1] if isinstance(field, tuple) else field) for field in descr)


def _is_safetensors(stream: IO[bytes], start: bytes, size: int) -> bool:
    length = int.from_bytes(start[:8], "little")
    if len(start) < 9 or start[8:9] != b"{" or not 2 <= length <= min(HEADER_LIMIT, size - 8):
        return False
    stream.seek(8)
    try:
        header = json.loads(stream.read(length))
        ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
        return 8 + length + max(ends, default=0) == size
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return False


def _is_onnx(stream: IO[bytes], size: int) -> bool:
    """A message of ONNX' ModelProto: version, graph and operator sets, and no field that it does not have."""
    try:
        fields = list(_fields(stream, size))
    except (ValueError, IndexError):
        return False
    numbers = {number for number, _ in fields}
    return {1, 7, 8} <= numbers <= {1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26} and (1, 0) in fields and (7, 2) in fields


def _fields(stream: IO[bytes], size: int) -> Iterator[tuple[int, int]]:
    """The outer fields of a protobuf message as (number, wire type); ``ValueError`` where it is none."""
    stream.seek(0)
    for _ in range(1000):
        if stream.tell() == size:
            return
        key = _varint(stream)
        number, wire = key >> 3, key & 7
        skip = {1: 8, 5: 4}.get(wire)
        if wire == 2:
            skip = _varint(stream)
        elif wire == 0:
            skip = _varint(stream) * 0
        if skip is None or stream.tell() + skip > size:
            raise ValueError("no protobuf")
        stream.seek(skip, 1)
        yield number, wire
    raise ValueError("too many fields")


def _varint(stream: IO[bytes]) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)[0]
        value |= (byte & 127) << shift
        if byte < 128:
            return value
    raise ValueError("no varint")


def _text_or_json(stream: IO[bytes], size: int) -> str:
    if size > TEXT_LIMIT:
        return "unknown"
    stream.seek(0)
    raw = stream.read()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return "unknown"
    if raw.translate(None, _CONTROLS) != raw:
        return "unknown"
    if raw.lstrip()[:1] in (b"{", b"["):
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return "text"
        return "json"
    return "text"
