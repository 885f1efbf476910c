"""Judging a candidate: gather the facts from the registry, let the gates say, keep the decision to its moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from . import ids, tables
from .core import decide
from .core.aliases import NOBODY
from .core.codec import encode
from .core.decision import Decision, Override
from .core.events import By, Event, Run
from .core.policies import PolicyRecord, RegistryState
from .core.state import ModelState, VersionState
from .errors import Conflict, Refused
from .gates import Facts, Measured, Policy, Subject, blocked_message, judge
from .storage import blobs
from .storage.incarnations import Places
from .storage.store import Store
from .version import VERSION

__all__ = ["Promotion", "blocked_message", "judged"]


class Promotion:
    """One request to move an alias: judged again on every newer state, as long as the alias has not moved since the first."""

    def __init__(self, store: Store, model: str, number: int, alias: str, *, by: By, override: str | None) -> None:
        self._store, self._model, self._number, self._alias = store, model, number, alias
        self._by, self._override = by, override
        self.decision: Decision | None = None

    def events(self, state: ModelState, policies: RegistryState) -> Sequence[Event]:
        """What shall happen in this state; the decision it rests on is stored as a blob and kept in ``decision``."""
        policy = policies.in_force(self._model, self._alias)
        decide.may_hold(state, self._number, self._alias, model=self._model)
        if policy is None or state.aliases.get(self._alias, NOBODY).version == self._number:
            self.decision = None
            return decide.promote(state, self._number, self._alias, model=self._model, policy=None, decision=None)
        decision = judged(self._store, self._model, state, self._number, policy, by=self._by, override=self._override)
        self._refuse_if_moved(decision)
        self.decision = decision
        digest = blobs.put(self._store, encode(decision.model_dump(exclude_none=True)), Places(policies.doomed))
        return decide.promote(state, self._number, self._alias, model=self._model, policy=policy, decision=(digest, decision))

    def _refuse_if_moved(self, decision: Decision) -> None:
        first = self.decision
        if first is None or (first.base, first.generation) == (decision.base, decision.generation):
            return
        before, after = (f"version {d.base.version}" if d.base else "nobody" for d in (first, decision))
        raise Conflict(
            f"{self._alias} of {self._model} moved from {before} to {after} while the gates ran",
            where="nothing changed",
            do="run promote again: the gates are judged against the new holder",
            code="holder-moved",
        )


def judged(
    store: Store, model: str, state: ModelState, number: int, record: PolicyRecord, *, by: By, override: str | None = None
) -> Decision:
    """The decision of the policy about version ``number`` in this state; with the override in it, where one was needed and is allowed."""
    policy = Policy.parse(record.policy)
    decision = judge(policy, record.digest, _facts(store, model, state, number, policy, by))
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


def _facts(store: Store, model: str, state: ModelState, number: int, policy: Policy, by: By) -> Facts:
    aliases, numbers = policy.mentions()
    asked_at = ids.now()

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
    )


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
    return Subject(ref, version.number, version.manifest, tuple(measured), _plain(version, asked_at), _paths(version))


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


def _paths(version: VersionState) -> dict[str, Any]:
    said = version.said
    run: Run | None = said.run
    data = said.data[0].model_dump(exclude_none=True) if said.data else {}
    return {
        "card": said.card,
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
