"""What lies in blobs as JSON beside the artifacts: decisions, and the sliced values of evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .core.codec import decode
from .core.decision import Decision
from .core.events import read_measure
from .errors import BadInput, Corrupt
from .storage import blobs
from .storage.store import Store

TABLE_LIMIT = 64 << 20  # bytes of one table of sliced values


def read_decision(store: Store, digest: str) -> Decision:
    """A recorded decision."""
    raw = blobs.get(store, digest, what="a decision")
    try:
        return Decision.model_validate(decode(raw))
    except ValueError as error:
        raise Corrupt(f"the decision {digest[:19]}… cannot be read: {error}", do="run flowreg check", code="bad-decision") from None


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
