"""How often one dataset has decided about a model. Each decision learns a little from it, until it says what one wants to hear.

Dwork and others, The reusable holdout, Science 349 (2015) 636.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ..core.events import Decided
from .evidence import Source, plainly
from .facts import Facts

WORN_OUT = 20  # decisions


def uses(decisions: Iterable[Decided]) -> Mapping[tuple[str | None, str | None], int]:
    """How many of these decisions were taken on each dataset, by its name and the digest of its content."""
    return Counter((decision.dataset, decision.dataset_digest) for decision in decisions if decision.dataset is not None)


def worn_out(facts: Facts, data: Source) -> tuple[str, ...]:
    """A warning if this decision, counted with those before, is the 20th on its data or a later one."""
    used = facts.uses.get((data.name, data.digest), 0) + 1
    if data.name is None or used < WORN_OUT:
        return ()
    return (f"{plainly(data.name)} has been used {used} times to decide about {facts.model}; a fresh holdout is due",)
