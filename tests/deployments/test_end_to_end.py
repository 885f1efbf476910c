"""A schedule and two events retrain; the gates say yes and no; what became champion is deployed. Nobody touches anything.

Everything is real: the file as it stands, Prefect's server, its scheduler and triggers, a process worker, the flows on their real data.
"""

from __future__ import annotations

import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest

from flowreg import Policy, Registry
from tests.conftest import GIT
from tests.servers.prefect_server import PrefectServer, finished_runs, prefect_cli, runs_of, worker

from .conftest import POOL, REPOSITORY, Deployed

RETRAIN, DEPLOY = "retrain/nightly", "deploy/on-promotion"
MODEL = "flight-delay"
STEEP = Policy(policy="steep", models=[MODEL], alias="champion", gates=["auc >= champion.auc + 0.4"])


@pytest.mark.prefect
@pytest.mark.timeout(900)
def test_what_happens_retrains_and_what_is_promoted_is_deployed(deployed: Deployed) -> None:
    """A run by schedule and one by new data are promoted and deployed; one by drift is blocked, and nothing follows."""
    from prefect.client.orchestration import get_client

    from flowreg.prefect import announce_data, announce_drift

    registry = Registry(deployed.root)
    _soon(deployed.server)
    with worker(deployed.server, POOL, extra_env=GIT) as output:

        def retrained(count: int) -> list[str]:
            runs = finished_runs(RETRAIN, count, timeout_s=300)
            assert all("FileNotFound" not in str(run.state) for run in runs), output.read_text()[-4000:]
            return [str(run.state_name) for run in runs]

        assert retrained(1) == ["Completed"], output.read_text()[-4000:]
        announce_data(MODEL, "s3://lake/flights/2013-12.parquet?sig=hunter2", because="December is in")
        announce_data(MODEL, "s3://lake/flights/2013-12.parquet", because="told twice: within the hour it starts no second run")
        assert retrained(2) == ["Completed", "Completed"]
        deploys = finished_runs(DEPLOY, 2, timeout_s=300)

        registry.set_policy(STEEP, because="for the test")
        announce_drift(MODEL, because="weather has changed", version=2)
        assert retrained(3) == ["Completed", "Completed", "Failed"]

    first, second, third = registry.versions(MODEL)
    by_schedule, by_data, by_drift = (version.run for version in (first, second, third))
    assert by_schedule is not None
    assert by_data is not None
    assert by_drift is not None
    assert (by_schedule.deployment, by_schedule.work_pool) == (RETRAIN, POOL)
    assert (by_schedule.deployment_version or "").removesuffix("-dirty") == _commit()
    assert (by_schedule.started_by or "").startswith("schedule")
    assert (by_data.started_by, by_drift.started_by) == (
        "automation retrain flight-delay on new data",
        "automation retrain flight-delay on drift",
    )
    assert by_data.parameters["because"] == "flowreg.data.arrived: December is in"
    assert (registry.get(f"{MODEL}@champion").number, third.retired) == (2, None)

    assert [run.parameters["model"] for run in deploys] == [MODEL, MODEL]
    assert [run.state_name for run in deploys] == ["Completed", "Completed"]
    assert (deployed.served / MODEL / "current").resolve() == deployed.served / MODEL / "2"
    assert {path.name for path in (deployed.served / MODEL / "current").iterdir()} == set(registry.files(f"{MODEL}@2"))
    with get_client(sync_client=True) as client:
        assert len(runs_of(client, client.read_deployment_by_name(DEPLOY).id)) == 2


def _soon(server: PrefectServer) -> None:
    """So that no test waits for the night: one more schedule. The second run of it comes only long after this test."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name(RETRAIN).id
        while True:
            soon = datetime.now(UTC) + timedelta(seconds=15)
            anchor = soon.isoformat(timespec="seconds")
            command = ("deployment", "schedule", "create", RETRAIN, "--interval", "3600", "--anchor-date", anchor, "--replace", "-y")
            prefect_cli(server, *command, cwd=REPOSITORY)
            while datetime.now(UTC) < soon:  # a server that is late skips the first run
                if any(run.expected_start_time and run.expected_start_time < soon for run in runs_of(client, deployment)):
                    return
                time.sleep(0.5)


def _commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.strip()
