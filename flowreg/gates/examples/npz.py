"""The columns of an NPZ file: a zip of arrays.

``numpy.load`` is not used: it would make room for whatever a header claims. Here the zip's directory and each header are checked first.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from typing import IO

import numpy as np

from ...core.names import shown
from ..statistics.arrays import Array
from .table import TEXT_LIMIT, bad, refuse_size

_NO_OBJECTS = "numpy can only pickle such an array; convert it first: column.astype(str) or .astype(float)"


def columns(raw: bytes) -> Mapping[str, Array]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as file:
            members = file.infolist()
            refuse_size(rows=0, columns=len(members), size_bytes=sum(member.file_size for member in members))
            found = {_column_name(member.filename): _column(file, member) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise bad(f"the NPZ file is damaged: {shown(str(error))}", "write it again") from None
    if len(found) < len(members):
        raise bad("a column is there twice")
    return found


def _column_name(member: str) -> str:
    name = member.removesuffix(".npy")
    if name == member or not name or not name.isprintable() or len(name) > TEXT_LIMIT:
        raise bad(f"{shown(member)} in it is no column", "write it by numpy.savez_compressed(file, id=…, y=…, score=…)")
    return name


def _column(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    name = shown(member.filename.removesuffix(".npy"))
    with file.open(member) as stream:
        shape, dtype = _header(stream, name)
        if len(shape) != 1:
            raise bad(f"the column {name} has {len(shape)} dimensions, and a column has one")
        refuse_size(rows=shape[0], columns=1, size_bytes=shape[0] * dtype.itemsize)
        data = stream.read(shape[0] * dtype.itemsize + 1)
    if len(data) != shape[0] * dtype.itemsize:
        raise bad(f"the column {name} has more or fewer bytes than its header says", "write the file again")
    return _plain(np.frombuffer(data, dtype))


def _header(stream: IO[bytes], name: str) -> tuple[tuple[int, ...], np.dtype]:
    try:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, _, dtype = read(stream)
    except (ValueError, KeyError) as error:
        raise bad(f"the header of the column {name} cannot be read: {shown(str(error))}", "write the file again") from None
    if dtype.hasobject:
        raise bad(f"the column {name} is an array of objects", _NO_OBJECTS)
    if dtype.kind not in "biufU":
        raise bad(f"the column {name} is {dtype}", "a column is whole numbers, floats, booleans or text")
    if not 0 < dtype.itemsize <= (4 * TEXT_LIMIT if dtype.kind == "U" else 16):
        raise bad(f"the column {name} has values that are too long, {TEXT_LIMIT} characters is the most")
    return shape, dtype


def _plain(column: Array) -> Array:
    """In this machine's byte order, every float with 64 bits."""
    return column.astype(np.float64 if column.dtype.kind == "f" else column.dtype.newbyteorder("="), copy=False)
