"""Random steps on a real registry and on a plain one at once: two handles, crashes in the middle, reopenings, caches that vanish.

Rule 1: after each step the *other* handle is asked, so that what is seen was written.
Rule 2: after a crash a new handle sees the state before the step or the state after it, nothing between. Then the step is asked for again.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import fsspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from flowreg import FlowregError, Policy, Registry, Version, ids
from flowreg.check import check
from flowreg.journals import Journals
from flowreg.storage.store import open_store

from .crashing import Crash, CrashingStore, Fault
from .plain import FREE, PROTECTED, Line, No, Plain

MODEL = "churn"
NUMBERS = st.integers(1, 12)
ALIASES = st.sampled_from([PROTECTED, FREE])
HANDLES = st.integers(0, 1)
FAULTS = st.sampled_from(["dies before", "dies after", "loses the reply"])
Act = Callable[[Registry], Any]
Change = Callable[[Plain], Any]


def policy(threshold: float) -> Policy:
    return Policy(policy="p", models=[MODEL], alias=PROTECTED, dataset="july", no_baseline="skip", gates=[f"auc >= {threshold}"])


class RegistryMachine(RuleBasedStateMachine):
    """``plain`` is what should be; ``moments`` what should have been, by the time of the clock after each step."""

    registry_type: type[Registry] = Registry

    def __init__(self) -> None:
        super().__init__()
        self.folder = f"/flowreg-{uuid.uuid4().hex}"
        self.patch = pytest.MonkeyPatch()
        self.clock = datetime(2026, 1, 1, tzinfo=UTC)
        self.patch.setattr(ids, "now", self._tick)
        self.plain = Plain()
        self.moments: list[tuple[str, Plain]] = []
        self.handles = [self.opened(), self.opened()]
        self.fault: tuple[int, Fault] | None = None

    def _tick(self) -> str:
        self.clock += timedelta(seconds=1)
        return ids.rfc3339(self.clock)

    def opened(self) -> tuple[Registry, CrashingStore]:
        """A process of its own."""
        store = CrashingStore(open_store(f"memory:/{self.folder}"))
        registry = self.registry_type(f"memory:/{self.folder}", actor="ana")
        registry._store, registry._journals = store, Journals(store, "ana")
        return registry, store

    def step(self, handle: int, act: Act, change: Change) -> None:
        """The same on both sides; a crash in the middle is lived through."""
        before, after = self.plain, self.plain.copied()
        expected, error = _tried(lambda: change(after))
        registry, store = self.handles[handle]
        if self.fault:
            store.arm(*self.fault)
            self.fault = None
        try:
            answer, raised = _answered(lambda: act(registry))
        except Crash:
            self.handles[handle] = self.opened()
            self.plain = self._settled(before, after)
            self.step(handle, act, change)
            return
        store.disarm()
        assert (raised, answer if expected is not None else None) == (error, expected)
        self.plain = after
        self.moments.append((self._tick(), after.copied()))

    def _settled(self, before: Plain, after: Plain) -> Plain:
        seen = self.looks(self.opened()[0])
        assert seen in (before.looks(), after.looks())
        there = after if seen == after.looks() else before
        in_force = self.opened()[0].policies()
        there.threshold = float(str(in_force[0].policy["gates"][0]).split()[-1].strip("'}")) if in_force else None
        return there

    # -- steps ---------------------------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.step(0, lambda r: _register(r, "first", 0, 0.7), lambda p: p.register("first", 0, 0.7))

    @rule(handle=HANDLES, weight=st.integers(1, 30), auc=st.sampled_from([0.5, 0.7, 0.9]))
    def register(self, handle: int, weight: int, auc: float) -> None:
        """A key that was used before is a twin: the same version."""
        known = next((v.auc for v in self.plain.versions if v.key == f"k{weight}"), auc)
        self.step(handle, lambda r: _register(r, f"k{weight}", weight, known), lambda p: p.register(f"k{weight}", weight, known))

    @rule(handle=HANDLES, number=NUMBERS)
    def register_another_under_a_known_key(self, handle: int, number: int) -> None:
        key = self.plain.versions[number % len(self.plain.versions)].key
        self.step(handle, lambda r: _register(r, key, 99, 0.7), lambda p: p.register(key, 99, 0.7))

    @rule(handle=HANDLES, number=NUMBERS, key=st.sampled_from("abc"))
    def evaluate(self, handle: int, number: int, key: str) -> None:
        self.step(handle, lambda r: _said(r.evaluate(_ref(number), {key: 0.1}, on="june", key=key)), lambda p: p.evaluate(number, key))

    @rule(handle=HANDLES, number=NUMBERS, text=st.sampled_from(["risk", "ops"]))
    def label(self, handle: int, number: int, text: str) -> None:
        self.step(handle, lambda r: _said(r.label(_ref(number), {"team": text})), lambda p: p.label(number, text))

    @rule(handle=HANDLES, number=NUMBERS, alias=ALIASES)
    def promote(self, handle: int, number: int, alias: str) -> None:
        self.step(handle, lambda r: _said(r.promote(_ref(number), to=alias)), lambda p: p.promote(number, alias))

    @rule(handle=HANDLES, alias=ALIASES, to=st.none() | NUMBERS)
    def rollback(self, handle: int, alias: str, to: int | None) -> None:
        self.step(handle, lambda r: _said(r.rollback(f"{MODEL}@{alias}", because="worse", to=to)), lambda p: p.rollback(alias, to))

    @rule(handle=HANDLES, alias=ALIASES)
    def remove_alias(self, handle: int, alias: str) -> None:
        self.step(handle, lambda r: r.remove_alias(f"{MODEL}@{alias}"), lambda p: p.remove(alias))

    @rule(handle=HANDLES, number=NUMBERS)
    def retire(self, handle: int, number: int) -> None:
        self.step(handle, lambda r: _said(r.retire(_ref(number), because="old")), lambda p: p.retire(number))

    @rule(handle=HANDLES, number=NUMBERS)
    def restore(self, handle: int, number: int) -> None:
        self.step(handle, lambda r: _said(r.restore(_ref(number), because="good again")), lambda p: p.restore(number))

    @rule(handle=HANDLES, threshold=st.sampled_from([0.6, 0.8]))
    def set_policy(self, handle: int, threshold: float) -> None:
        self.step(handle, lambda r: _said(r.set_policy(policy(threshold))), lambda p: p.set_policy(threshold))

    @rule(handle=HANDLES)
    def remove_policy(self, handle: int) -> None:
        self.step(handle, lambda r: r.remove_policy("p", because="no need"), lambda p: p.set_policy(None))

    # -- what goes wrong -----------------------------------------------------------------------------------------------

    @rule(at=st.integers(1, 5), fault=FAULTS)
    def the_next_step_meets(self, at: int, fault: Fault) -> None:
        self.fault = at, fault

    @rule(handle=HANDLES)
    def reopen(self, handle: int) -> None:
        self.handles[handle] = self.opened()

    @rule(handle=HANDLES)
    def flush(self, handle: int) -> None:
        self.handles[handle][0].flush()

    @rule(folder=st.sampled_from(["heads", f"models/{MODEL}/checkpoints"]))
    def caches_vanish(self, folder: str) -> None:
        files = fsspec.filesystem("memory")
        if files.exists(f"{self.folder}/{folder}"):
            files.rm(f"{self.folder}/{folder}", recursive=True)

    # -- what must be so -----------------------------------------------------------------------------------------------

    @rule(handle=HANDLES, back=st.integers(0, 50))
    @precondition(lambda self: self.moments)
    def the_past_is_as_it_was(self, handle: int, back: int) -> None:
        """``as_of`` the moment after any earlier step."""
        at, plain = self.moments[max(0, len(self.moments) - 1 - back)]
        assert self.looks(self.handles[handle][0], as_of=at) == plain.looks()

    @rule()
    def nothing_is_at_fault(self) -> None:
        assert check(open_store(f"memory:/{self.folder}"), read_data=True).faults == ()

    @invariant()
    def both_handles_see_what_should_be(self) -> None:
        for registry, _ in self.handles:
            assert self.looks(registry) == self.plain.looks()

    def looks(self, registry: Registry, as_of: str | None = None) -> Any:
        """Versions, holders and history as the registry tells them."""
        if not self.plain.versions and not registry.models():
            return [], {}, []
        versions = registry.versions(MODEL, as_of=as_of)
        seen = [(v.key, v.params["weight"], v.metrics["auc"], _measured(v), v.labels, v.retired is not None) for v in versions]
        holders = {alias: v.number for v in versions for alias in v.aliases}
        return seen, holders, [Line(line.kind, line.version, line.alias) for line in registry.history(MODEL, as_of=as_of)]

    def teardown(self) -> None:
        try:
            self.nothing_is_at_fault()
        finally:
            self.patch.undo()
            for registry, _ in self.handles:
                registry.flush()
            with contextlib.suppress(FileNotFoundError):  # a cache of a process that died comes and goes while this looks
                fsspec.filesystem("memory").rm(self.folder, recursive=True)


def _register(registry: Registry, key: str, weight: int, auc: float) -> int:
    version = registry.register(
        MODEL, {"w": weight}, trust="pickle", key=key, params={"weight": weight}, metrics={"auc": auc}, on="july"
    )  # fmt: skip
    return version.number


def _measured(version: Version) -> list[str]:
    """What was evaluated since it was registered."""
    return [name for evaluation in version.evaluations[1:] for name in evaluation.metrics]


def _ref(number: int) -> str:
    return f"{MODEL}@{number}"


def _said(_: object) -> None:
    """The answer is seen in what the other handle tells."""


def _tried(change: Callable[[], Any]) -> tuple[Any, type[Exception] | None]:
    try:
        return change(), None
    except No as no:
        return None, no.error


def _answered(act: Callable[[], Any]) -> tuple[Any, type[Exception] | None]:
    try:
        return act(), None
    except FlowregError as error:
        return None, type(error)
