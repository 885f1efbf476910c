"""A person opens a waiting run in Prefect's interface, reads the form, fills it in, and the promotion lands. Everything is real."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowreg import Policy, Registry
from tests.conftest import Root
from tests.servers.prefect_server import PrefectServer, worker

pytestmark = [pytest.mark.prefect, pytest.mark.slow]

FLOW = """
from prefect import flow
from flowreg.prefect import promote_model, request_approval

@flow(name="promote-when-approved")
def promote_when_approved(ref: str, root: str):
    request_approval(ref, to="champion", registry=root)
    promote_model(ref, to="champion", registry=root)
"""
POLICY = """
policy: reviewed
models: [churn]
alias: champion
gates:
- auc >= 0.85
- auc >= champion.auc - 0.005
- {check: approval, by: [model-risk], not_author: true}
"""
PATIENCE_S = 240


@pytest.fixture
def registry(root: Root) -> Registry:
    registry = Registry(root.url, actor="trainer")
    registry.register("churn", {"w": 1}, metrics={"auc": 0.86, "brier": 0.11, "n": 400}, on="holdout", trust="pickle")
    registry.promote("churn@1", to="champion")
    registry.register("churn", {"w": 2}, metrics={"auc": 0.91, "brier": 0.09, "n": 400}, on="holdout", trust="pickle")
    registry.set_policy(Policy.parse(POLICY))
    registry.set_people({"model-risk": ["ana"]})
    return registry


@pytest.fixture
def waiting(prefect_env: PrefectServer, registry: Registry, tmp_path: Path) -> Iterator[Any]:
    """The id of a run that a worker started and that is suspended now; the worker goes on taking runs."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate

    (tmp_path / "flow.py").write_text(FLOW)
    pull = [{"prefect.deployments.steps.set_working_directory": {"directory": str(tmp_path)}}]
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="reviewed", type="process"))
        deployment = client.create_deployment(
            client.create_flow_from_name("promote-when-approved"), name="on-demand", entrypoint="flow.py:promote_when_approved",
            pull_steps=pull, work_pool_name="reviewed", enforce_parameter_schema=False,
            parameters={"ref": "churn@2", "root": registry.root},
            job_variables={"env": {"PYTHONPATH": str(Path(__file__).parents[2])}, "command": f"{sys.executable} -m prefect.engine"},
        )  # fmt: skip
        run = client.create_flow_run_from_deployment(deployment)
        with worker(prefect_env, "reviewed") as log:
            require_state(run.id, "Suspended", log)
            yield run.id, log


def require_state(flow_run: Any, name: str, log: Path) -> None:
    """Wait until the run has this state."""
    from prefect.client.orchestration import get_client

    deadline = time.monotonic() + PATIENCE_S
    state = None
    with get_client(sync_client=True) as client:
        while time.monotonic() < deadline:
            state = client.read_flow_run(flow_run).state
            if state is not None and state.name == name:
                return
            assert state is None or not state.is_final(), f"{state}\n{log.read_text()[-3000:]}"
            time.sleep(0.5)
    raise AssertionError(f"the run is {state}, not {name}\n{log.read_text()[-3000:]}")


@pytest.mark.timeout(900)
def test_a_run_is_resumed_by_filling_in_the_form(
    waiting: tuple[Any, Path], prefect_env: PrefectServer, registry: Registry, browser_page: Any, tmp_path: Path
) -> None:
    """No process of the run is left while it waits; the form shows what is asked; after Submit the champion is the new version."""
    flow_run, log = waiting

    browser_page.goto(f"{prefect_env.ui_url}/runs/flow-run/{flow_run}")
    browser_page.get_by_role("button", name="Resume").first.click()
    form = browser_page.get_by_role("dialog")
    form.get_by_text("Shall churn@2 become champion").wait_for()
    browser_page.screenshot(path=str(tmp_path / "form.png"))
    assert "auc 0.91, churn@1 has 0.86" in form.inner_text()
    assert "0 of 1: waits for model-risk" in form.inner_text()
    fill_in(browser_page, form)
    require_state(flow_run, "Completed", log)

    assert registry.get("churn@champion").number == 2
    (said,) = registry.approvals("churn@2")
    assert (said.person, said.because, said.via, said.by.flow_run) == ("ana", "read the report", "prefect", str(flow_run))


def fill_in(page: Any, form: Any) -> None:
    """Approve, as ana. The list of verdicts opens by key, as for whoever uses no mouse."""
    name, reason = form.get_by_role("textbox").all()
    name.fill("ana")
    reason.fill("read the report")
    form.locator(".p-select-button__control").first.press("Space")
    page.locator(".p-select-option", has_text="approve").first.click()
    form.get_by_role("button", name="Submit").click()
