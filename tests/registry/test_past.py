"""Every question can be asked as of a moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from flowreg import Registry, ids
from flowreg.errors import BadInput, NotFound
from tests.registry.conftest import policy

Artifact = Callable[[str], Path]


@pytest.fixture
def told(folder: Path, artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A life with one step a minute, from 09:01 on."""
    registry = Registry(folder, actor="ana")
    moment = iter(range(1, 60))
    monkeypatch.setattr(ids, "now", lambda: f"2026-11-22T09:{next(moment):02d}:00.000Z")
    registry.register("churn", artifact("a"), metrics={"auc": 0.7}, on="holdout")  # 01 creates the registry, 02
    registry.promote("churn@1", to="champion")  # 03
    registry.register("churn", artifact("b"))  # 04
    registry.evaluate("churn@2", {"auc": 0.9}, on="holdout")  # 05
    registry.label("churn@1", {"team": "risk"})  # 06
    registry.promote("churn@2", to="champion")  # 07
    registry.rollback("churn@champion", because="worse", keep=True)  # 08
    registry.retire("churn@2", because="leaks")  # 09
    registry.register("other", artifact("a"))  # 10 names the model, 11
    registry.set_policy(policy())  # 12, and 13 fences churn
    return registry


def at(minute: int) -> str:
    return f"2026-11-22T09:{minute:02d}:30Z"


def test_each_moment_has_its_answer(told: Registry) -> None:
    """Versions, holders, metrics, labels, retirement, history, models, policies."""
    holders = [told.get("churn@champion", as_of=at(minute)).number for minute in range(3, 12)]

    assert holders == [1, 1, 1, 1, 2, 1, 1, 1, 1]
    assert [len(told.versions("churn", as_of=at(m))) for m in (2, 3, 4)] == [1, 1, 2]
    assert [told.get("churn@2", as_of=at(m)).metrics for m in (4, 5)] == [{}, {"auc": 0.9}]
    assert [told.get("churn@1", as_of=at(m)).labels for m in (5, 6)] == [{}, {"team": "risk"}]
    assert [told.get("churn@2", as_of=at(m)).retired for m in (8, 9)] == [None, "leaks"]
    assert [len(told.history("churn", as_of=at(m))) for m in (1, 3, 9)] == [0, 3, 9]
    assert [[line.model for line in told.models(as_of=at(m))] for m in (1, 9, 11)] == [[], ["churn"], ["churn", "other"]]
    assert [len(told.policies(as_of=at(m))) for m in (11, 12)] == [0, 1]
    assert told.diff("churn@1", "churn@champion", as_of=at(7)).sections["metrics"] == {"auc": (0.7, 0.9)}


def test_bytes_of_the_past_are_fetched(told: Registry, tmp_path: Path) -> None:
    """What was served then."""
    assert (told.fetch("churn@champion", tmp_path / "then", as_of=at(7)) / "model.bin").read_text() == "b"
    assert (told.fetch("churn@champion", tmp_path / "now") / "model.bin").read_text() == "a"
    assert told.files("churn@newest", as_of=at(3)) == told.files("churn@1")


def test_before_anything_there_was_nothing(told: Registry) -> None:
    """However long ago."""
    for moment in (at(1), "2026-11-21", "1970-01-01", "0999-01-01", "0001-01-01T00:00:00Z", datetime(5, 1, 1, tzinfo=UTC)):
        with pytest.raises(NotFound):
            told.get("churn@1", as_of=moment)
        assert told.models(as_of=moment) == ()


def test_moments_are_what_they_say(told: Registry) -> None:
    """Zones count, none is UTC, a day means its end."""
    east = timezone(timedelta(hours=5, minutes=30))

    for moment in (
        at(7),
        "2026-11-22T09:07:30",
        "2026-11-22T14:37:30+05:30",
        datetime(2026, 11, 22, 14, 37, tzinfo=east),
        datetime(2026, 11, 22, 9, 7),
    ):
        assert told.get("churn@champion", as_of=moment).number == 2
    assert told.get("churn@champion", as_of="2026-11-22").retired is None
    assert told.get("churn@2", as_of="2026-11-22").retired == "leaks"
    assert told.get("churn@2", as_of="9999-12-31").retired == "leaks"


NO_MOMENTS: list[Any] = [
    "", "yesterday", "2026-13-01", "2026-11-22T25:00", 5, 1.5, b"2026", date(2026, 11, 22), [], "x" * 10**6,
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
]  # fmt: skip


@pytest.mark.parametrize("moment", NO_MOMENTS, ids=lambda m: ascii(m)[:30])
def test_what_is_no_moment_is_refused(told: Registry, moment: Any) -> None:
    """By every question."""
    for ask in (told.get, told.files, told.decisions, told.card):
        with pytest.raises(BadInput):
            ask("churn@1", as_of=moment)
    for question in (told.versions, told.history):
        with pytest.raises(BadInput):
            question("churn", as_of=moment)
    with pytest.raises(BadInput):
        told.models(as_of=moment)


def test_history_is_a_sentence_for_everything(told: Registry) -> None:
    """In order, with who and why."""
    lines = told.history("churn")

    assert [line.what for line in lines] == [
        "registered version 1", "evaluated version 1 on holdout", "champion set: nobody → version 1", "registered version 2",
        "evaluated version 2 on holdout", "labelled version 1: team", "champion set: version 1 → version 2",
        "champion rolled back: version 2 → version 1", "retired version 2",
    ]  # fmt: skip
    assert {line.by.actor for line in lines if line.by} == {"ana"}
    assert [line.because for line in lines if line.because] == ["worse", "leaks"]
