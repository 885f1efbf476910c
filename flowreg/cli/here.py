"""What a verb is run in: which root, which moment, which screens. And how it answers: for a person, or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .blocks import Block
from .paint import Screen, paint

if TYPE_CHECKING:
    from ..registry import Registry
    from ..storage.store import Store


@dataclass(frozen=True, slots=True)
class Here:
    """The surroundings of one command."""

    out: Screen
    err: Screen
    root: str | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    storage_options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def at(self, root: str | None, typed: Iterable[str] = ()) -> Here:
        """The same surroundings, with the root that was typed and the options of its filesystem."""
        there = self if root is None else replace(self, root=root)
        if not typed:
            return there
        from .given import storage_options

        return replace(there, storage_options=storage_options(typed))

    def store(self) -> Store:
        """The store of the registry, where more than the registry is asked."""
        from ..root import default_root
        from ..storage.store import open_store

        return open_store(default_root() if self.root is None else self.root, self.storage_options)

    def registry(self, *, dry_run: bool = False) -> Registry:
        """The registry; with ``dry_run`` one whose writes stay in memory."""
        from ..registry import Registry

        registry = Registry(self.root, storage_options=self.storage_options)
        if not dry_run:
            return registry
        from .rehearsal import rehearsed

        return rehearsed(registry)

    def answer(self, value: Any, *, as_json: bool, drawn: Callable[[], Iterable[Block]]) -> int:
        """Print ``value`` as JSON, or what ``drawn`` draws for a person."""
        if as_json:
            from .plain import json_text

            self.out.write(json_text(value) + "\n")
        else:
            paint(self.out, drawn())
        return 0
