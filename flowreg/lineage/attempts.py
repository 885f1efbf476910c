"""Best effort, in one place: each thing is tried by itself, and what could not be learnt becomes a sentence.

Rule 1: nothing raises. A failure costs the one field it belongs to.
Rule 2: a sentence never repeats the text of an error: that may hold what was passed to the failing call.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Attempts:
    """Tries things until the moment ``ends_at`` of the monotonic clock; ``warnings`` collects what went wrong."""

    ends_at: float
    warnings: list[str] = field(default_factory=list)

    @property
    def left_s(self) -> float:
        """The seconds that are left, never below zero."""
        return max(0.0, self.ends_at - time.monotonic())

    def get(self, what: str, read: Callable[[], T]) -> T | None:
        """What ``read`` returns, or None with a warning: it failed, or the time is used up."""
        if not self.left_s:
            self.warn(what, "skipped, the time for looking around was used up")
            return None
        try:
            return read()
        except Exception as error:
            self.warn(what, f"could not be read ({type(error).__name__})")
            return None

    def warn(self, what: str, reason: str) -> None:
        self.warnings.append(f"{what}: {reason}")
