"""A flow registers, evaluates, promotes and loads through the tasks, and its lineage is there with nothing passed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowreg import GateBlocked, Registry
from tests.prefect.conftest import GOOD, POOR
from tests.servers.prefect_server import PrefectServer

pytestmark = [pytest.mark.prefect, pytest.mark.usefixtures("prefect_env")]

MODEL = {"weights": [1, 2]}


def test_a_flow_registers_evaluates_and_promotes(
    prefect_env: PrefectServer, registry: Registry, artifacts: Callable[[str], dict[str, Any]]
) -> None:
    """The champion is the new version, its run is recorded, and the card and the gates are on the page of the run."""
    from prefect import flow

    from flowreg.prefect import evaluate_model, promote_model, register_model

    @flow(name="train-churn")
    def train(day: int, db_password: str) -> Any:
        version = register_model("churn", MODEL, params={"depth": 3}, trust="pickle", registry=registry.root)
        evaluate_model(version, **GOOD, registry=registry.root)
        return promote_model(version, to="champion", because="a test", registry=registry.root)

    move = train(3, "hunter2-canary")

    version, run = registry.get("churn@champion"), registry.get("churn@champion").run
    assert run is not None
    assert (move.version.ref, version.ref, version.metrics) == ("churn@1", "churn@1", {"auc": 0.91})
    assert (run.flow, run.parameters, run.run_count) == ("train-churn", {"day": 3, "db_password": "********"}, 1)
    assert (run.url, run.deployment) == (f"{prefect_env.ui_url}/runs/flow-run/{run.flow_run}", None)
    assert run.environment is not None
    assert run.environment.packages is not None
    shown = artifacts(str(run.flow_run))
    assert set(shown) == {"flowreg-churn-version", "flowreg-churn-gates", "flowreg-churn-history"}
    assert "# churn@1" in shown["flowreg-churn-version"].data
    assert "| auc | 0.91 | holdout | 400 |" in shown["flowreg-churn-version"].data
    assert [(row["gate"], row["status"]) for row in _rows(shown["flowreg-churn-gates"])] == [
        ("auc >= 0.85", "pass"),
        ("recall[region=*] >= 0.70", "pass"),
    ]


def test_a_blocked_promotion_fails_the_run_with_the_reasons(registry: Registry, artifacts: Callable[[str], dict[str, Any]]) -> None:
    """The sentences stand in the message of the state, and the gates on the page of the run; the task is not tried again."""
    from prefect import flow
    from prefect.client.orchestration import get_client

    from flowreg.prefect import promote_model, register_model

    @flow
    def train() -> None:
        version = register_model("churn", MODEL, trust="pickle", registry=registry.root, **POOR)
        promote_model(version, registry=registry.root)

    state = train(return_state=True)

    with pytest.raises(GateBlocked) as blocked:
        state.result()
    flow_run = str(registry.get("churn@1").run.flow_run)
    with get_client(sync_client=True) as client:
        recorded = client.read_flow_run(flow_run).state
        attempts = {run.name: run.run_count for run in _task_runs(client, flow_run)}
    sentences = [result.sentence for result in blocked.value.decision.failing()]
    assert len(sentences) == 2
    assert all(sentence in recorded.message for sentence in sentences)
    assert attempts["promote-churn@1-to-champion"] == 1
    rows = _rows(artifacts(flow_run)["flowreg-churn-gates"])
    assert [(row["gate"], row["status"], row["what was found"], row["why"]) for row in rows] == [
        ("auc >= 0.85", "fail", sentences[0], ""),
        ("recall[region=*] >= 0.70", "fail", sentences[1], "every region matters"),
    ]


def test_a_retried_flow_makes_no_twin(registry: Registry) -> None:
    """The second attempt has new task runs and gets the version of the first."""
    from prefect import flow

    from flowreg.prefect import register_model

    got = []

    @flow(retries=1)
    def train() -> None:
        got.append(register_model("churn", MODEL, trust="pickle", registry=registry.root))
        if len(got) == 1:
            raise RuntimeError("after the registration")

    train()

    assert [version.ref for version in got] == ["churn@1", "churn@1"]
    assert len(registry.versions("churn")) == 1


def test_another_run_with_the_same_bytes_is_another_version(registry: Registry) -> None:
    """Only within one run are the same bytes the same registration."""
    from prefect import flow

    from flowreg.prefect import register_model

    @flow
    def train() -> Any:
        return register_model("churn", MODEL, trust="pickle", registry=registry.root)

    assert [train().ref, train().ref] == ["churn@1", "churn@2"]


def test_the_run_graph_has_its_edges(registry: Registry) -> None:
    """Prefect draws register → evaluate → promote, since values are passed on."""
    from prefect import flow
    from prefect.client.orchestration import get_client

    from flowreg.prefect import evaluate_model, promote_model, register_model

    @flow
    def train() -> None:
        version = register_model("churn", MODEL, trust="pickle", registry=registry.root)
        evaluation = evaluate_model(version, **GOOD, registry=registry.root)
        promote_model(evaluation, registry=registry.root)

    train()

    with get_client(sync_client=True) as client:
        runs = {str(run.id): run for run in _task_runs(client, str(registry.get("churn@1").run.flow_run))}
    edges = {(runs[str(source.id)].name, run.name) for run in runs.values() for source in run.task_inputs.get("version", ())}
    assert edges >= {("register-churn", "evaluate-churn@1"), ("evaluate-churn@1", "promote-churn@1-to-champion")}


def test_what_a_run_loads_becomes_a_parent(registry: Registry, tmp_path: Path) -> None:
    """Loaded by alias or fetched, each is recorded once by number and digest, beside the named ones; another run has none."""
    from prefect import flow

    from flowreg.prefect import fetch_model, load_model, register_model

    base, words, named = (registry.register(name, MODEL, trust="pickle") for name in ("base", "words", "named"))

    @flow
    def train(load: bool) -> Any:
        if load:
            assert load_model("base@newest", trust=True, registry=registry.root) == MODEL
            assert fetch_model(words, into=tmp_path / "words", registry=registry.root).is_dir()
        return register_model("churn", [load], trust="pickle", parents=["named@1", base], registry=registry.root)

    with_loaded, without = train(True), train(False)

    assert [(parent.model, parent.manifest) for parent in with_loaded.parents] == [
        ("named", named.digest),
        ("base", base.digest),
        ("words", words.digest),
    ]
    assert [parent.model for parent in without.parents] == ["named", "base"]


def test_a_rollback_shows_the_history(registry: Registry, artifacts: Callable[[str], dict[str, Any]]) -> None:
    """The holder before is back, with the reason."""
    from prefect import flow, runtime

    from flowreg.prefect import promote_model, rollback_model

    for _ in range(2):
        registry.promote(registry.register("churn", [_], trust="pickle", **GOOD), to="champion")

    @flow
    def rescue() -> tuple[Any, str]:
        return rollback_model("churn@champion", because="it was *bad*", registry=registry.root), str(runtime.flow_run.id)

    move, flow_run = rescue()

    page = artifacts(flow_run)["flowreg-churn-history"]
    assert (move.version.ref, move.previous, registry.get("churn@champion").number) == ("churn@1", 2, 1)
    told = [line.strip("| ").split(" | ") for line in page.data.partition("## What happened")[2].splitlines() if " → " in line]
    assert (told[0][1], told[0][3]) == ("champion rolled back: version 2 → version 1", r"it was \*bad\*")
    assert page.description == r"**champion rolled back: version 2 → version 1**, because it was \*bad\* (churn)"
    assert promote_model.name == "flowreg-promote"


def test_a_conflict_is_tried_again_and_a_refusal_is_not(prefect_env: PrefectServer) -> None:
    """Trying again helps where somebody else moved first or the storage did not answer; elsewhere it only costs time."""
    from prefect import flow

    from flowreg import BadInput, Conflict, Unavailable
    from flowreg.prefect.task_options import registry_task

    calls: list[type] = []

    @registry_task("flowreg-test", run_name="test-{kind}")
    def failing(kind: str) -> str:
        error = {"Conflict": Conflict, "Unavailable": Unavailable, "BadInput": BadInput}[kind]
        calls.append(error)
        if calls.count(error) < 2:
            raise error("no")
        return kind

    quick = failing.with_options(retry_delay_seconds=0)

    @flow
    def tries() -> list[str]:
        return [quick(kind, return_state=True).type.value for kind in ("Conflict", "Unavailable", "BadInput")]

    assert tries() == ["COMPLETED", "COMPLETED", "FAILED"]
    assert calls == [Conflict, Conflict, Unavailable, Unavailable, BadInput]


def test_no_model_lies_in_a_result_file(registry: Registry, tmp_path: Path) -> None:
    """Even where results are persisted by default, only what the flow itself returns is."""
    from prefect import flow
    from prefect.filesystems import LocalFileSystem
    from prefect.settings import PREFECT_RESULTS_PERSIST_BY_DEFAULT, temporary_settings

    from flowreg.prefect import load_model, register_model

    results = tmp_path / "results"
    storage = LocalFileSystem(basepath=str(results))
    storage.save("results", overwrite=True)

    @flow(result_storage=storage, result_serializer="json", persist_result=True)
    def train() -> str:
        version = register_model("churn", MODEL, trust="pickle", registry=registry.root)
        load_model(version, trust=True, registry=registry.root)
        return version.ref

    with temporary_settings({PREFECT_RESULTS_PERSIST_BY_DEFAULT: True}):
        train()

    files = [path.read_bytes() for path in results.rglob("*") if path.is_file()]
    assert len(files) == 1
    assert b"churn@1" in files[0]


def test_a_large_dict_goes_in_as_opaque(registry: Registry) -> None:
    """Prefect does not look into it, and the task gets the dict itself."""
    from prefect import flow
    from prefect.utilities.annotations import opaque

    from flowreg.prefect import register_model

    model = {str(number): number for number in range(1000)}

    @flow
    def train() -> Any:
        return register_model("churn", opaque(model), trust="pickle", registry=registry.root)

    assert registry.load(train(), trust=True) == model


def test_a_server_that_loses_artifacts_fails_no_task(
    registry: Registry, prefect_env: PrefectServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What is for people only may be missing: the model is registered and the log says what is not shown."""
    import logging

    from prefect import flow
    from prefect.artifacts import Artifact

    from flowreg.prefect import register_model

    def lose(self: Any, **given: Any) -> None:
        raise OSError("no such server https://ana:hunter2-canary@prefect.example/api?token=hunter2-canary")

    @flow
    def train() -> Any:
        return register_model("churn", MODEL, trust="pickle", registry=registry.root)

    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(Artifact, "create", lose)
        version = train()

    assert version.ref == "churn@1"
    assert "OSError: no such server https://prefect.example/api" in caplog.text
    assert "hunter2-canary" not in caplog.text


