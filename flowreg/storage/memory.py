"""fsspec's filesystem in memory, one write at a time: by itself it looks whether a path is free, and then writes."""

from __future__ import annotations

import threading
from typing import Any

_LOCK = threading.Lock()  # fsspec keeps all files of all instances in one dictionary of the process, so one lock it is


class OneAtATime:
    """The files in memory, with a ``mode="create"`` that holds among threads."""

    def __init__(self, files: Any) -> None:
        self._files = files

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)

    def pipe_file(self, path: str, data: bytes, mode: str = "overwrite") -> None:
        with _LOCK:
            self._files.pipe_file(path, data, mode=mode)

    def put_file(self, source: str, path: str, mode: str = "overwrite", **_: Any) -> None:
        with open(source, "rb") as file:
            self.pipe_file(path, file.read(), mode=mode)
