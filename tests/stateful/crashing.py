"""A store at whose n-th writing the process dies, or the reply is lost.

Rule 1: a process that died does nothing any more, and neither do its threads.
Rule 2: what the thread of the caches writes is not counted, since nobody knows when it comes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Literal

from flowreg.storage.store import Store

WRITING = frozenset({"create", "replace", "put_bytes", "put_file"})
Fault = Literal["dies before", "dies after", "loses the reply"]


class Crash(BaseException):
    """The process is gone. No ``except Exception`` stops it."""


class CrashingStore:
    """The store ``inner``, as one process sees it."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self._lock = threading.Lock()
        self._countdown, self._fault = 0, ""
        self._dead = False

    def arm(self, at: int, fault: Fault) -> None:
        """The fault happens at the ``at``-th writing from now on."""
        self._countdown, self._fault = at, fault

    def disarm(self) -> None:
        self._countdown = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._guarded(name, found) if callable(found) else found

    def _guarded(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **named: Any) -> Any:
            if self._dead:
                raise OSError("this process is gone")
            fault = self._due() if name in WRITING else ""
            if fault == "dies before":
                self._die()
            answer = call(*args, **named)
            if fault == "dies after":
                self._die()
            if fault and name == "create":
                raise TimeoutError("the reply was lost")
            return answer

        return guarded

    def _due(self) -> str:
        if threading.current_thread().name == "flowreg-caches":
            return ""
        with self._lock:
            self._countdown -= 1
            return self._fault if self._countdown == 0 else ""

    def _die(self) -> None:
        self._dead = True
        raise Crash
