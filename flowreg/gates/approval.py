"""The gate that asks people: ``{check: approval, by: [model-risk], count: 2, not_author: true, valid_days: 14}``.

Rule 1: a word counts for what it was said about and for nothing else: these bytes, this alias and holder, this policy.
Rule 2: of several words of one person about the same thing the last counts. One no of somebody who is asked is a no.
Rule 3: who is missing is waited for; nobody's silence is a yes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ..core.decision import GateResult
from ..core.events import Ordinal
from .evidence import Evidence, listed, plainly
from .facts import Approval as Word
from .facts import Facts
from .gate import Gate
from .part import Word as Name


class Approval(Gate):
    """``count`` people of those that ``by`` names (groups, or people by their own name) must say yes.

    With ``not_author`` nobody counts who registered or evaluated the version, or asked for its promotion. A yes is good for ``valid_days``,
    or for as long as the holder and the policy stay.
    """

    kind: ClassVar[str] = "approval"
    noun: ClassVar[str] = "an approval gate"

    check: Literal["approval"] = "approval"
    by: Annotated[tuple[Name, ...], Field(strict=False, min_length=1)]
    count: Ordinal = 1
    not_author: bool = False
    valid_days: Annotated[int | None, Field(ge=1, le=3660)] = None

    @property
    def label(self) -> str:
        return self.id or f"approval by {' or '.join(self.by)}"

    def judge(self, evidence: Evidence) -> GateResult:
        facts = evidence.facts
        said = [word for word in facts.approvals if word.actor in self._asked(facts.people)]
        bound = last_words(word for word in said if is_about_this(word, facts, evidence.policy_digest))
        if no := next((word for word in bound if not word.approved), None):
            reason = plainly(no.reason) if no.reason else "no reason was given"
            return self.found("fail", f"{plainly(no.actor)} said no: {reason}")
        fresh = [word for word in bound if self._is_fresh(word, facts.asked_at)]
        counted = [word.actor for word in fresh if not (self.not_author and word.actor in facts.authors)]
        numbers = {"left": float(len(counted)), "right": float(self.count), "headroom": float(len(counted) - self.count)}
        if len(counted) >= self.count:
            return self.found("pass", f"{len(counted)} of {self.count} ({listed(counted)})", **numbers)
        return self.found("pending", self._missing(counted, fresh, bound, said, facts), **numbers)

    def _asked(self, people: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
        """Those who are asked: the members of a group, and whoever is named himself."""
        return frozenset({*self.by, *(person for name in self.by for person in people.get(name, ()))})

    def _is_fresh(self, word: Word, now: str) -> bool:
        age = datetime.fromisoformat(now) - datetime.fromisoformat(word.at)
        return self.valid_days is None or age <= timedelta(days=self.valid_days)

    def _missing(self, counted: Sequence[str], fresh: Sequence[Word], bound: Sequence[Word], said: Sequence[Word], facts: Facts) -> str:
        names = f" ({listed(counted)})" if counted else ""
        sentence = f"{len(counted)} of {self.count}{names}: waits for {' or '.join(map(plainly, self.by))}"
        authors = [f"{plainly(w.actor)} {facts.authors[w.actor]}" for w in fresh if self.not_author and w.actor in facts.authors]
        expired = [word.actor for word in bound if word not in fresh]
        void = {word.actor for word in said if word.approved} - {word.actor for word in bound}
        groups = [name for name in self.by if name in facts.people]
        notes = [
            f"{', '.join(authors)} and does not count" if authors else "",
            f"that of {listed(expired)} is older than {self.valid_days} d" if expired else "",
            f"that of {listed(void)} was about another holder or an earlier policy" if void else "",
            "" if groups or void or counted else "none of these is a group of this registry",
        ]
        return "; ".join(filter(None, (sentence, *notes)))

    def to_json(self) -> dict[str, Any]:
        return {"check": self.check, **super().to_json()}


def last_words(words: Iterable[Word]) -> tuple[Word, ...]:
    """The word that stands of each person: the last no if nothing followed it, else the newest yes since."""
    by_person: defaultdict[str, list[Word]] = defaultdict(list)
    for word in sorted(words, key=lambda word: word.seq, reverse=True):
        by_person[word.actor].append(word)
    return tuple(map(_standing, by_person.values()))


def _standing(newest_first: Sequence[Word]) -> Word:
    since = list(takewhile(lambda word: word.approved, newest_first))
    return max(since, key=lambda word: word.at) if since else newest_first[0]


def is_about_this(word: Word, facts: Facts, policy_digest: str) -> bool:
    """Was it said about this candidate, this holder and this policy?"""
    holder = facts.holder.number if facts.holder else None
    return (word.version, word.manifest, word.alias, word.base, word.generation, word.policy_digest) == (
        facts.candidate.number, facts.candidate.manifest, facts.alias, holder, facts.generation, policy_digest,
    )  # fmt: skip
