"""Which loaded versions become parents: those that the run that registers could have built upon."""

from __future__ import annotations

from pathlib import Path

import pytest

import flowreg
from flowreg import Registry
from flowreg.prefect import load_model, register_model
from tests.servers.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A registry with two base models."""
    registry = Registry(tmp_path / "models")
    for number in (1, 2):
        registry.register("base", {"w": number}, trust="pickle")
    registry.flush()
    return registry.root


def parents(root: str, ref: str) -> list[str]:
    return [f"{parent.model}@{parent.version}" for parent in Registry(root).get(ref).parents]


def test_what_tasks_in_threads_and_mapped_ones_loaded(prefect_env: PrefectServer, root: str) -> None:
    """``submit`` and ``map`` run elsewhere than the flow; what they load counts all the same, each once."""
    from prefect import flow

    @flow
    def train() -> None:
        load_model.map(["base@1", "base@2", "base@1"], trust=True, registry=root).result()
        register_model.submit("tuned", {"w": 1}, trust="pickle", registry=root).result()

    train()

    assert sorted(parents(root, "tuned@1")) == ["base@1", "base@2"]


def test_without_tasks_of_ours(prefect_env: PrefectServer, root: str) -> None:
    """The registry itself, or the light reader, called from a flow; from another registry it is no parent of this one."""
    from prefect import flow

    other = Registry(f"{root}-other")
    other.register("base", {"w": 9}, trust="pickle")

    @flow
    def train() -> None:
        flowreg.load("base@2", root=root, trust=True)
        other.load("base@1", trust=True)
        Registry(root).register("tuned", {"w": 1}, trust="pickle")

    train()

    assert parents(root, "tuned@1") == ["base@2"]


def test_flows_that_call_one_another(prefect_env: PrefectServer, root: str) -> None:
    """A called flow sees what its caller had loaded, the caller what the called one did; siblings see nothing of each other."""
    from prefect import flow

    @flow
    def called(model: str, loads: str | None = None) -> None:
        if loads:
            load_model(loads, trust=True, registry=root)
        register_model(model, {"w": model}, trust="pickle", registry=root)

    @flow
    def caller() -> None:
        called("before", "base@1")
        called("sibling")
        load_model("base@2", trust=True, registry=root)
        called("after")
        register_model("outer", {"w": 0}, trust="pickle", registry=root)

    caller()

    seen = {name: parents(root, f"{name}@1") for name in ("before", "sibling", "after", "outer")}
    assert seen == {"before": ["base@1"], "sibling": [], "after": ["base@2"], "outer": ["base@1", "base@2"]}


def test_a_retry_keeps_what_was_loaded(prefect_env: PrefectServer, root: str) -> None:
    """The second attempt of a flow need not load again what a task of the first did."""
    from prefect import flow

    attempts: list[int] = []

    @flow(retries=1)
    def train() -> None:
        attempts.append(1)
        if len(attempts) == 1:
            load_model("base@1", trust=True, registry=root)
            raise RuntimeError
        register_model("tuned", {"w": 1}, trust="pickle", registry=root)

    train()

    assert parents(root, "tuned@1") == ["base@1"]


@pytest.mark.timeout(240)
def test_tasks_in_processes_of_dask(prefect_env: PrefectServer, root: str) -> None:
    """What one worker loads is a parent of what another one, or the flow itself, registers; the run is known there."""
    dask = pytest.importorskip("prefect_dask")
    from prefect import flow

    cluster = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}

    @flow(task_runner=dask.DaskTaskRunner(cluster_kwargs=cluster))
    def train() -> None:
        load_model.submit("base@1", trust=True, registry=root).result()
        register_model.submit("there", {"w": 1}, trust="pickle", registry=root).result()
        Registry(root).register("here", {"w": 2}, trust="pickle")

    train()

    assert (parents(root, "there@1"), parents(root, "here@1")) == (["base@1"], ["base@1"])
    there, here = (Registry(root).get(f"{name}@1").run for name in ("there", "here"))
    assert there is not None
    assert here is not None
    assert (there.flow, there.flow_run) == ("train", here.flow_run)
    assert there.git == here.git


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_tasks_in_processes_of_ray(prefect_env: PrefectServer, root: str) -> None:
    """The same with Ray, on one machine."""
    runners = pytest.importorskip("prefect_ray", reason="pip install prefect-ray")
    from prefect import flow

    @flow(task_runner=runners.RayTaskRunner(init_kwargs={"num_cpus": 2, "include_dashboard": False}))
    def train() -> None:
        load_model.submit("base@1", trust=True, registry=root).result()
        register_model.submit("there", {"w": 1}, trust="pickle", registry=root).result()
        Registry(root).register("here", {"w": 2}, trust="pickle")

    train()

    assert (parents(root, "there@1"), parents(root, "here@1")) == (["base@1"], ["base@1"])
