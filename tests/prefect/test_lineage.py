"""Lineage that nobody typed: what a flow loaded, read and registered, asked for by its run."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowreg import Dataset, Registry
from flowreg.prefect import load_model, register_model
from tests.conftest import Root
from tests.servers.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect


def test_a_run_is_asked_for_by_its_name(prefect_env: PrefectServer, root: Root, tmp_path: Path) -> None:
    """Its data, the version that it loaded, the flow that called it, the commit; and below it what it made, and what came of that."""
    from prefect import flow

    registry = Registry(root.url)
    registry.register("base", {"w": 1}, trust="pickle")
    data = tmp_path / "customers.csv"
    data.write_text("age\n31\n")

    @flow(flow_run_name="amber-fox")
    def retrain() -> None:
        model = load_model("base@1", trust=True, registry=root.url)
        register_model("churn", {**model, "w": 2}, trust="pickle", data=[Dataset(str(data), role="train")], registry=root.url)

    @flow(flow_run_name="night")
    def nightly() -> None:
        retrain()
        register_model("report", {"w": 3}, trust="pickle", registry=root.url)

    nightly()
    registry.register("risk", {"w": 4}, trust="pickle", parents=["churn@1"])
    up, down, all_night = (
        registry.lineage(run=name, direction=way) for name, way in [("amber-fox", "up"), ("amber-fox", "down"), ("nightly/night", "down")]
    )

    assert up.versions == ("base@1",)
    assert down.versions == ("churn@1", "risk@1")
    assert sorted(all_night.versions) == ["churn@1", "report@1", "risk@1"]
    kinds = {(node.kind, node.name) for node in up.nodes}
    assert {("run", "nightly/night"), ("dataset", str(data))} <= kinds
    assert "commit" in {kind for kind, _ in kinds}
    assert registry.lineage(data=data, direction="down").versions == ("churn@1", "risk@1")
    assert [n.name for n in registry.lineage("churn@1", direction="up").nodes if n.kind == "run"] == ["retrain/amber-fox", "nightly/night"]
