"""Locks that survive a fork: a child does not wait for a thread that exists only in its parent."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any


class ProcessLock:
    """A lock of its own in every process. What it guards is changed in single steps, so that a child finds it whole."""

    def __init__(self, make: Callable[[], AbstractContextManager[Any]] = threading.Lock) -> None:
        self._make = make
        self._of_process: dict[int, AbstractContextManager[Any]] = {}

    def __enter__(self) -> None:
        self._here().__enter__()

    def __exit__(self, *error: Any) -> None:
        self._here().__exit__(*error)

    def _here(self) -> AbstractContextManager[Any]:
        return self._of_process.get(os.getpid()) or self._of_process.setdefault(os.getpid(), self._make())
