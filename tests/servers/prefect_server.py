"""A real Prefect server, and a real process worker for it.

Nothing of the person's own Prefect is read or written: the home, the profiles and the database lie in a temporary folder.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .need import need_module
from .process import answers, environment, free_ports, running

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun, State

INSTALL = "pip install -e '.[prefect]'"
STARTUP_S = 240  # a fresh database runs every migration; a loaded machine of two cores took 127 s
QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
}


@dataclass(frozen=True)
class PrefectServer:
    """Where it answers. ``env`` is all that another process needs to use it."""

    api_url: str
    ui_url: str
    env: Mapping[str, str]


@contextmanager
def prefect_server() -> Iterator[PrefectServer]:
    """A ``prefect server start`` with an empty database."""
    need_module("prefect", INSTALL)
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="flowreg-prefect-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        env = {**QUIET, "PREFECT_HOME": str(home / "prefect"), "PREFECT_API_URL": f"{url}/api", "PREFECT_UI_URL": url}
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        with running(command, folder=home, env=env, ready=lambda: answers(f"{url}/api/health"), timeout_s=STARTUP_S):
            yield PrefectServer(api_url=f"{url}/api", ui_url=url, env=env)
            send_what_is_queued()


def send_what_is_queued() -> None:
    """Let Prefect's threads in this process send their events and logs and end, while the server is still there."""
    if "prefect" in sys.modules:
        from prefect.events.worker import EventsWorker
        from prefect.logging.handlers import APILogWorker

        EventsWorker.drain_all()
        APILogWorker.drain_all()


def prefect_cli(server: PrefectServer, *arguments: str, cwd: Path, extra_env: Mapping[str, str] | None = None) -> str:
    """Run ``prefect ARGUMENTS`` against the server and return what it printed; an exit code but 0 is an error with that text."""
    with tempfile.TemporaryDirectory(prefix="flowreg-cli-") as home:
        ended = subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            env=environment(Path(home), {**server.env, **(extra_env or {})}),
        )
    if ended.returncode:
        raise RuntimeError(f"prefect {' '.join(arguments)} ended with code {ended.returncode}:\n{ended.stdout}")
    return ended.stdout


def finished_run(deployment: str, *, timeout_s: float) -> FlowRun:
    """The first run of ``flow/deployment`` to reach an end, waited for; ask within the fixture ``prefect_env``."""
    return finished_runs(deployment, 1, timeout_s=timeout_s)[0]


def finished_runs(deployment: str, count: int, *, timeout_s: float) -> list[FlowRun]:
    """The runs of ``flow/deployment`` that have ended, by their start, as soon as there are ``count`` of them."""
    from prefect.client.orchestration import get_client

    deadline = time.monotonic() + timeout_s
    with get_client(sync_client=True) as client:
        wanted = client.read_deployment_by_name(deployment).id
        while time.monotonic() < deadline:
            runs = runs_of(client, wanted)
            if len(ended := [run for run in runs if run.state is not None and run.state.is_final()]) >= count:
                return sorted(ended, key=lambda run: (run.start_time is None, run.start_time))
            time.sleep(0.5)
    states = sorted(f"{run.name} {run.state_name}" for run in runs)
    raise TimeoutError(f"{count} runs of {deployment} did not end within {timeout_s:g} s: {', '.join(states) or 'there is none'}")


def runs_of(client: SyncPrefectClient, deployment_id: UUID) -> list[FlowRun]:
    """All runs of a deployment."""
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId

    return client.read_flow_runs(deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment_id])))


def run_in_state(run_id: UUID, wanted: Callable[[State[Any]], bool], *, timeout_s: float) -> FlowRun:
    """The run, as soon as its state is what is wanted; ask within the fixture ``prefect_env``."""
    from prefect.client.orchestration import get_client

    deadline = time.monotonic() + timeout_s
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline:
            run = client.read_flow_run(run_id)
            if run.state is not None and wanted(run.state):
                return run
            time.sleep(0.2)
    raise TimeoutError(f"{run.name} is {run.state_name} after {timeout_s:g} s")


@contextmanager
def worker(server: PrefectServer, pool: str, *, extra_env: Mapping[str, str] | None = None) -> Iterator[Path]:
    """A process worker that polls ``pool`` (made if it is not there); yields the file that its output goes to.

    The block is entered at once: the worker takes runs as soon as it is up.
    """
    with tempfile.TemporaryDirectory(prefix="flowreg-worker-", ignore_cleanup_errors=True) as folder:
        env = {**server.env, "PREFECT_WORKER_QUERY_SECONDS": "2", **(extra_env or {})}
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--type", "process"]
        with running(command, folder=Path(folder), env=env, ready=lambda: True, timeout_s=STARTUP_S):
            yield Path(folder, "output.log")
