"""Moments, sizes and numbers as people read them. Pure: the present moment is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

_SPANS = ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (86400 * 60, 86400, "d"), (86400 * 730, 86400 * 30, "months"))


def ago(at: str, now: datetime) -> str:
    """How long ago ``at`` (RFC 3339) was.

    >>> from datetime import UTC
    >>> ago("2026-11-22T09:14:03.120Z", datetime(2026, 11, 22, 11, 20, tzinfo=UTC))
    '2 h ago'
    """
    if not at:
        return ""
    passed_s = (now - datetime.fromisoformat(at)).total_seconds()
    if passed_s < 1:
        return "now" if passed_s > -60 else moment(at)
    for below, unit_s, name in _SPANS:
        if passed_s < below:
            return f"{int(passed_s // unit_s)} {name} ago"
    return f"{int(passed_s // (86400 * 365))} years ago"


def moment(at: str) -> str:
    """``2026-11-22 09:14:03 UTC``"""
    return f"{at[:10]} {at[11:19]} UTC"


def size(count: int) -> str:
    """Bytes in the unit that suits: ``1.4 MiB``."""
    value, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"


def counted(count: int, noun: str) -> str:
    """``1 file``, ``3 files``"""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def number(value: float) -> str:
    """A measure with six significant digits; whole numbers whole."""
    if value == value and abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return f"{value:.6g}"


def apart(before: Any, after: Any) -> tuple[str, str]:
    """Two values as text; two that differ never look alike."""
    a, b = anything(before), anything(after)
    return (a, b) if a != b else (repr(before), repr(after))


def anything(value: Any) -> str:
    """A value of params, labels or metrics as text."""
    match value:
        case None:
            return "-"
        case bool() | str():
            return str(value)
        case int() | float():
            return number(value)
        case _:
            from .plain import json_text

            return json_text(value, indent=False)


def pairs(values: Mapping[str, Any]) -> str:
    """``depth=6, eta=0.1``"""
    return ", ".join(f"{name}={anything(value)}" for name, value in values.items())


def digest(text: str | None, digits: int = 12) -> str:
    """The start of a digest: ``sha256:3fa9c1d2e4f5…``"""
    return f"{text[: text.rfind(':') + 1 + digits]}…" if text else ""
