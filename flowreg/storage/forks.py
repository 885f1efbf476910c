"""Values that survive a fork: a child does not wait for a thread that exists only in its parent."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """A value of its own in every process, made when it is first asked for."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._of_process: dict[int, T] = {}

    def here(self) -> T:
        found = self._of_process.get(os.getpid())
        return self._of_process.setdefault(os.getpid(), self._make()) if found is None else found


class ProcessLock:
    """A lock of its own in every process. What it guards is changed in single steps, so that a child finds it whole."""

    def __init__(self) -> None:
        self._lock = PerProcess(threading.Lock)

    def __enter__(self) -> None:
        self._lock.here().__enter__()

    def __exit__(self, *error: Any) -> None:
        self._lock.here().__exit__(*error)
