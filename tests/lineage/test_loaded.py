"""What a flow run has loaded is remembered for that run, and for no other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from uuid import uuid4

import pytest

from flowreg.core.events import Parent
from flowreg.lineage import loaded, notes
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
    assert first not in loaded._loaded


def test_another_process_of_the_machine_sees_it(in_run: Callable[[str], None]) -> None:
    """A process pool, a worker of Dask, a run that goes on after it was suspended."""
    run = f"{uuid4()}"
    in_run(run)
    code = (
        "from flowreg.core.events import Parent\n"
        "from flowreg.lineage.loaded import note_loaded\n"
        f"note_loaded(Parent(model='base', version=4, manifest={parent(4).manifest!r}))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    note_loaded(parent(5))

    assert set(loaded_in_run()) == {parent(4), parent(5)}


def test_notes_of_another_user_or_in_pieces_are_not_believed(in_run: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that others may write to, and what is no note in it."""
    run = f"{uuid4()}"
    in_run(run)
    note_loaded(parent(1))
    folder = notes._folder(run, create=False)
    assert folder is not None
    (folder / "9-own-x-2.json").write_text("{")
    (folder / "9-own-x-3.json").symlink_to("/etc/passwd")
    loaded._loaded.clear()
    assert loaded_in_run() == (parent(1),)

    folder.parent.chmod(0o777)
    try:
        assert loaded_in_run() == ()
    finally:
        folder.parent.chmod(0o700)
