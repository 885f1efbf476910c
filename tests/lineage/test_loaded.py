"""What a flow run has loaded is remembered for that run, and for no other."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from flowreg.core.events import Parent
from flowreg.lineage import loaded
from flowreg.lineage.loaded import PARENTS_LIMIT, RUNS_LIMIT, loaded_in_run, note_loaded


def parent(version: int) -> Parent:
    return Parent(model="base", version=version, manifest=f"sha256:{version:064x}")


@pytest.fixture
def in_run(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Pretend to be a child process of this flow run."""
    return lambda run: monkeypatch.setenv("PREFECT__FLOW_RUN_ID", run)


def test_each_is_remembered_once_in_order(in_run: Callable[[str], None]) -> None:
    """Loading the same version twice makes one parent."""
    in_run(f"{uuid4()}")
    for version in (3, 1, 3):
        note_loaded(parent(version))

    assert loaded_in_run() == (parent(3), parent(1))


def test_another_run_sees_nothing_of_it(in_run: Callable[[str], None]) -> None:
    """Two runs in one process do not mix."""
    in_run(f"{uuid4()}")
    note_loaded(parent(1))
    in_run(f"{uuid4()}")

    assert loaded_in_run() == ()


def test_outside_a_run_nothing_is_remembered() -> None:
    """A notebook that loads models all day does not make them parents."""
    note_loaded(parent(1))

    assert loaded_in_run() == ()


def test_what_is_remembered_is_bounded(in_run: Callable[[str], None]) -> None:
    """The oldest runs are forgotten first, and one run cannot grow without end."""
    first, last = f"{uuid4()}", f"{uuid4()}"
    for run in (first, *(f"{uuid4()}" for _ in range(RUNS_LIMIT)), last):
        in_run(run)
        note_loaded(parent(1))
    for version in range(2, PARENTS_LIMIT + 10):
        note_loaded(parent(version))

    assert len(loaded_in_run()) == PARENTS_LIMIT
    assert len(loaded._loaded) == RUNS_LIMIT
    in_run(first)
    assert loaded_in_run() == ()
