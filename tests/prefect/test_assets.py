"""Prefect assets: a registered version is materialised from its data and parents, what an alias names from the version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from flowreg import Dataset, Registry
from flowreg.prefect.assets import asset_key, data_key
from tests.prefect.conftest import GOOD
from tests.servers.prefect_server import PrefectServer

MADE, REFERENCED = "prefect.asset.materialization.succeeded", "prefect.asset.referenced"


@pytest.fixture
def asset_events(prefect_env: PrefectServer) -> Iterator[Callable[[], list[Any]]]:
    """The events about assets that were emitted in this test."""
    from prefect.events.clients import AssertingEventsClient
    from prefect.events.worker import EventsWorker

    EventsWorker.set_client_override(AssertingEventsClient)

    def emitted() -> list[Any]:
        EventsWorker.drain_all()
        sent = [event for client in AssertingEventsClient.all for event in client.events]
        return [event for event in sent if event.event.startswith("prefect.asset.")]

    yield emitted
    EventsWorker.drain_all()
    EventsWorker.set_client_override(None)
    AssertingEventsClient.reset()


def upstream(event: Any) -> list[str]:
    return [related.id for related in event.related if related.role == "asset"]


@pytest.mark.prefect
def test_a_registration_materialises_the_version_from_data_and_parents(registry: Registry, asset_events: Callable[[], list[Any]]) -> None:
    """The data by its URI without credentials, the parents by their keys; each is referenced too, and flowreg is who made it."""
    from prefect import flow

    from flowreg.prefect import promote_model, register_model

    data = [Dataset("s3://ana:hunter2@lake/train.csv?sig=hunter2", role="train"), Dataset("/srv/our data/x.csv")]

    @flow
    def train() -> None:
        base = register_model("base", [0], trust="pickle", registry=registry.root)
        version = register_model("risk/churn", [1], trust="pickle", data=data, parents=[base], registry=registry.root, **GOOD)
        promote_model(version, registry=registry.root)

    train()

    sent = asset_events()
    base, churn, champion = (asset_key(ref, root=registry.root) for ref in ("base@1", "risk/churn@1", "risk/churn@champion"))
    made = {event.resource.id: event for event in sent if event.event == MADE}
    assert list(made) == [base, churn, champion]
    assert upstream(made[base]) == []
    assert upstream(made[churn]) == sorted([base, "file:///srv/our~20data/x.csv", "s3://lake/train.csv"])
    assert upstream(made[champion]) == [churn]
    assert {event.resource.id for event in sent if event.event == REFERENCED} == {*upstream(made[churn]), churn}
    assert [related.id for related in made[churn].related if related.role == "asset-materialized-by"] == ["flowreg"]
    version = registry.get("risk/churn@1")
    assert (made[churn].payload["digest"], made[churn].payload["metrics"]) == (version.digest, {"auc": 0.91})
    assert made[churn].resource["prefect.asset.url"].endswith("/artifacts/key/flowreg-risk--churn-history")
    assert version.run is not None
    assert f"prefect.flow-run.{version.run.flow_run}" in [related.id for related in made[churn].related]
    assert "hunter2" not in str([event.model_dump(mode="json") for event in sent])


@pytest.mark.prefect
def test_assets_of_other_tasks_are_up_and_down_stream(registry: Registry, asset_events: Callable[[], list[Any]]) -> None:
    """What was materialised before and handed in is upstream of the version; what is made of the version has it upstream."""
    from prefect import flow
    from prefect.assets import materialize

    from flowreg.prefect import register_model

    @materialize("s3://lake/features")
    def features() -> list[int]:
        return [1, 2]

    @materialize("s3://lake/report")
    def report(version: Any) -> str:
        return str(version.ref)

    @flow
    def train() -> None:
        report(register_model("churn", features(), trust="pickle", registry=registry.root))

    train()

    key = asset_key("churn@1", root=registry.root)
    made = {event.resource.id: upstream(event) for event in asset_events() if event.event == MADE}
    assert made == {"s3://lake/features": [], key: ["s3://lake/features"], "s3://lake/report": [key]}


@pytest.mark.prefect
def test_nothing_is_materialised_outside_a_run(registry: Registry, asset_events: Callable[[], list[Any]]) -> None:
    """It would start a server, or be linked to an earlier run."""
    from flowreg.prefect import register_model

    register_model.fn("churn", [1], trust="pickle", data=[Dataset("s3://lake/x")], registry=registry)

    assert asset_events() == []


@pytest.mark.parametrize(
    "root", ["s3://bucket/registry", "/srv/größe & more/50% off #1", "memory://x", "C:\\models\\<here>", "/" + "long/" * 200]
)
@pytest.mark.parametrize("ref", ["churn@12", "risk/Größe_v2.b@champion", "模型@1"])
def test_every_key_is_one_that_prefect_takes(root: str, ref: str) -> None:
    """Whatever the registry's folder is called; another registry has another key."""
    from prefect.assets import Asset

    key = asset_key(ref, root=root)

    assert Asset(key=key).key == key
    assert key.endswith(f"/{ref}")
    assert asset_key(ref, root=f"{root}2") != key


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (Dataset("s3://lake/train.csv"), "s3://lake/train.csv"),
        (Dataset("S3+HTTP://user:word@lake/a b.csv?token=1#x"), "s3http://lake/a~20b.csv"),
        (Dataset("/srv/data.csv"), "file:///srv/data.csv"),
        (Dataset(name="holdout"), "dataset://holdout"),
        (Dataset(digest="sha256:" + "0" * 64), "dataset://sha256:" + "0" * 64),
        (Dataset(role="train"), None),
    ],
)
def test_data_has_the_key_of_its_uri(data: Dataset, key: str | None) -> None:
    """So that it is the asset that other flows materialise; never with credentials."""
    from prefect.assets import Asset

    assert data_key(data) == key
    assert key is None or Asset(key=key).key == key
