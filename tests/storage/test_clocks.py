"""A clock that jumps years, in both directions: the order of a journal is that of its numbers, whatever the entries say of the time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from flowreg import Registry, ids
from flowreg.errors import NotFound

MOMENTS = [
    "2026-03-01T00:00:00.000Z",
    "2026-03-01T00:00:00.001Z",
    "1999-12-31T23:59:59.000Z",
    "2071-01-01T00:00:00.000Z",
    "2026-03-02T00:00:00.000Z",
]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the clock says next; the last moment stays."""
    moments = [MOMENTS[0]]
    monkeypatch.setattr(ids, "now", lambda: moments[-1])
    return moments


@pytest.fixture
def labelled(tmp_path: Path, clock: list[str]) -> Registry:
    """A version, and one label for each moment, by two clients in turn who cache what they have read."""
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")
    clients = [Registry(tmp_path / "registry", actor=name) for name in ("ana", "ben")]
    clients[0].register("churn", model)
    for turn, moment in enumerate(MOMENTS):
        clock.append(moment)
        clients[turn % 2].label("churn@1", {"turn": str(turn)})
    clients[0].flush()
    return clients[1]


def test_the_last_entry_counts_whatever_its_clock_said(labelled: Registry, tmp_path: Path) -> None:
    """No entry is lost, doubled or put in another order; the chain is whole, with the caches and without."""
    assert labelled.get("churn@1").labels == {"turn": "4"}
    assert Registry(tmp_path / "registry").get("churn@1").labels == {"turn": "4"}
    assert [line.at for line in labelled.history("churn")] == [MOMENTS[0], *MOMENTS]
    assert not labelled.check(read_data=True).faults


def test_as_of_is_a_beginning_of_the_journal(labelled: Registry) -> None:
    """Whatever moment is asked for, the answer is a state that was once true, and never one before an entry it also counts."""
    for moment in MOMENTS:
        length = len(labelled.history("churn", as_of=moment))
        if not length:
            with pytest.raises(NotFound):
                labelled.get("churn@1", as_of=moment)
        else:
            expected = {"turn": str(length - 2)} if length > 1 else {}
            assert labelled.get("churn@1", as_of=moment).labels == expected
    assert [len(labelled.history("churn", as_of=moment)) for moment in MOMENTS] == [2, 4, 0, 6, 4]


def test_a_clock_in_the_future_takes_no_bytes_away(labelled: Registry, clock: list[str]) -> None:
    """What a version needs is spared by what refers to it, not by its age."""
    clock.append(MOMENTS[3])
    before = labelled.files("churn@1")

    labelled.collect(dry_run=False, grace=timedelta(0))

    assert labelled.files("churn@1") == before
    assert not labelled.check(read_data=True).faults