def test_the_plain_function_needs_no_prefect_server(root: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """``.fn`` in a notebook or test talks to the registry alone, also with no registry given."""
    from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE, temporary_settings

    from flowreg.prefect import evaluate_model, register_model

    monkeypatch.setenv("FLOWREG_ROOT", root.url)
    with temporary_settings({PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: False}, restore_defaults={PREFECT_API_URL}):
        version = register_model.fn("churn", MODEL, trust="pickle")
        evaluation = evaluate_model.fn(version, metrics={"auc": 0.9})

    assert (version.ref, evaluation.metrics, version.run.flow_run) == ("churn@1", {"auc": 0.9}, None)


def test_an_async_flow_uses_the_same_tasks(registry: Registry, artifacts: Callable[[str], dict[str, Any]]) -> None:
    """They block like any sync task, and everything is written all the same."""
    import asyncio

    from prefect import flow

    from flowreg.prefect import register_model

    @flow
    async def train() -> Any:
        return register_model("churn", MODEL, trust="pickle", registry=registry.root)

    version = asyncio.run(train())

    assert set(artifacts(version.run.flow_run)) == {"flowreg-churn-version", "flowreg-churn-history"}


def _rows(artifact: Any) -> list[dict[str, str]]:
    import json

    rows: list[dict[str, str]] = json.loads(artifact.data)
    return rows


def _task_runs(client: Any, flow_run: str) -> list[Any]:
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    found: list[Any] = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[flow_run])))
    return found
