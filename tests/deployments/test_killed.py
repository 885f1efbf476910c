"""A run that is killed twice, once with its worker, goes on where it was: one version, one champion, whatever training gives."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowreg import Registry
from tests.servers.prefect_server import PrefectServer, prefect_cli, run_in_state, worker

PROJECT = Path(__file__).parents[2]
POOL = "killed"
FLOW = '''
import json, os, signal, time, uuid
from pathlib import Path
from flowreg.prefect import Holdout, Split, retraining

LIVES = Path(os.environ["LIVES"])

def load(rows: int = 2) -> Split:
    return Split([1] * rows, Holdout("holdout", [[0], [1]], [0, 1]))

def train(data):
    return {"never the same": str(uuid.uuid4())}

def right(model, features, target):
    """The version is registered; now the first life ends by itself, and the second waits for what comes."""
    number = len(list(LIVES.iterdir())) + 1
    said = json.dumps({"flow": os.getpid(), "worker": os.getppid(), "model": model})
    Path(LIVES, f".{number}").write_text(said)
    Path(LIVES, f".{number}").rename(LIVES / str(number))
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    while number == 2:
        time.sleep(0.1)
    return 1.0

retrain = retraining(model="churn", load=load, train=train, score=right, trust="pickle", undo=True)
'''


@pytest.mark.prefect
@pytest.mark.timeout(600)
def test_a_run_that_is_killed_and_retried_makes_no_twin(prefect_env: PrefectServer, registry: Registry, tmp_path: Path) -> None:
    """kill -9 of the flow, then kill -9 of flow and worker at once; retried each time with Prefect's own command."""
    lives = tmp_path / "lives"
    lives.mkdir()
    run_id = _deployed_run(prefect_env, registry, tmp_path, lives)

    with worker(prefect_env, POOL) as output:
        run_in_state(run_id, lambda state: state.is_crashed(), timeout_s=240)
        second = _life(lives / "2", output, meanwhile=lambda: _retry_if_ended(prefect_env, run_id, tmp_path))
        for name in ("worker", "flow"):  # the worker first, so that it tells nobody
            os.kill(second[name], signal.SIGKILL)
    assert run_in_state(run_id, lambda state: True, timeout_s=10).state_name == "Running"

    # Nobody is left who could tell Prefect, so a person does, as its page offers. That frees the deployment's only slot, too.
    _say_crashed(run_id)
    _retry_if_ended(prefect_env, run_id, tmp_path)
    with worker(prefect_env, POOL) as output:
        run = run_in_state(run_id, lambda state: state.is_final(), timeout_s=240)

    assert run.state_name == "Completed", f"{run.state}\n{output.read_text()[-4000:] if output.exists() else ''}"
    (version,) = registry.versions("churn")
    assert (version.aliases, version.retired, len(version.evaluations)) == (("champion",), None, 1)
    models = [_life(lives / number, output)["model"] for number in ("1", "2", "3")]
    assert models == [registry.load(version, trust=True)] * 3


def _deployed_run(server: PrefectServer, registry: Registry, folder: Path, lives: Path) -> Any:
    """A run of a deployment that lets one run at a time; as a worker will find it."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate

    (folder / "nightly.py").write_text(FLOW)
    variables = {"PYTHONPATH": str(PROJECT), "LIVES": str(lives), "FLOWREG_ROOT": registry.root}
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process"), overwrite=True)
        deployment = client.create_deployment(
            client.create_flow_from_name("retrain-churn"), name="killed", entrypoint="nightly.py:retrain", work_pool_name=POOL,
            pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": str(folder)}}],
            job_variables={"env": variables}, concurrency_limit=1, enforce_parameter_schema=False,
        )  # fmt: skip
        return client.create_flow_run_from_deployment(deployment).id


def _say_crashed(run_id: Any) -> None:
    from prefect.client.orchestration import get_client
    from prefect.states import Crashed

    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run_id, Crashed(message="killed with its worker"))


def _retry_if_ended(server: PrefectServer, run_id: Any, folder: Path) -> None:
    """What a person types. A worker may say a second time that its run has crashed, after it was retried: then once more."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        state = client.read_flow_run(run_id).state
    if state is not None and state.is_final():
        prefect_cli(server, "flow-run", "retry", str(run_id), cwd=folder)


def _life(file: Path, output: Path, meanwhile: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """What a life of the flow wrote when its version was registered."""
    deadline = time.monotonic() + 240
    while not file.exists():
        assert time.monotonic() < deadline, output.read_text()[-4000:]
        meanwhile()
        time.sleep(0.2)
    said: dict[str, Any] = json.loads(file.read_text())
    return said
