"""Is this whole UBJSON (https://ubjson.org, draft 12)? A walk over lengths, which builds nothing.

XGBoost's compiled reader believes every length it meets: a model file that was cut off ends the process instead of raising. So
the bounds are checked here first. Typed arrays, where nearly all bytes of a model lie, are skipped in one step.
"""

from __future__ import annotations

from struct import unpack_from

DEPTH_LIMIT = 64
_SIZES = {"Z": 0, "T": 0, "F": 0, "N": 0, "i": 1, "U": 1, "C": 1, "I": 2, "l": 4, "d": 4, "L": 8, "D": 8}
_INTEGERS = {"i": ">b", "U": ">B", "I": ">h", "l": ">i", "L": ">q"}


def require_whole(raw: bytes) -> None:
    """``ValueError`` unless ``raw`` is exactly one UBJSON object, complete to its last byte."""
    if raw[:1] != b"{":
        raise ValueError("it does not start as UBJ does")
    end = _Walk(raw).value(0, depth=0)
    if end != len(raw):
        raise ValueError(f"it goes on for {len(raw) - end} bytes after its end")


class _Walk:
    """Each method takes the position where something starts, and returns the one after it."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def value(self, at: int, *, depth: int) -> int:
        return self._of(self._marker(at), at + 1, depth=depth)

    def _of(self, marker: str, at: int, *, depth: int) -> int:
        if depth > DEPTH_LIMIT:
            raise ValueError(f"it is nested deeper than {DEPTH_LIMIT}")
        if marker in _SIZES:
            return self._skip(at, _SIZES[marker])
        if marker in "SH":
            return self._text(at)
        if marker in "[{":
            return self._container(at, is_object=marker == "{", depth=depth)
        raise ValueError(f"byte {at - 1} is no UBJ marker")

    def _container(self, at: int, *, is_object: bool, depth: int) -> int:
        kind, count = None, None
        if self._marker(at) == "$":
            kind, at = self._marker(at + 1), at + 2
            if self._marker(at) != "#":
                raise ValueError(f"byte {at} should be a count")
        if self._marker(at) == "#":
            count, at = self._integer(at + 1)
        if kind in _SIZES and count is not None and not is_object:
            return self._skip(at, _SIZES[kind] * count)
        return self._items(at, kind, count, is_object=is_object, depth=depth)

    def _items(self, at: int, kind: str | None, count: int | None, *, is_object: bool, depth: int) -> int:
        close, done = "}" if is_object else "]", 0
        while count is None or done < count:
            if count is None and self._marker(at) == close:
                return at + 1
            if is_object:
                at = self._text(at)
            at = self._of(kind, at, depth=depth + 1) if kind else self.value(at, depth=depth + 1)
            done += 1
        return at

    def _text(self, at: int) -> int:
        length, at = self._integer(at)
        return self._skip(at, length)

    def _integer(self, at: int) -> tuple[int, int]:
        marker = self._marker(at)
        if marker not in _INTEGERS:
            raise ValueError(f"byte {at} should be the sort of an integer")
        end = self._skip(at + 1, _SIZES[marker])
        number = int(unpack_from(_INTEGERS[marker], self._raw, at + 1)[0])
        if number < 0:
            raise ValueError(f"the length at byte {at} is negative")
        return number, end

    def _marker(self, at: int) -> str:
        return chr(self._raw[self._skip(at, 1) - 1])

    def _skip(self, at: int, size: int) -> int:
        if at + size > len(self._raw):
            raise ValueError(f"it ends at byte {len(self._raw)}, in the middle of something")
        return at + size
