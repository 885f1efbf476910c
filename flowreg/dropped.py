"""Versions whose bytes a collection dropped: whoever asks for the bytes is told so, and not that something is broken."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from .core.decide import bytes_dropped
from .errors import Corrupt
from .journals import Journals


def refuse_dropped(journals: Journals, model: str, number: int) -> None:
    """``Refused`` where the bytes of this version are dropped by now."""
    version = journals.of(model).state().version(number)
    if version is not None and version.dropped is not None:
        raise bytes_dropped(f"{model}@{number}", version.dropped)


@contextlib.contextmanager
def told_if_dropped(journals: Journals, model: str, number: int) -> Iterator[None]:
    """Where bytes turn out to be gone, the journal is asked again: they may have been dropped since, or been there in the past only."""
    try:
        yield
    except Corrupt as error:
        if error.code == "missing-blob":
            refuse_dropped(journals, model, number)
        raise
