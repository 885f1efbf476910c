"""A store whose listings tell of the past, as some object stores' did, while reads tell the truth. All its clients see the same lag."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flowreg.storage.store import Store


class Lag:
    """The last ``calls`` changes to the storage, which no listing shows yet."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self._changes: list[tuple[str, bool]] = []  # a path, and whether it was there before

    def note(self, path: str, before: bool) -> None:
        self._changes.append((path, before))

    def listed_before(self) -> dict[str, bool]:
        """For each path that changed lately, whether listings show it."""
        return dict(reversed(self._changes[-self.calls :]))  # the oldest of a path counts


class LaggingStore:
    """One client of ``inner``."""

    def __init__(self, inner: Store, lag: Lag) -> None:
        self._inner, self._lag = inner, lag

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def create(self, path: str, data: bytes) -> None:
        self._inner.create(path, data)
        self._lag.note(path, before=False)

    def replace(self, path: str, data: bytes) -> None:
        before = self._inner.read(path) is not None
        self._inner.replace(path, data)
        self._lag.note(path, before)

    def remove(self, path: str) -> None:
        before = self._inner.read(path) is not None
        self._inner.remove(path)
        self._lag.note(path, before)

    def put_bytes(self, path: str, data: bytes) -> None:
        before = self._inner.read(path) is not None
        self._inner.put_bytes(path, data)
        self._lag.note(path, before)

    def put_file(self, source: Any, place: Any, *more: Any) -> tuple[int, str]:
        placed: list[str] = []
        size, digest = self._inner.put_file(source, lambda found: placed.append(place(found)) or placed[-1], *more)  # type: ignore[func-returns-value]
        self._lag.note(placed[-1], before=False)
        return size, digest

    def names(self, folder: str) -> list[str]:
        return sorted(set(self._seen(folder, self._inner.names(folder))))

    def sizes(self, folder: str) -> list[tuple[str, int, datetime]]:
        now = {name: (name, size, at) for name, size, at in self._inner.sizes(folder)}
        seen = [name for name in self._seen(folder, list(now)) if not name.endswith("/")]
        return [now.get(name, (name, 1, datetime(2026, 1, 1, tzinfo=UTC))) for name in sorted(set(seen))]

    def _seen(self, folder: str, now: list[str]) -> Iterator[str]:
        prefix, before = f"{folder}/" if folder else "", self._lag.listed_before()
        hidden = {path[len(prefix) :] for path, there in before.items() if not there and path.startswith(prefix)}
        for name in now:
            if name.endswith("/"):
                known = self._below(f"{prefix}{name}")
                if not known or any(path not in before or before[path] for path in known):
                    yield name
            elif name not in hidden:
                yield name
        gone = (path[len(prefix) :] for path, there in before.items() if there and path.startswith(prefix))
        yield from (f"{name.partition('/')[0]}/" if "/" in name else name for name in gone)

    def _below(self, folder: str) -> list[str]:
        names = self._inner.names(folder.rstrip("/"))
        files = [folder + name for name in names if not name.endswith("/")]
        return files + [path for name in names if name.endswith("/") for path in self._below(folder + name)]
