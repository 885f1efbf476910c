"""What is recorded about a run that a worker started for a deployment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flowreg import Registry
from tests.servers.prefect_server import PrefectServer, worker

pytestmark = pytest.mark.prefect

FLOW = """
import subprocess, sys
from prefect import flow
from flowreg import Registry
from flowreg.lineage.capture import capture
from flowreg.prefect import register_model

CHILD = "import sys; from flowreg import Registry; from flowreg.lineage.capture import capture; "
CHILD += "Registry(sys.argv[1]).register('of-child', {'w': 1}, trust='pickle', run=capture())"

@flow
def inner(root: str):
    register_model("of-inner", {"w": 1}, trust="pickle", registry=root)

@flow
def train(root: str, api_key: str = "hunter2-canary"):
    register_model("of-train", {"w": 1}, trust="pickle", registry=root)
    inner(root)
    subprocess.run([sys.executable, "-c", CHILD, root], check=True)
"""


@pytest.mark.timeout(600)
def test_a_deployed_run_is_recorded_with_its_deployment(prefect_env: PrefectServer, registry: Registry, tmp_path: Path) -> None:
    """Deployment, work pool and parameters of the run itself, of a flow that it calls, and of a process that it starts."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.flow_runs import wait_for_flow_run

    project = Path(__file__).parents[2]
    (tmp_path / "train.py").write_text(FLOW)
    pull = [{"prefect.deployments.steps.set_working_directory": {"directory": str(tmp_path)}}]
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="captured", type="process"))
        flow_id = client.create_flow_from_name("train")
        variables = {"env": {"PYTHONPATH": str(project)}, "command": f"{sys.executable} -m prefect.engine"}
        deployment = client.create_deployment(
            flow_id, name="nightly", version="3", entrypoint="train.py:train", pull_steps=pull, work_pool_name="captured",
            job_variables=variables, parameters={"root": registry.root}, enforce_parameter_schema=False,
        )  # fmt: skip
        flow_run = client.create_flow_run_from_deployment(deployment)

    import asyncio

    with worker(prefect_env, "captured") as log:
        ended = asyncio.run(wait_for_flow_run(flow_run.id, timeout=400))

    assert ended.state is not None
    assert ended.state.is_completed(), f"{ended.state}\n{log.read_text() if log.exists() else ''}"
    of_train, of_inner, of_child = (registry.get(f"{name}@1").run for name in ("of-train", "of-inner", "of-child"))
    assert of_train is not None
    assert of_inner is not None
    assert of_child is not None
    assert (of_train.flow_run, of_train.flow, of_train.deployment) == (str(flow_run.id), "train", "train/nightly")
    assert (of_train.deployment_id, of_train.work_pool) == (str(deployment), "captured")
    assert of_train.parameters == {"root": registry.root, "api_key": "********"}
    assert (of_inner.flow, of_inner.parent_flow_run, of_inner.deployment) == ("inner", str(flow_run.id), "train/nightly")
    assert (of_child.flow_run, of_child.flow, of_child.deployment) == (str(flow_run.id), "train", "train/nightly")
    print(of_train, of_inner, of_child)
