"""Which promotions wait for people, so that somebody can be reminded: ``waiting(registry)``.

Rule 1: a promotion waits if its last recorded decision said so and the gates still say so: words and holders may have changed since.
Rule 2: nothing is recorded by looking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..core.decision import Decision
from ..core.views import ModelLine, Version
from ..errors import NotFound, Refused
from ..registry import Registry


@dataclass(frozen=True, slots=True)
class Waiting:
    """A version that only people keep from an alias. ``asked_at`` is UTC, RFC 3339; ``sentences`` say who is missing."""

    ref: str
    alias: str
    asked_at: str
    asked_by: str
    sentences: tuple[str, ...]

    def __str__(self) -> str:
        when = self.asked_at[:16].replace("T", " ")
        return f"{self.ref} wants to become {self.alias}: {'; '.join(self.sentences)} (asked by {self.asked_by}, {when} UTC)"

    @property
    def command(self) -> str:
        """What a person types to say yes."""
        return f"flowreg approve {self.ref} --to {self.alias} --because '…'"


def waiting(registry: Registry) -> tuple[Waiting, ...]:
    """Every promotion that waits for people, by model, the newest version first."""
    return tuple(found for line in registry.models() if not line.broken for found in _of_model(registry, line))


def _of_model(registry: Registry, line: ModelLine) -> Iterator[Waiting]:
    for version in reversed(registry.versions(line.model)):
        if version.retired is not None:
            continue
        last: dict[str, Decision] = {decision.alias: decision for decision in registry.decisions(version)}
        for asked in last.values():
            if asked.outcome == "waiting" and asked.alias not in version.aliases and (now := _now(registry, version, asked.alias)):
                yield Waiting(version.ref, asked.alias, asked.asked_at, asked.asked_by, tuple(each.sentence for each in now.failing()))


def _now(registry: Registry, version: Version, alias: str) -> Decision | None:
    """What the gates say now, where that is that people are missing."""
    try:
        decision = registry.judge(version, to=alias)
    except (NotFound, Refused):  # no policy any more, or barred: then nobody is asked
        return None
    return decision if decision.outcome == "waiting" else None
