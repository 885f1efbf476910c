"""From the bytes of a file to a table. The first bytes say what kind of file it is, not its name."""

from __future__ import annotations

from .table import Table, bad, checked


def read(raw: bytes) -> Table:
    """The table in an NPZ or Parquet file. ``BadInput`` where it is none; ``ModuleNotFoundError`` where numpy or pyarrow is missing."""
    if raw.startswith(b"PK"):
        from .npz import columns
    elif raw.startswith(b"PAR1"):
        from .parquet import columns
    else:
        raise bad("the file is neither NPZ nor Parquet", "write it by numpy.savez_compressed, or by DataFrame.to_parquet")
    return checked(columns(raw))
