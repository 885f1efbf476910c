"""The demonstration for real: real flights, real training, real runs; the outcomes are those that the data give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flowreg import Registry
from flows.flights import MONTHS, dataset_of, flights_of
from flows.models import FAMILIES
from tests.conftest import Root

if TYPE_CHECKING:
    from flows.flight_delay import Attempt

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def a_root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    return Root(str(tmp_path_factory.mktemp("year") / "registry"), {})


@pytest.fixture(scope="module")
def year() -> list[Attempt]:
    """Filled by the first test that asks for it, since a run needs the Prefect server of a test."""
    return []


@pytest.fixture
def attempts(prefect_env: object, a_root: Root, year: list[Attempt]) -> list[Attempt]:
    """The flow over the whole year, run once for all tests here."""
    from flows.flight_delay import flight_delay

    if not year:
        year.extend(flight_delay(registry=a_root.url))
    return year


@pytest.fixture
def registry(attempts: list[Attempt], a_root: Root) -> Registry:
    return Registry(a_root.url)


def test_every_family_tries_every_month(attempts: list[Attempt], registry: Registry) -> None:
    """From March on, each attempt a version of its own, in the format of its family."""
    assert [(attempt.month, attempt.family) for attempt in attempts] == [(month, family) for month in MONTHS[2:] for family in FAMILIES]
    assert [attempt.version.number for attempt in attempts] == list(range(1, len(attempts) + 1))
    assert {(version.params["family"], version.loader) for version in registry.versions("flight-delay")} == {
        ("linear", "skops"),
        ("boosted", "xgboost"),
    }


@pytest.mark.parametrize("month", ["2013-06", "2013-07"])
def test_a_challenger_wins_in_summer(attempts: list[Attempt], month: str) -> None:
    """Summer is unlike spring, so fresh data help."""
    assert any(attempt.promoted for attempt in attempts if attempt.month == month)


@pytest.mark.parametrize("month", ["2013-10", "2013-12"])
def test_all_challengers_are_blocked_in_october_and_december(attempts: list[Attempt], month: str) -> None:
    """The calm September and November teach too little of what comes after them, and the sentences say by how much."""
    tried = [attempt for attempt in attempts if attempt.month == month]

    assert [attempt.promoted for attempt in tried] == [False, False]
    assert all(attempt.reasons[0].startswith("auc 0.") for attempt in tried)


def test_the_champion_is_the_last_that_got_through(attempts: list[Attempt], registry: Registry) -> None:
    """A blocked challenger changes nothing."""
    assert registry.get("flight-delay@champion").ref == [attempt for attempt in attempts if attempt.promoted][-1].version.ref
    assert registry.get("flight-delay@baseline").ref == attempts[0].version.ref


def test_everybody_is_measured_on_the_month_that_is_asked_about(attempts: list[Attempt], registry: Registry) -> None:
    """Each decision rests on one dataset, the whole content of the month, and compared with the holder on the same."""
    for attempt in attempts:
        (decision,) = registry.decisions(attempt.version)
        on = dataset_of(flights_of(attempt.month), role="holdout")
        measured = [attempt.version.number, *([decision.base.version] if decision.base else [])]

        assert (decision.dataset, decision.dataset_digest) == (on.name, on.digest)
        for number in measured:
            evaluations = registry.get(f"flight-delay@{number}").evaluations
            assert [e.n for e in evaluations if e.dataset_digest == on.digest] == [on.rows]


def test_the_gates_look_at_airports_and_carriers(attempts: list[Attempt], registry: Registry) -> None:
    """Once there is a champion, every decision compares all three airports, and carriers too."""
    for attempt in attempts[1:]:
        (decision,) = registry.decisions(attempt.version)
        parts = {gate.gate.partition("=")[0]: gate.parts for gate in decision.results if gate.parts}

        assert [part.gate for part in parts["auc[origin"]] == ["origin=EWR", "origin=JFK", "origin=LGA"]
        assert len(parts["auc[carrier"]) >= 8


def test_each_version_knows_its_own_run(attempts: list[Attempt]) -> None:
    """Month and family stand in the parameters of the run that made it, and its data end before that month."""
    runs = [attempt.version.run for attempt in attempts]

    assert [run and (run.flow, run.parameters["month"], run.parameters["family"]) for run in runs] == [
        ("retrain", attempt.month, attempt.family) for attempt in attempts
    ]
    assert len({run and run.flow_run for run in runs}) == len(attempts)
    assert all((data.name or "")[-7:] < attempt.month for attempt in attempts for data in attempt.version.data)


def test_blocked_attempts_leave_the_year_completed(attempts: list[Attempt]) -> None:
    """In Prefect too the refusal is the failure of one run of ``retrain``, with the sentence in its state."""
    from prefect.client.orchestration import get_client

    blocked = next(attempt for attempt in attempts if not attempt.promoted)
    assert blocked.version.run is not None
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(blocked.version.run.flow_run)
        assert run.state is not None
        parent = client.read_flow_run(client.read_task_run(run.parent_task_run_id).flow_run_id)

    assert run.state.is_failed()
    assert blocked.reasons[0] in (run.state.message or "")
    assert parent.state is not None
    assert parent.state.is_completed()
