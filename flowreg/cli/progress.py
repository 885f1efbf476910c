"""A bar on standard error for hashing and copying, once it has taken a second; none where nobody looks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .paint import Screen

PATIENCE_S = 1.0
Done = Callable[[int], None]


@contextmanager
def watched(screen: Screen, what: str, total_bytes: int) -> Iterator[Done]:
    """Gives what is to be called with the bytes of each file that is done."""
    if not screen.terminal:
        yield lambda _: None
        return
    bar = _Bar(screen, what, total_bytes)
    timer = threading.Timer(PATIENCE_S, bar.show)
    timer.daemon = True
    timer.start()
    try:
        yield bar.add
    finally:
        timer.cancel()
        bar.close()


def bytes_below(path: str) -> int:
    """The size of a file, or of all files in a folder; 0 where there is none, which is for others to complain about."""
    place = Path(path)
    if place.is_file():
        return place.stat().st_size
    files = (Path(folder, name) for folder, _, names in os.walk(place) for name in names)
    return sum(file.lstat().st_size for file in files)


class _Bar:
    def __init__(self, screen: Screen, what: str, total_bytes: int) -> None:
        self._screen, self._what, self._total = screen, what, total_bytes
        self._done, self._closed = 0, False
        self._lock = threading.Lock()
        self._shown: Any = None

    def add(self, count: int) -> None:
        with self._lock:
            self._done += count
            if self._shown is not None:
                self._shown.update(self._task, completed=self._done)

    def show(self) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TransferSpeedColumn

        with self._lock:
            if self._closed:
                return
            columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(binary_units=True)
            self._shown = Progress(*columns, TransferSpeedColumn(), TimeElapsedColumn(), console=self._screen.console(), transient=True)
            self._task = self._shown.add_task(self._what, total=self._total, completed=self._done)
            self._shown.start()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._shown is not None:
                self._shown.stop()
