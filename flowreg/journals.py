"""All the journals of a registry, kept replayed: one for each model, and the registry's own with its policies.

Rule 1: a decision and its entry are made under one and the same state of the registry's journal, which ``under`` names.
Rule 2: an entry that readers would find void is not written.
Rule 3: an entry is written only while the blobs that were stored for it are not doomed, by the registry state that it is decided under.
Rule 4: the registry's journal names a model before the model's first entry is written, so that a collection knows whom to fence.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from . import ids
from .core import given
from .core.codec import Entry, Slot
from .core.events import By, Envelope, Event, Fenced, ModelCreated, RegistryCreated, Run
from .core.layout import HEADS, MODELS, journal_folder
from .core.policies import NO_POLICIES, RegistryState, replay_registry
from .core.replaying import replay
from .core.state import EMPTY, ModelState
from .errors import Corrupt, FlowregError
from .storage.ahead import Ahead
from .storage.caches import Caches, opened
from .storage.forks import ProcessLock
from .storage.incarnations import DoomedMeanwhile, Places
from .storage.journal import Journal, Opened
from .storage.parallel import parallel_map
from .storage.store import Store
from .storage.windows import gap, newest_listed

Decide = Callable[[ModelState, RegistryState], Sequence[Event]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request wants decided once its blobs are stored."""

    decide: Decide
    run: Run | None
    asked: object


