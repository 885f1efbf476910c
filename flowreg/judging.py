"""Judging a candidate: gather the facts from the registry, let the gates say, keep the decision to its moment."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from . import ids, tables
from .artifacts import fetch_artifact
from .core import cards, decide
from .core.aliases import NOBODY
from .core.codec import encode
from .core.decision import Decision, Override
from .core.events import By, Event, Run
from .core.policies import PolicyRecord, RegistryState
from .core.state import ApprovalState, EvaluationState, ModelState, VersionState
from .errors import Conflict, Refused
from .gates import Facts, Measured, PerExample, Policy, Subject, blocked_message, judge
from .gates.calling import ask
from .gates.contents import contents_of
from .gates.examples import Table
from .gates.examples import read as read_table
from .gates.facts import Answer, Approval, Call, Content
from .gates.holdouts import uses
from .gates.missing import with_missing
from .storage import blobs
from .storage.incarnations import Places
from .storage.store import Store
from .version import VERSION

__all__ = ["Promotion", "blocked_message", "judged"]


class Promotion:
    """One request to move an alias: judged again on every newer state, as long as the alias has not moved since the first."""

    def __init__(
        self, store: Store, model: str, number: int, alias: str, *, by: By, override: str | None = None, run: Run | None = None
    ) -> None:
        self._store, self._number, self._by, self._override = store, number, by, override
        self.model, self.alias, self.run = model, alias, run
        self.decision: Decision | None = None

    def events(self, state: ModelState, policies: RegistryState) -> Sequence[Event]:
        """What shall happen in this state; the decision it rests on is stored as a blob and kept in ``decision``."""
        policy = policies.in_force(self.model, self.alias)
        decide.may_hold(state, self._number, self.alias, model=self.model)
        if policy is None or state.aliases.get(self.alias, NOBODY).version == self._number:
            self.decision = None
            return decide.promote(state, self._number, self.alias, model=self.model, policy=None, decision=None)
        decision = judged(
            self._store, self.model, state, self._number, policy, by=self._by, override=self._override, people=policies.people
        )  # fmt: skip
        self._refuse_if_moved(decision)
        self.decision = decision
        digest = blobs.put(self._store, encode(decision.model_dump(exclude_none=True)), Places(policies.doomed))
        return decide.promote(state, self._number, self.alias, model=self.model, policy=policy, decision=(digest, decision))

    def question(self, state: ModelState, policies: RegistryState) -> Sequence[Event]:
        """The same, where the decision waits for people; what would move the alias is left out."""
        events = self.events(state, policies)
        return events if self.decision is not None and self.decision.outcome == "waiting" else []

    def _refuse_if_moved(self, decision: Decision) -> None:
        first = self.decision
        if first is None or (first.base, first.generation) == (decision.base, decision.generation):
            return
        before, after = (f"version {d.base.version}" if d.base else "nobody" for d in (first, decision))
        raise Conflict(
            f"{self.alias} of {self.model} moved from {before} to {after} while the gates ran",
            where="nothing changed",
            do="run promote again: the gates are judged against the new holder",
            code="holder-moved",
        )


def judged(
    store: Store,
    model: str,
    state: ModelState,
    number: int,
    record: PolicyRecord,
    *,
    by: By,
    override: str | None = None,
    people: Mapping[str, tuple[str, ...]] | None = None,
    asked_at: str | None = None,
    call: Callable[[Call], Answer] | None = ask,
) -> Decision:
    """The decision of the policy about version ``number`` in this state; with the override in it, where one was needed and is allowed.

    ``asked_at`` is now if left out; ``call`` asks the functions of python gates (None: none is asked).
    """
    policy = Policy.parse(with_missing(record.policy))
    facts = _facts(store, model, state, number, policy, by, people or {}, asked_at or ids.now())
    decision = judge(policy, record.digest, replace(facts, call=call))
    if override is None or decision.outcome == "promote":
        return decision
    if not record.allows_override_by(by.actor):
        raise Refused(
            f"policy {record.name} does not allow {by.actor} to override it",
            where=f"{record.alias} of {model}; nothing was written",
            do="ask somebody named under override.by, or meet the gates",
            code="no-override",
        )
    return decision.model_copy(update={"override": Override(by=by.actor, reason=override)})


def _facts(
    store: Store, model: str, state: ModelState, number: int, policy: Policy, by: By, people: Mapping[str, tuple[str, ...]],
    asked_at: str,
) -> Facts:  # fmt: skip
    aliases, numbers = policy.mentions()

    @cache
    def subject(version: int) -> Subject:
        return _subject(store, model, state.versions[version - 1], asked_at)

    alias = state.aliases.get(policy.alias)
    holders = {name: state.aliases[name].version for name in aliases if name in state.aliases}
    return Facts(
        model=model,
        alias=policy.alias,
        candidate=subject(number),
        holder=subject(alias.version) if alias and alias.version else None,
        generation=alias.generation if alias else 0,
        asked_at=asked_at,
        expires_at=ids.later(asked_at, policy.decision_ttl_s),
        asked_by=by.actor,
        decision_id=ids.new_id(),
        flowreg_version=VERSION,
        aliases={name: subject(version) for name, version in holders.items() if version},
        versions={n: subject(n) for n in numbers if state.version(n)},
        flow_run=by.flow_run,
        approvals=tuple(_approval(a) for a in state.approvals if (a.said.version, a.said.alias) == (number, policy.alias)),
        people=people,
        authors=_authors(state, number, policy.alias),
        uses=uses(decision.said for decision in state.decisions),
    )


def _approval(state: ApprovalState) -> Approval:
    said, stamp = state.said, state.stamp
    return Approval(
        state.person, stamp.at, said.verdict == "approved", stamp.because or "", said.version, said.manifest, said.alias, said.base,
        said.generation, said.policy_digest, stamp.seq,
    )  # fmt: skip


def _authors(state: ModelState, number: int, alias: str) -> dict[str, str]:
    """Who had a hand in a version, and how: registered it, evaluated it, or asked for its promotion before saying yes to it."""
    version, asked = state.versions[number - 1], (number, alias)
    first_word = {a.person: a.stamp.seq for a in reversed(state.approvals) if (a.said.version, a.said.alias) == asked}
    hands = [(version.stamp, "registered it"), *((e.stamp, "evaluated it") for e in version.evaluations)]
    hands += [
        (d.stamp, "asked for its promotion")
        for d in state.decisions
        if (d.said.version, d.said.alias) == asked and d.stamp.seq < first_word.get(d.stamp.by.actor, d.stamp.seq + 1)
    ]
    return {stamp.by.actor: did for stamp, did in reversed(hands)}


def _subject(store: Store, model: str, version: VersionState, asked_at: str) -> Subject:
    ref = f"{model}@{version.number}"
    measured: list[Measured] = []
    for evaluation in version.evaluations:
        e, order = evaluation.said, evaluation.stamp.seq
        measured += [Measured(name, value, e.dataset, e.dataset_digest, (), e.n, order) for name, value in e.metrics.items()]
        measured += [
            Measured(row["metric"], row["value"], e.dataset, e.dataset_digest, tuple(sorted(row["slice"].items())), row["n"], order)
            for row in tables.slice_rows(store, e.table, ref)
        ]
    examples = tuple(_per_example(store, ref, e) for e in version.evaluations if e.said.examples)
    return Subject(
        ref, version.number, version.manifest, tuple(measured), _plain(version, asked_at), _paths(store, version), examples,
        _contents(store, version, ref),
    )  # fmt: skip


def _contents(store: Store, version: VersionState, ref: str) -> Callable[[str | None], Sequence[Content]]:
    """Looks at every byte of an artifact, in a copy that is verified and goes away."""

    @cache
    def look(scanner: str | None) -> Sequence[Content]:
        if version.dropped is not None:
            raise decide.bytes_dropped(ref, version.dropped)
        with tempfile.TemporaryDirectory(prefix="flowreg-scan-") as folder:
            return contents_of(fetch_artifact(store, version.manifest, Path(folder, "files"), ref=ref), scanner)

    return look


def _per_example(store: Store, ref: str, evaluation: EvaluationState) -> PerExample:
    """The table is read when a gate asks for it, and once."""
    said = evaluation.said

    @cache
    def read() -> Table:
        with blobs.as_file(store, said.examples or "", what=f"the examples of {ref}") as file:
            return read_table(file.read_bytes())

    return PerExample(said.dataset, said.dataset_digest, read, said.n, evaluation.stamp.seq)


def _plain(version: VersionState, asked_at: str) -> dict[str, float]:
    said = version.said
    plain = {"artifact.size": float(said.size_bytes), "artifact.files": float(said.file_count)}
    rows = [d.rows for d in said.data if d.rows is not None]
    if rows:
        plain["data.rows"] = float(sum(rows))
    if said.data:
        age = datetime.fromisoformat(asked_at) - datetime.fromisoformat(version.stamp.at)
        plain["data.age"] = age.total_seconds()
    return plain


def _paths(store: Store, version: VersionState) -> dict[str, Any]:
    said = version.said
    card = blobs.get(store, said.card, what=f"the card of version {version.number}").decode("utf-8", "replace") if said.card else None
    run: Run | None = said.run
    data = said.data[0].model_dump(exclude_none=True) if said.data else {}
    return {
        "card": cards.parts(card) or card if card else None,
        "owner": version.labels.get("owner"),
        "labels": version.labels,
        "params": said.params,
        "dataset": data,
        "data": data,
        "signature": said.signature,
        "git": run.git.model_dump(exclude_none=True) if run and run.git else {},
        "environment": run.environment.model_dump(exclude_none=True) if run and run.environment else {},
        "run": {**run.model_dump(exclude_none=True), "id": run.flow_run} if run else {},
    }
