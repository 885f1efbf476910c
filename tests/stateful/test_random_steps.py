"""The registry does what the plain one does, through random steps; and the machine that says so finds planted bugs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from flowreg import Registry

from .machine import RegistryMachine

QUIET = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@pytest.mark.parametrize(
    ("examples", "steps"), [(60, 40), pytest.param(20_000, 50, marks=[pytest.mark.slow, pytest.mark.timeout(4 * 3600)])]
)
def test_the_registry_is_what_it_should_be(examples: int, steps: int) -> None:
    """Two handles, crashes, reopenings and vanishing caches, in every order that comes up."""
    run_state_machine_as_test(RegistryMachine, settings=settings(max_examples=examples, stateful_step_count=steps, **QUIET))


class Forgetful(Registry):
    """A registry that forgets keys: a retry makes a twin."""

    def register(self, *given: Any, key: str | None = None, **more: Any) -> Any:
        return super().register(*given, key=None, **more)


class Stale(Registry):
    """A registry that answers from memory."""

    def versions(self, model: str, *, as_of: Any = None) -> Any:
        from flowreg.core.views import version_view

        state = self._journals.of(model).state(fresh=False)
        return tuple(version_view(model, state, version) for version in state.versions)


class Lenient(Registry):
    """A registry that lets what is retired hold an alias."""

    def retire(self, ref: Any, *, because: str) -> Any:
        return self.get(ref)


@pytest.mark.parametrize("planted", [Forgetful, Stale, Lenient])
def test_a_planted_bug_is_found(planted: type[Registry]) -> None:
    """Within few examples."""
    machine = type("Planted", (RegistryMachine,), {"registry_type": planted})
    chosen: Sequence[Phase] = (Phase.generate,)  # found is enough; nobody needs the smallest example

    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=settings(max_examples=100, stateful_step_count=30, phases=chosen, **QUIET))