class Journals:
    """The journals under one root. Safe in threads."""

    def __init__(self, store: Store, actor: str | None) -> None:
        self._store = store
        self._actor = actor
        self._models: dict[str, Journal[ModelState]] = {}
        self._lock = ProcessLock()
        self.caches = Caches(store)
        self.registry: Journal[RegistryState] = Journal(
            store, None, replay=replay_registry, opened=lambda: Opened(NO_POLICIES, newest_listed(store, None))
        )

    def of(self, model: str) -> Journal[ModelState]:
        """The journal of ``model``."""
        with self._lock:
            if model not in self._models:
                self._models[model] = Journal(
                    self._store,
                    model,
                    replay=self.replay,
                    opened=lambda: self._opened(model),
                    after_append=lambda state: self.caches.note(model, self.registry.state(fresh=False).registry, state),
                )
            return self._models[model]

    def states(self, models: Sequence[str]) -> dict[str, ModelState | Corrupt]:
        """The state of each model now, or what is wrong with its journal. Models that are known are read on in one batch."""
        journals = {model: self.of(model) for model in models}
        known = {model: state.seq for model, journal in journals.items() if (state := journal.known) is not None}
        ahead = Ahead(self._store, known)
        unmoved = known.keys() - ahead.moved

        def one(model: str) -> ModelState | Corrupt:
            try:
                return journals[model].state(fresh=False) if model in unmoved else journals[model].state_through(ahead)
            except Corrupt as error:
                self.registry.state()  # where that is damaged, it is not about this model
                return error

        waiting = [model for model in models if model not in unmoved]
        read = dict(zip(waiting, parallel_map(one, waiting, threads=8), strict=True))
        return {model: read[model] if model in read else one(model) for model in models}

    def replay(self, slots: Sequence[Slot], start: ModelState = EMPTY) -> ModelState:
        """The state after these slots, under the policies that were in force for each."""
        newest = max((slot.said.under for slot in slots if isinstance(slot, Entry)), default=0)
        return replay(slots, start, policies=self._policies(max(newest, start.under)))

    def transact(
        self,
        model: str,
        decide: Decide,
        *,
        because: str | None = None,
        run: Run | None = None,
        asked: object = None,
        places: Places | None = None,
    ) -> ModelState:
        """Append what ``decide`` decides to the journal of ``model``, and the state after it. ``asked``: see ``Journal.transact``."""
        policies = self._named(model)
        by = self.by(run)

        def decided(state: ModelState) -> Sequence[Event]:
            nonlocal policies
            policies = self._policies(max(state.under, policies.seq))
            if places is not None:
                places.refuse_doomed(policies.doomed)
            return decide(state, policies)

        def envelope(state: ModelState, events: Sequence[Event]) -> Envelope:
            return Envelope(
                registry=policies.registry, model=model, seq=state.seq + 1, parent=state.digest, id=ids.new_id(), at=ids.now(), by=by,
                because=because, under=policies.seq, events=tuple(events),
            )  # fmt: skip

        return self.of(model).transact(decided, envelope, author=(by, because), asked=asked)

    def store_and_transact(self, model: str, stored: Callable[[Places], Wish], *, because: str | None) -> ModelState:
        """``transact`` for a request with blobs: ``stored`` puts them, and says what to decide. What was doomed since is put once more."""
        places = Places(self.registry.state(fresh=False).doomed)
        wish = stored(places)
        while True:
            try:
                return self.transact(model, wish.decide, because=because, run=wish.run, asked=wish.asked, places=places)
            except DoomedMeanwhile:
                places.store_doomed(self.registry.state(fresh=False).doomed)

    def fence(self, model: str, under: int, *, because: str) -> ModelState:
        """Have whoever writes next to ``model`` know the registry's journal up to ``under``; the model's state, all before that in it."""
        self._policies(under)
        return self.transact(model, lambda state, _: [] if state.under >= under else [Fenced()], because=because)

    def fence_all(self, registry: RegistryState, patterns: Sequence[str], listed: Sequence[str]) -> None:
        """Best effort: no model that these patterns cover takes an entry any more that claims to be older than ``registry``."""

        def one(model: str) -> None:
            with contextlib.suppress(FlowregError):  # a model that cannot be written is in no danger
                self.fence(model, registry.seq, because="a policy changed")

        there = registry.models | set(listed)  # those that were born before births were recorded, too
        covered = [model for model in sorted(there) if any(fnmatchcase(model, pattern) for pattern in patterns)]
        parallel_map(one, covered, threads=8)

    def _named(self, model: str) -> RegistryState:
        """The registry, which knows of this model."""
        known = self.registry.state(fresh=False)
        if model in known.models:
            return known
        self._refuse_lost()
        first, born = RegistryCreated(nonce=ids.new_id()), ModelCreated(model=model)
        return self.transact_registry(lambda now: [] if model in now.models else [born] if now.registry else [first, born])

    def transact_registry(self, decide: Callable[[RegistryState], Sequence[Event]], *, because: str | None = None) -> RegistryState:
        """The same for the registry's own journal."""
        by = self.by(None)

        def envelope(state: RegistryState, events: Sequence[Event]) -> Envelope:
            return Envelope(
                registry=state.registry, seq=state.seq + 1, parent=state.digest, id=ids.new_id(), at=ids.now(), by=by,
                because=because, under=state.seq, events=tuple(events),
            )  # fmt: skip

        return self.registry.transact(decide, envelope, author=(by, because))

    def _policies(self, under: int) -> RegistryState:
        """The registry's journal, read at least up to entry ``under``, which some entry says that it was decided under."""
        known = self.registry.state(fresh=False)
        if known.registry is not None and under <= known.seq:
            return known
        known = self.registry.state()
        if under <= known.seq or known.registry is None:  # a journal that is gone as a whole is refused by ``created``
            return known
        raise gap(None, known.seq + 1, under)

    def created(self) -> RegistryState:
        """The registry as last seen; the first write creates it."""
        state = self.registry.state(fresh=False)
        if state.registry is not None:
            return state
        self._refuse_lost()
        first = RegistryCreated(nonce=ids.new_id())
        return self.transact_registry(lambda now: [] if now.registry else [first])

    def _refuse_lost(self) -> None:
        """A new identity over old models would make all their entries those of another registry."""
        if self.registry.state(fresh=False).registry is not None:
            return
        if self.registry.state().registry is None and self._has_models() and self.registry.state().registry is None:
            raise Corrupt(
                "the registry's own journal is gone, though it has models",
                where=f"{self._store.root}/{journal_folder(None)}; nothing was written",
                do="restore the folder from a backup or the bucket's versions, then run flowreg check",
                code="missing-entry",
            )

    def _has_models(self) -> bool:
        names = self._store.names
        return bool(names(HEADS)) or any(names(f"{MODELS}/{name}journal") for name in names(MODELS) if name.endswith("/"))

    def by(self, run: Run | None) -> By:
        """Who causes an entry: this actor, and the run it is part of."""
        flow_run, deployment = (run.flow_run, run.deployment) if run else (None, None)
        return By(actor=self._who, flow_run=flow_run, deployment=deployment, host=self._host)

    def _opened(self, model: str) -> Opened[ModelState]:
        start = opened(self._store, model)
        self.caches.opened_at(model, start.state.seq)
        return start

    @cached_property
    def _who(self) -> str:
        return self._actor or given.actor(os.environ.get("FLOWREG_ACTOR") or None) or _user()

    @cached_property
    def _host(self) -> str:
        return socket.gethostname()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"  # a container whose user has no name
