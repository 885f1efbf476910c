"""The smoke alarm: picklescan, an optional package that knows bad calls by name. It may ring; its silence proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from ...errors import BadInput

Scanner = Callable[[IO[bytes], str], tuple[str, ...]]


def scanner_named(name: str | None) -> Scanner:
    """What listens to a pickle: its answer is what it reports."""
    if name is None:
        return lambda stream, inside: ()
    try:
        from picklescan.scanner import SafetyLevel, scan_pickle_bytes
    except ImportError:
        raise BadInput("the scanner picklescan is not installed", do='pip install "flowreg[scan]"', code="no-scanner") from None

    def scan(stream: IO[bytes], inside: str) -> tuple[str, ...]:
        result = scan_pickle_bytes(stream, inside or "this file")
        known = [f"{found.module}.{found.name}" for found in result.globals if found.safety is SafetyLevel.Dangerous]
        return (*known, *(["it could not read all of it"] if result.scan_err else []))

    return scan
