"""The value of a per-example table, and what may be in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.names import shown
from ...errors import BadInput

if TYPE_CHECKING:
    from ..statistics.arrays import Array

ROWS_LIMIT = 10_000_000
BYTES_LIMIT = 2 << 30  # unpacked
COLUMNS_LIMIT = 200
TEXT_LIMIT = 200  # characters of one value


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns of equal length, by name. Made by ``checked``."""

    columns: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.columns["id"])


def checked(columns: Mapping[str, Array]) -> Table:
    """These columns as a table; ``BadInput`` where they are none."""
    for needed in ("id", "y"):
        if needed not in columns:
            raise bad(f"there is no column {needed}", f"the columns are {', '.join(map(shown, sorted(columns)[:20]))}")
    lengths = {name: len(column) for name, column in columns.items()}
    if uneven := next((name for name in lengths if lengths[name] != lengths["id"]), None):
        raise bad(f"the column {shown(uneven)} has {lengths[uneven]:,} values, and id has {lengths['id']:,}")
    if not lengths["id"]:
        raise bad("there is no example in it")
    if columns["id"].dtype.kind not in "iuU":
        raise bad("id is neither whole numbers nor text", "give each example an id that is the same in every evaluation")
    for name, column in columns.items():
        _refuse_not_finite(name, column, columns["id"])
    return Table(columns)


def refuse_size(*, rows: int, columns: int, size_bytes: int) -> None:
    """Refuse what a file says of its own size, before it is unpacked."""
    if rows > ROWS_LIMIT:
        raise bad(f"it has {rows:,} examples, and {ROWS_LIMIT:,} is the most", "compare on a sample of them")
    if columns > COLUMNS_LIMIT:
        raise bad(f"it has {columns:,} columns, and {COLUMNS_LIMIT} is the most")
    if size_bytes > BYTES_LIMIT:
        raise bad(f"unpacked it has {size_bytes:,} bytes, and {BYTES_LIMIT:,} is the most")


def bad(what: str, do: str = "") -> BadInput:
    return BadInput(what, do=do or "a table has the columns id and y, and score or pred", code="bad-examples")


def _refuse_not_finite(name: str, column: Array, ids: Array) -> None:
    import numpy as np

    if column.dtype.kind == "f" and not np.isfinite(column).all():
        places = np.flatnonzero(~np.isfinite(column))
        raise bad(
            f"the column {shown(name)} has {len(places):,} values that are NaN or infinite, first for id {shown(ids[places[0]].item())}"
        )
