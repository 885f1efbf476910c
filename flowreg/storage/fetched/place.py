"""Where the cache lies, and how large it may become: by the environment.

``$FLOWREG_CACHE`` is its folder; empty or ``off`` there is none. Else it lies where this system keeps caches (``$XDG_CACHE_HOME``).
``$FLOWREG_CACHE_SIZE`` is what it may take up: ``10GiB`` unless set.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from ...core.names import shown
from ...errors import BadInput
from .cache import Cache

DEFAULT_BYTES = 10 << 30
_UNITS = {"": 1, "K": 10, "M": 20, "G": 30, "T": 40}


def cache_here() -> Cache | None:
    """The cache of this process's user, or None where it is turned off. ``BadInput`` where its size is set to what is no size."""
    folder = _folder()
    set_size = os.environ.get("FLOWREG_CACHE_SIZE", "")
    limit = bytes_of(set_size, where="$FLOWREG_CACHE_SIZE") if set_size else DEFAULT_BYTES
    return Cache(folder, limit) if folder and limit and os.name != "nt" else None


def bytes_of(text: str, *, where: str) -> int:
    """A size as people write it (``10GiB``, ``500 MB``, ``0``) in bytes.

    >>> bytes_of("1.5 GiB", where="")
    1610612736
    """
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([KMGT]?)(i?)B?", text.strip(), re.IGNORECASE)
    if found is None:
        raise BadInput(f"{shown(text)} is no size", where=where, do="write 10GiB, 500MB or 0", code="bad-size")
    unit = found[2].upper()
    return int(float(found[1]) * (1 << _UNITS[unit] if found[3] and unit else 1000 ** "KMGT".index(unit) * 1000 if unit else 1))


def _folder() -> Path | None:
    said = os.environ.get("FLOWREG_CACHE")
    if said is not None:
        return None if said.strip().lower() in ("", "off") else Path(said).expanduser().absolute()
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home, as containers have them
        return None
    system = home / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    told = Path(os.environ.get("XDG_CACHE_HOME") or system)
    return (told if told.is_absolute() else system) / "flowreg"  # a relative one is to be ignored, says the XDG specification
