"""The deployment in the repository retrains on its schedule, and each version tells which run made it.

Everything is real: the file as it stands, Prefect's server, its scheduler, a process worker, the flow on its real data.
"""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowreg import Registry
from tests.conftest import GIT, Root
from tests.servers.prefect_server import PrefectServer, finished_run, prefect_cli, worker

REPOSITORY = Path(__file__).parents[2]
DEPLOYMENT = "retrain/nightly"
POOL = "local-process"


@pytest.fixture
def deployed(prefect_env: PrefectServer, root: Root) -> PrefectServer:
    """The server, with the repository's own prefect.yaml deployed and, so that no test waits for the night, a second schedule."""
    for command in (
        ("work-pool", "create", POOL, "--type", "process", "--overwrite"),
        ("deploy", "--prefect-file", "deployments/prefect.yaml", "--all"),
        # One run soon; the next one only if the server's scheduler was late for it.
        ("deployment", "schedule", "create", DEPLOYMENT, "--interval", "180", "--anchor-date", _soon()),
    ):
        prefect_cli(prefect_env, *command, cwd=REPOSITORY, extra_env={"FLOWREG_ROOT": root.url, **GIT})
    return prefect_env


@pytest.mark.prefect
@pytest.mark.timeout(900)
def test_a_scheduled_run_leaves_a_version_that_names_it(deployed: PrefectServer, root: Root) -> None:
    """The newest version carries the run, the deployment and the work pool, though nobody passed them."""
    with worker(deployed, POOL, extra_env=GIT) as output:
        run = finished_run(DEPLOYMENT, timeout_s=600)
        assert run.state_name == "Completed", f"{run.state}\n{output.read_text()[-4000:]}"

    assert run.auto_scheduled
    made_by = Registry(root.url).get("flight-delay@newest").run
    assert made_by is not None
    assert (made_by.flow_run, made_by.deployment, made_by.work_pool) == (str(run.id), DEPLOYMENT, POOL)
    assert (made_by.deployment_version or "").removesuffix("-dirty") == _commit()


def _soon() -> str:
    return (datetime.now(UTC) + timedelta(seconds=20)).isoformat(timespec="seconds")


def _commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.strip()
