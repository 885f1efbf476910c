"""What ``capture`` learns from the run that surrounds it."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flowreg.core.events import Run
from flowreg.lineage.capture import capture
from flowreg.prefect import ModelRegistry
from tests.servers.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect


def test_flow_and_task_are_known(prefect_env: PrefectServer) -> None:
    """Names, ids, parameters with defaults, attempts and the page of the run."""
    from prefect import flow, runtime, task

    @task(task_run_name="step-{n}")
    def step(n: int) -> tuple[Run, str]:
        return capture().run, str(runtime.task_run.id)

    @flow(name="train-churn", version="7", flow_run_name="monday")
    def train(n: int, token: str = "hunter2-canary") -> tuple[Run, str, str]:
        return *step(n), str(runtime.flow_run.id)

    run, task_run, flow_run = train(3)

    said = run.model_dump(exclude={"git", "environment", "warnings", "seeds"}, exclude_none=True)
    assert said == {
        "flow": "train-churn", "flow_version": "7", "flow_run": flow_run, "flow_run_name": "monday", "task_run": task_run,
        "task_run_name": "step-3", "run_count": 1, "url": f"{prefect_env.ui_url}/runs/flow-run/{flow_run}",
        "parameters": {"n": 3, "token": "********"}, "entrypoint": "tests/prefect/test_captured_run.py:train",
    }  # fmt: skip
    assert not [warning for warning in run.warnings if warning.startswith("run")]


def test_the_calling_flow_is_known(prefect_env: PrefectServer) -> None:
    """A flow that another one calls names it, also from inside a task."""
    from prefect import flow, runtime, task

    @task
    def step() -> Run:
        return capture().run

    @flow
    def inner() -> Run:
        return step()

    @flow
    def outer() -> tuple[Run, str]:
        return inner(), str(runtime.flow_run.id)

    run, caller = outer()

    assert run.flow == "inner"
    assert run.parent_flow_run == caller


def test_a_called_flow_shows_the_seed_of_its_caller(prefect_env: PrefectServer) -> None:
    """Seeds are the process's; so what was set before the call counts in it, and no other run's."""
    from prefect import flow

    import flowreg

    @flow
    def inner() -> Run:
        return capture().run

    @flow
    def outer() -> Run:
        flowreg.seed_all(11)
        return inner()

    assert outer().seeds["random"] == 11
    assert inner().seeds.get("random") != 11


def test_the_image_of_the_job_is_known(prefect_env: PrefectServer) -> None:
    """Where the flow run has job variables that name one."""
    image = f"registry.corp/churn:7@sha256:{'a' * 64}"

    run = _captured(job_variables={"image": image})

    assert (run.image, run.image_digest) == ("registry.corp/churn:7", "sha256:" + "a" * 64)


def test_a_large_parameter_is_named_and_not_kept(prefect_env: PrefectServer) -> None:
    """50 MB of data among the parameters: what is kept is short, and says how much there was. (Prefect refuses text of this size.)"""
    import numpy
    from prefect import flow

    @flow(validate_parameters=False)
    def train(frame: object, text: str, api_token: str) -> Run:
        return capture().run

    run = train(numpy.zeros((6_500_000, 1)), "x" * 100_000, "hunter2-canary" * 5000)

    assert len(run.model_dump_json()) < 20_000
    assert run.parameters["frame"] == "<ndarray (6500000, 1)>"
    assert run.parameters["text"].endswith("(100000 characters)")
    assert run.parameters["api_token"] == "********"


def test_a_task_in_a_thread_of_a_runner_knows_its_run(prefect_env: PrefectServer) -> None:
    """``submit`` keeps the context."""
    from prefect import flow, runtime, task

    @task
    def step() -> str | None:
        return capture().run.flow_run

    @flow
    def train() -> tuple[Any, str]:
        return step.submit().result(), str(runtime.flow_run.id)

    seen, flow_run = train()

    assert seen == flow_run


def test_a_task_outside_a_flow(prefect_env: PrefectServer) -> None:
    """It has a task run and no flow run."""
    from prefect import task

    @task
    def alone() -> Run:
        return capture().run

    run = alone()

    assert (run.flow_run, run.flow) == (None, None)
    assert run.url == f"{prefect_env.ui_url}/runs/task-run/{run.task_run}"


def test_a_block_among_the_parameters_is_shown_by_its_name(prefect_env: PrefectServer) -> None:
    """Whatever it holds, it is recorded as a reference."""
    from prefect import flow

    block = ModelRegistry(root="s3://models", storage_options={"secret": "hunter2-canary"})
    block.save("shown", overwrite=True)

    @flow
    def train(registry: ModelRegistry, other: ModelRegistry) -> Run:
        return capture().run

    run = train(ModelRegistry.load("shown"), ModelRegistry(root="s3://models"))

    assert run.parameters == {"registry": "block flowreg-model-registry/shown", "other": "block flowreg-model-registry"}


def test_no_request_goes_to_prefects_server(prefect_env: PrefectServer) -> None:
    """Everything that is captured lies in the process already."""
    import httpx
    from prefect import flow

    asked = []

    @flow
    def train() -> Run:
        with pytest.MonkeyPatch.context() as patch:
            for client in (httpx.Client, httpx.AsyncClient):
                patch.setattr(client, "send", lambda self, request, **_: asked.append(request.url))
            return capture().run

    run = train()

    assert (asked, run.flow) == ([], "train")


def test_who_started_it_is_known(prefect_env: PrefectServer) -> None:
    """A schedule or an automation by its name; of a person an open-source server knows nothing."""
    from prefect.client.schemas.objects import CreatedBy

    by = [CreatedBy(type="SCHEDULE", display_value="nightly"), CreatedBy(type="AUTOMATION", display_value="on drift"), None]

    assert [_captured(created_by=each).started_by for each in by] == ["schedule nightly", "automation on drift", None]


def test_a_context_of_an_unknown_shape_costs_single_fields(prefect_env: PrefectServer) -> None:
    """A later Prefect may have moved things; what is still there is recorded and the rest is said."""
    run = _captured(without="work_pool_name")

    assert run.flow == "train"
    assert "run work_pool: could not be read (AttributeError)" in run.warnings


def test_the_code_is_the_repository_of_the_flow(prefect_env: PrefectServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the process happens to work."""
    code, elsewhere = tmp_path / "code", tmp_path / "elsewhere"
    (code / "flows").mkdir(parents=True)
    elsewhere.mkdir()
    (code / "flows" / "train.py").write_text(
        "from prefect import flow\nfrom flowreg.lineage.capture import capture\n\n@flow\ndef train():\n    return capture().run\n"
    )
    subprocess.run(["git", "init", "--initial-branch", "of-the-flow", str(code)], check=True, capture_output=True)
    subprocess.run(["git", "init", "--initial-branch", "of-the-process", str(elsewhere)], check=True, capture_output=True)
    monkeypatch.chdir(elsewhere)

    run = runpy.run_path(str(code / "flows" / "train.py"))["train"]()

    assert run.git.branch == "of-the-flow"


def _captured(*, without: str | None = None, **changed: Any) -> Run:
    """What is captured where the flow run says something else, or lacks a field."""
    from prefect import flow
    from prefect.context import FlowRunContext

    @flow
    def train() -> Run:
        context = FlowRunContext.get()
        assert context is not None
        assert context.flow_run is not None
        other = context.flow_run.model_copy(update=changed)
        other.__dict__.pop(without, None)
        with context.model_copy(update={"flow_run": other}):
            return capture().run

    run: Run = train()
    return run
