"""The inside of a registry: its store, its journals, and what references mean there. What the verbs behind the façade share.

Rule 1: an alias is read fresh, what is fixed only if it is not known yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import reading
from .core import decide
from .core.events import Event, Run
from .core.names import Alias, Newest, shown
from .core.policies import RegistryState, replay_registry
from .core.state import ModelState
from .core.views import Version, version_view
from .errors import BadInput, NotFound
from .journals import Journals
from .lineage.capture import Captured, capture
from .lineage.prefect_run import flow_run_id
from .storage import blobs
from .storage.incarnations import FIRST, Place
from .storage.parallel import parallel_map
from .storage.store import Store

Moment = str | datetime | None
REPRODUCES = "FLOWREG_REPRODUCES"  # in the environment of a process that makes a version again: its reference
VersionRef = str | Version


@dataclass(frozen=True, slots=True)
class Inside:
    """Where everything of one registry is read and written."""

    store: Store
    journals: Journals

    def state(self, model: str, as_of: Moment = None) -> ModelState:
        """The state of a model now, or at the moment ``as_of``."""
        journal = self.journals.of(model)
        state = journal.state()  # a broken chain is not read backwards either
        return state if as_of is None else self.journals.replay(list(reading.until(journal.slots(), reading.moment(as_of))))

    def registry_state(self, as_of: Moment = None) -> RegistryState:
        """What the registry's own journal says now, or said at the moment ``as_of``: policies, people, models."""
        journal = self.journals.registry
        state = journal.state()
        return state if as_of is None else replay_registry(reading.until(journal.slots(), reading.moment(as_of)))

    def known(self, model: str, as_of: Moment = None) -> ModelState:
        """The state of a model that exists."""
        state = self.state(model, as_of)
        if not state.newest and not state.voids:  # one with nothing but a fence was about to be born
            raise NotFound(f"there is no model {model!r}", where=self.store.root, do="see flowreg ls", code="no-model")
        return state

    def number(self, ref: VersionRef) -> tuple[str, int]:
        """The model and number behind a reference."""
        parsed = reading.as_ref(ref)
        journal = self.journals.of(parsed.model)
        state = journal.state(fresh=isinstance(parsed.selector, Alias | Newest))
        try:
            return parsed.model, decide.resolve(state, parsed).number
        except NotFound:
            return parsed.model, decide.resolve(journal.state(), parsed).number

    def number_in(self, model: str, ref: VersionRef | int) -> int:
        """The number of a version of ``model``, given as a number or a reference."""
        named, number = self.number(f"{model}@{ref}" if isinstance(ref, int) else ref)
        if named != model:
            raise BadInput(
                f"{named}@{number} is no version of {model}", where="nothing was written", do=f"give one of {model}", code="bad-reference"
            )
        return number

    def about(self, ref: VersionRef, events: Callable[[ModelState, int, str], Sequence[Event]], because: str | None) -> Version:
        """Append what ``events(state, number, model)`` says about a version, and the version after it."""
        model, number = self.number(ref)
        state = self.journals.transact(model, lambda state, _: events(state, number, model), because=because)
        return version_view(model, state, state.versions[number - 1])

    def run(self, run: Any, place: Place = FIRST) -> Run | None:
        """The run as recorded: the one given, else the flow run that this is called in. What it names by digest becomes blobs."""
        self.journals.by(None)  # an actor who cannot be recorded is refused before a byte is written
        run = capture() if run is None and flow_run_id() else run
        if run is None or isinstance(run, Run):
            return run
        if not isinstance(run, Captured):
            raise BadInput(f"run is {shown(run)}", where="nothing was written", do="give what flowreg.lineage.capture.capture() returns")
        parallel_map(lambda blob: blobs.put(self.store, blob, place), list(run.blobs), threads=4)
        return run.run
