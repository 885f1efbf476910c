"""The clock and the ids: the only places where time and chance come in."""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, datetime, timedelta


def now() -> str:
    """This moment, UTC, RFC 3339 with milliseconds."""
    return rfc3339(datetime.now(UTC))


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def later(at: str, by_s: float) -> str:
    """The moment ``by_s`` seconds after ``at``."""
    return rfc3339(datetime.fromisoformat(at) + timedelta(seconds=by_s))


def new_id() -> str:
    """A UUID of version 7 (RFC 9562): unique, and sorted by when it was made."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
