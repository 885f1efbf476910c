"""What an object is, told without importing the library that made it.

Rule: decide by the names of the classes it descends from. Whoever holds a torch tensor has imported torch already;
everybody else must not pay for it.
"""

from __future__ import annotations

from typing import Any


def is_a(obj: Any, package: str, name: str) -> bool:
    """Whether ``obj`` is an instance of a class ``name`` of ``package`` or a subclass of one: ``is_a(x, "numpy", "ndarray")``."""
    return any(kind.__name__ == name and root_of(kind) == package for kind in type(obj).__mro__)


def is_exactly(obj: Any, package: str, names: frozenset[str]) -> bool:
    """Whether the class of ``obj`` itself, not one it descends from, is one of these of ``package``."""
    return type(obj).__name__ in names and root_of(type(obj)) == package


def described(obj: Any) -> str:
    """The class of ``obj`` for a message: ``sklearn.pipeline.Pipeline``."""
    kind = type(obj)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def root_of(kind: type) -> str:
    """The top-level package that defines ``kind``."""
    return str(kind.__module__).partition(".")[0]
