"""The columns of a Parquet file, by pyarrow."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types
from pyarrow.parquet import ParquetFile

from ...core.names import shown
from ..statistics.arrays import Array
from .table import TEXT_LIMIT, bad, refuse_size


def columns(raw: bytes) -> Mapping[str, Array]:
    try:
        with ParquetFile(pa.BufferReader(raw)) as file:
            said = file.metadata
            size_bytes = sum(said.row_group(place).total_byte_size for place in range(said.num_row_groups))
            refuse_size(rows=said.num_rows, columns=said.num_columns, size_bytes=size_bytes)
            table = file.read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise bad(f"the Parquet file is damaged: {shown(str(error))}", "write it again") from None
    if len(set(table.column_names)) < len(table.column_names):
        raise bad("a column is there twice")
    return {name: _column(shown(name), table.column(name)) for name in table.column_names}


def _column(name: str, column: pa.ChunkedArray) -> Array:
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if column.null_count:
        raise bad(f"the column {name} has {column.null_count:,} empty values", "fill them, or leave the examples out")
    if types.is_string(column.type) or types.is_large_string(column.type):
        if len(column) and pc.max(pc.utf8_length(column)).as_py() > TEXT_LIMIT:
            raise bad(f"the column {name} has values that are too long, {TEXT_LIMIT} characters is the most")
        return np.array(column.to_pylist(), dtype=str)
    if types.is_boolean(column.type) or types.is_integer(column.type):
        return np.asarray(column.to_numpy())
    if types.is_floating(column.type):
        return np.asarray(column.to_numpy()).astype(np.float64, copy=False)
    raise bad(f"the column {name} is {column.type}", "a column is whole numbers, floats, booleans or text")
