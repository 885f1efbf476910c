"""How much may be in memory at once: whoever sends or receives holds its bytes against one allowance and waits for its turn."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class InFlight:
    """An allowance of bytes, of its own in every process: a forked child does not wait for what its parent sends."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._of_process: dict[int, _Allowance] = {}

    @contextmanager
    def holding(self, size_bytes: int) -> Iterator[None]:
        """Wait until ``size_bytes`` may be held, and hold them for the block. Blocks are not nested."""
        mine = self._of_process.get(os.getpid()) or self._of_process.setdefault(os.getpid(), _Allowance(self.limit_bytes))
        held = min(size_bytes, self.limit_bytes)  # what is larger than all goes alone
        with mine.changed:
            mine.changed.wait_for(lambda: mine.left >= held)
            mine.left -= held
        try:
            yield
        finally:
            with mine.changed:
                mine.left += held
                mine.changed.notify_all()


class _Allowance:
    def __init__(self, left: int) -> None:
        self.left = left
        self.changed = threading.Condition()
