"""Telling Prefect of new data and of drift: what it is told, and where from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flowreg import BadInput, Dataset, Registry
from tests.servers.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect


def test_new_data_is_told_with_where_it_lies(events: Callable[[], list[Any]]) -> None:
    """From anywhere that knows Prefect's address; credentials in a URI are left out."""
    from flowreg.prefect import announce_data

    announce_data("risk/churn", "s3://ana:hunter2@lake/x.parquet?sig=abc", Dataset("s3://lake/y.parquet", rows=7), because="November is in")

    (event,) = events()
    assert event.event == "flowreg.data.arrived"
    assert event.resource["prefect.resource.id"] == "flowreg.model.risk/churn"
    assert event.payload["because"] == "November is in"
    assert event.payload["data"] == [{"uri": "s3://lake/x.parquet"}, {"uri": "s3://lake/y.parquet", "rows": 7}]
    assert event.payload["flow_run"] is None


def test_drift_that_a_flow_found_names_its_run(events: Callable[[], list[Any]]) -> None:
    from prefect import flow
    from prefect.runtime import flow_run

    from flowreg.prefect import announce_drift

    @flow
    def look() -> str:
        announce_drift("churn", because="tenure has moved", version=11, facts={"psi": 0.31})
        return str(flow_run.id)

    run = look()
    (event,) = events()
    assert (event.event, event.payload["flow_run"]) == ("flowreg.drift.detected", run)
    assert (event.payload["version"], event.payload["facts"]) == (11, {"psi": 0.31})


def test_without_prefects_address_nothing_is_sent(prefect_env: PrefectServer) -> None:
    """And no server is started for it."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flowreg.prefect import announce_data

    with temporary_settings(restore_defaults={PREFECT_API_URL}), pytest.raises(BadInput, match="Prefect's address is not known here"):
        announce_data("churn")


def test_a_name_that_is_none_is_refused(events: Callable[[], list[Any]]) -> None:
    from flowreg.prefect import announce_data

    with pytest.raises(BadInput):
        announce_data("Ch urn!")
    assert events() == []


def test_an_undone_rollback_names_its_alias(registry: Registry, events: Callable[[], list[Any]]) -> None:
    """Whoever follows a champion hears of every move of it."""
    from flowreg.prefect import rollback_model, undo_rollback

    from .conftest import GOOD

    for number in (1, 2):
        registry.register("churn", {"w": number}, trust="pickle", **GOOD)
        registry.promote(f"churn@{number}", to="champion")
    from prefect import flow

    @flow
    def back_and_forth() -> None:
        rollback_model("churn@champion", because="bad", registry=registry.root)
        undo_rollback("churn@champion", because="it was good", registry=registry.root)

    back_and_forth()

    told = {event.event.removeprefix("flowreg.version."): event.resource.get("flowreg.alias") for event in events()}
    assert told == {"rolled-back": "champion", "retired": None, "restored": "champion"}
