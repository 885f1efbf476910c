"""Many processes that write to one model: everybody comes through, and nobody tries much more often than there are others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.appending import race


def require_fair(root: Path, *, processes: int, each: int) -> None:
    """``race`` itself finds every entry of every writer in the journal, once. Who loses has lost to somebody who came through."""
    found = race(str(root), {}, processes=processes, each=each)

    assert found.conflicts_per_entry < processes


def test_every_process_comes_through(tmp_path: Path) -> None:
    """Six processes, ten entries each."""
    require_fair(tmp_path / "registry", processes=6, each=10)


@pytest.mark.slow
def test_every_one_of_many_processes_comes_through(tmp_path: Path) -> None:
    """The same with 32."""
    require_fair(tmp_path / "registry", processes=32, each=10)
