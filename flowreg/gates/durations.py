"""Spans of time as a policy writes them: ``24h``, ``90min``, ``7d``, ``30s``."""

from __future__ import annotations

import re

from ..core.names import shown
from ..errors import BadInput
from .tree import UNITS

_DURATION = re.compile(r"([1-9][0-9]{0,8}) ?(s|min|h|d)")
_LONGEST_S = 366 * 86400


def duration(text: str) -> str:
    """The text in its one form, ``90 min`` as ``90min``; ``BadInput`` where it says no time up to 366 days."""
    found = _DURATION.fullmatch(text)
    if found is None or _seconds(found) > _LONGEST_S:
        raise BadInput(f"{shown(text)} is not a time", do="write for example 24h, 90min or 7d, at most 366d", code="bad-policy")
    return f"{found[1]}{found[2]}"


def seconds(checked: str) -> int:
    """The seconds of a text that ``duration`` has checked."""
    found = _DURATION.fullmatch(checked)
    assert found is not None, "validated"
    return _seconds(found)


def _seconds(found: re.Match[str]) -> int:
    return int(found[1]) * int(UNITS[found[2]])
