"""The next entries of many journals, read in one batch: most have none, and that costs no round trip each.

Rule 1: what was read ahead is given once. Who asks again (to tell a hole from an entry that has just landed) asks the storage.
Rule 2: as everywhere, an end is believed where two numbers in a row are missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..core.layout import entry_path
from .windows import MOST_AT_ONCE, WINDOWS, Reads


class Ahead:
    """Reads like a store; what it has read ahead it does not ask for again."""

    def __init__(self, store: Reads[bytes], known: Mapping[str, int]) -> None:
        """``known`` is the number of the last entry that is known, by model."""
        self._store = store
        paths = {model: [entry_path(model, seq + i) for i in range(1, WINDOWS[0] + 1)] for model, seq in known.items()}
        self._read = _read(store, [path for of_model in paths.values() for path in of_model])
        self.moved = tuple(model for model, of_model in paths.items() if any(self._read[path] is not None for path in of_model))

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        """The bytes at each path, or None."""
        found = {path: self._read.pop(path) for path in paths if path in self._read}
        missing = [path for path in paths if path not in found]
        found |= zip(missing, self._store.read_many(missing) if missing else (), strict=True)
        return [found[path] for path in paths]


def _read(store: Reads[bytes], paths: Sequence[str]) -> dict[str, bytes | None]:
    batches = [paths[start : start + MOST_AT_ONCE] for start in range(0, len(paths), MOST_AT_ONCE)]
    return {path: raw for batch in batches for path, raw in zip(batch, store.read_many(batch), strict=True)}
