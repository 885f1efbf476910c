"""An alias: who holds it, how it came to that, and which moves have an effect.

Rule 1: the rules are applied twice: by writers before they write, by readers to what others have written. A writer that skips them
achieves nothing.
Rule 2: an alias that a policy protects moves by a passing decision for exactly this candidate, holder and policy, back along its own
history, or by an override that the policy allows; nothing else moves it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .events import AliasMoved, By, Decided
from .policies import PolicyRecord


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where and when something was said, and by whom."""

    seq: int
    at: str
    by: By
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """One move of an alias."""

    said: AliasMoved
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class AliasState:
    """An alias: who holds it (None: nobody), and every move so far. ``trail`` is what a rollback walks: the holders that
    led to the present one, newest last; a rollback takes its steps off again."""

    version: int | None
    moves: tuple[Move, ...]
    trail: tuple[int, ...]

    @property
    def generation(self) -> int:
        return len(self.moves)


NOBODY = AliasState(None, (), ())


def trail_after(before: AliasState, event: AliasMoved) -> tuple[int, ...]:
    """The trail of an alias after this move: a rollback cuts it back to its target, any other move adds the old holder."""
    if event.how == "rollback" and event.version in before.trail:
        last = len(before.trail) - 1 - before.trail[::-1].index(event.version)
        return before.trail[:last]
    return before.trail if before.version is None else (*before.trail, before.version)


def why_not_moved(
    event: AliasMoved,
    before: AliasState,
    *,
    policy: PolicyRecord | None,
    decided: Decided | None,
    actor: str,
    because: str | None,
    at: str,
) -> str | None:
    """The reason why this move has no effect under this policy, or None. Read by writers before and by readers after the fact."""
    match event.how:
        case "promotion":
            return _why_no_promotion(event, before, policy, decided, at)
        case "rollback":
            held = {move.said.version for move in before.moves}
            if event.version is None or event.version not in held or event.version == before.version:
                return f"version {event.version} never held it before"
            return None if because else "a rollback needs a reason"
        case "override":
            if policy is None or not policy.allows_override_by(actor):
                return f"no policy allows {actor} to override"
            return None if because else "an override needs a reason"
        case "set" | "removal":
            if (event.version is None) != (event.how == "removal"):
                return f"a move called {event.how} to version {event.version}"
            return f"policy {policy.name} protects it" if policy else None


def _why_no_promotion(
    event: AliasMoved, before: AliasState, policy: PolicyRecord | None, decided: Decided | None, at: str
) -> str | None:  # fmt: skip
    if policy is None:
        return "no policy is in force whose gates could have passed"
    if decided is None or decided.outcome != "promote":
        return "no passing decision comes with it"
    bound = (decided.alias, decided.version, decided.base, decided.generation, decided.policy_digest)
    if bound != (event.alias, event.version, before.version, before.generation, policy.digest):
        return "the decision was about another candidate, holder, moment or policy"
    if decided.expires_at is not None and at > decided.expires_at:
        return f"the decision was good until {decided.expires_at}"
    return None
