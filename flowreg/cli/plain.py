"""Views as JSON. Field names are those of the views (``core.views``, ``core.decision``) and stay as they are.

Rule 1: moments are RFC 3339; numbers that JSON lacks are the texts "NaN", "Infinity" and "-Infinity".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from ..core.events import write_measure

_NAMES = ("ref", "stamp")  # what a version or an evaluation is called, beside its fields


def json_text(value: Any, *, indent: bool = True) -> str:
    """``value`` as JSON in ASCII, so that it survives every terminal and pipe."""
    return json.dumps(plain(value), indent=2 if indent else None, allow_nan=False)


def plain(value: Any) -> Any:
    """``value`` in mappings, lists, text, numbers, booleans and None."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return write_measure(value)
        case Mapping():
            return {str(name): plain(item) for name, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    if is_dataclass(value):
        names = [*(n for n in _NAMES if hasattr(value, n)), *(f.name for f in fields(value))]
        return {name: plain(getattr(value, name)) for name in names}
    return plain(value.model_dump())
