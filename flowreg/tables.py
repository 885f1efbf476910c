"""What lies in blobs as JSON beside the artifacts: decisions, and the sliced values of evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .core.codec import decode, encode
from .core.decision import Decision
from .core.events import read_measure
from .errors import BadInput, Corrupt
from .storage import blobs
from .storage.bounded import READ_LIMIT
from .storage.store import Store

TABLE_LIMIT = READ_LIMIT  # bytes of one table of sliced values


def read_decision(store: Store, digest: str) -> Decision:
    """A recorded decision."""
    raw = blobs.get(store, digest, what="a decision")
    try:
        return Decision.model_validate(decode(raw))
    except ValueError as error:
        raise Corrupt(f"the decision {digest[:19]}… cannot be read: {error}", do="run flowreg check", code="bad-decision") from None


def encoded_rows(rows: list[dict[str, Any]]) -> bytes:
    """The sliced values of an evaluation, as they are stored. ``BadInput`` for more than can be read again."""
    raw = encode({"rows": rows})
    if len(raw) > TABLE_LIMIT:
        raise BadInput(
            f"the values of {len(rows):,} slices make {len(raw) >> 20} MiB, and {TABLE_LIMIT >> 20} is the most",
            where="nothing was recorded", do="slice by coarser columns; values for each example go into examples=", code="too-many",
        )  # fmt: skip
    return raw


def slice_rows(store: Store, table: str | None, what: str) -> list[dict[str, Any]]:
    """The sliced values of an evaluation: rows with ``slice``, ``metric``, ``value``, ``n``."""
    if table is None:
        return []
    raw = blobs.get(store, table, what=f"the sliced values of {what}")
    try:
        rows = decode(raw, limit=TABLE_LIMIT)["rows"]
        return [{**row, **_slice_row(**row)} for row in rows]
    except (BadInput, KeyError, TypeError) as error:
        raise Corrupt(f"the sliced values of {what} cannot be read: {error}", do="run flowreg check", code="bad-table") from None


def _slice_row(*, slice: Mapping[str, str], metric: str, value: Any, n: int | None, **_: Any) -> dict[str, Any]:
    value = read_measure(value)
    if not (isinstance(slice, Mapping) and all(isinstance(v, str) for v in slice.values()) and isinstance(metric, str)):
        raise TypeError("a row has no slice or no metric")
    if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(n, int | None):
        raise TypeError("a row has no number")
    return {"slice": slice, "metric": metric, "value": value, "n": n}
