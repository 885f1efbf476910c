"""What prefect.yaml yields on a real server: what runs when, what starts it, how many at once; and on which kinds of pool it may."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import GIT
from tests.servers.prefect_server import PrefectServer, prefect_cli

from .conftest import DEPLOYMENTS, REPOSITORY, Deployed

pytestmark = pytest.mark.prefect
FILE = REPOSITORY / "deployments" / "prefect.yaml"


def test_all_of_it_is_deployed(deployed: Deployed) -> None:
    """Five deployments, each with its schedule and its limit, and three automations; deploying again makes no second of any."""
    from prefect.client.orchestration import get_client

    prefect_cli(deployed.server, "deploy", "--prefect-file", str(FILE), "--all", cwd=REPOSITORY, extra_env=GIT)

    with get_client(sync_client=True) as client:
        found = {name: client.read_deployment_by_name(name) for name in DEPLOYMENTS}
        ours = [
            automation
            for deployment in found.values()
            for automation in client.read_resource_related_automations(f"prefect.deployment.{deployment.id}")
        ]
    assert {name: [each.schedule.cron for each in deployment.schedules] for name, deployment in found.items()} == {
        "retrain/nightly": ["0 2 * * *"],
        "deploy/on-promotion": [],
        "evaluate-champion/weekly": ["0 6 * * 1"],
        "remind/mornings": ["0 8 * * 1-5"],
        "housekeeping/weekly": ["0 4 * * 0"],
    }
    limits = {name: getattr(deployment.global_concurrency_limit, "limit", None) for name, deployment in found.items()}
    assert [name for name, limit in limits.items() if limit == 1] == ["retrain/nightly", "deploy/on-promotion", "housekeeping/weekly"]
    assert {automation.name: sorted(automation.trigger.expect) for automation in ours} == {
        "retrain flight-delay on new data": ["flowreg.data.arrived"],
        "retrain flight-delay on drift": ["flowreg.drift.detected"],
        "deploy a champion that moved": ["flowreg.version.promoted", "flowreg.version.restored", "flowreg.version.rolled-back"],
    }
    assert len(ours) == 3


def _template(kind: str) -> tuple[Any, Any]:
    """The worker's class of job configuration, and its own base job template."""
    from prefect_docker.worker import DockerWorker
    from prefect_kubernetes.worker import KubernetesWorker

    worker: Any = {"docker": DockerWorker, "kubernetes": KubernetesWorker}[kind]
    return worker.job_configuration, worker.get_default_base_job_template()


@pytest.mark.parametrize("kind", ["docker", "kubernetes"])
def test_it_may_run_in_containers(prefect_env: PrefectServer, tmp_path: Path, kind: str) -> None:
    """With the pool changed as the file says, Prefect takes it, and the worker makes a job of each of its variables."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate

    configuration, template = _template(kind)
    (tmp_path / "prefect.yaml").write_text(_moved(FILE.read_text(), kind))
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=kind, type=kind, base_job_template=template), overwrite=True)
        env = {"FLOWREG_ROOT": "s3://models/registry", **GIT}
        prefect_cli(prefect_env, "deploy", "--prefect-file", str(tmp_path / "prefect.yaml"), "--all", cwd=REPOSITORY, extra_env=env)
        found = {name: client.read_deployment_by_name(name) for name in DEPLOYMENTS}
        for deployment in found.values():
            client.delete_resource_owned_automations(f"prefect.deployment.{deployment.id}")
            client.delete_deployment(deployment.id)

    for deployment in found.values():
        variables = deployment.job_variables
        assert deployment.work_pool_name == kind
        assert variables.keys() <= template["variables"]["properties"].keys()
        job = asyncio.run(configuration.from_template_and_values(template, variables))
        assert job.env == {"FLOWREG_ROOT": "s3://models/registry"}
        assert variables["image"] in str(job.model_dump())
        assert deployment.pull_steps == [{"prefect.deployments.steps.set_working_directory": {"directory": "/opt/flowreg"}}]


def _moved(text: str, kind: str) -> str:
    """The file, as its comments say how to change it."""
    uncommented = re.sub(r"^# (pull:|  - prefect\.deployments\.steps\.set_working|      directory: /opt)", r"\1", text, flags=re.MULTILINE)
    moved = uncommented.replace("work_pool: *local\n", f"work_pool: *{kind}\n")
    assert moved.count(f"work_pool: *{kind}\n") == len(DEPLOYMENTS)
    return moved
