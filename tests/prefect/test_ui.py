"""A person walks through Prefect's interface, both of them: from the run to the version, back to the run and its deployment, and through
the promotions of the model. Server, flows and browser are real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flowreg import Dataset, Registry
from tests.prefect.conftest import GOOD
from tests.servers.prefect_server import PrefectServer

pytestmark = [pytest.mark.prefect, pytest.mark.browser]
SAID = "it is *better* | <b>really</b>"


@dataclass(frozen=True)
class Walk:
    """Two runs of a deployment, each of which registered and promoted a version, seen in one of the interfaces."""

    model: str
    ui: str
    runs: tuple[str, ...]
    names: tuple[str, ...]
    deployment: str


@pytest.fixture(params=["", "/v2"], ids=["classic", "v2"])
def walk(request: pytest.FixtureRequest, prefect_env: PrefectServer, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Walk]:
    """Runs that have ended before the browser starts."""
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.flow_engine import run_flow
    from prefect.settings import PREFECT_UI_URL, temporary_settings

    from flowreg.prefect import promote_model, register_model

    @flow(name="train-churn")
    def train(day: int) -> None:
        data = [Dataset("s3://lake/customers.parquet", role="train", rows=1200)]
        version = register_model(model, [day], trust="pickle", data=data, because=SAID, registry=registry.root, **GOOD)
        promote_model(version, because=SAID, registry=registry.root)

    model = f"risk/{request.param.strip('/') or 'classic'}"
    ui = f"{prefect_env.ui_url}{request.param}"
    monkeypatch.setenv("PREFECT__DEPLOYMENT_NAME", "nightly")
    with temporary_settings({PREFECT_UI_URL: ui}), get_client(sync_client=True) as client:
        deployment = client.create_deployment(client.create_flow(train), name="nightly", enforce_parameter_schema=False)
        runs = [client.create_flow_run_from_deployment(deployment, parameters={"day": day}) for day in (1, 2)]
        for day, run in enumerate(runs, start=1):
            run_flow(train, flow_run=run, parameters={"day": day})
        yield Walk(model, ui, tuple(str(run.id) for run in runs), tuple(str(run.name) for run in runs), str(deployment))


def test_from_the_run_to_the_version_and_back(walk: Walk, browser_page: Any, registry: Registry, tmp_path: Path) -> None:
    """One click on a run's artifact shows the version; its links lead to the run, the deployment and the model's promotions, each of which
    is there; what people wrote shows as they wrote it."""
    from playwright.sync_api import expect

    page, key = browser_page, walk.model.replace("/", "--")
    page.goto(f"{walk.ui}/runs/flow-run/{walk.runs[1]}?tab=Artifacts")
    page.get_by_role("tab", name="Artifacts").or_(page.get_by_text("Artifacts", exact=True)).last.click()
    page.get_by_text(f"flowreg-{key}-version", exact=True).last.click()
    page.get_by_role("heading", name=f"{walk.model}@2").wait_for()
    page.get_by_role("heading", name="Load it").wait_for()
    page.screenshot(path=str(tmp_path / "version.png"))

    assert page.url.startswith(f"{walk.ui}/artifacts/")
    for told in (SAID, registry.get(f"{walk.model}@2").digest, "0.91", "s3://lake/customers.parquet", f"registry.load('{walk.model}@2'"):
        expect(page.locator("body")).to_contain_text(told)
    card = page.url
    arrive(
        page,
        card,
        walk.names[1],
        f"{walk.ui}/runs/flow-run/{walk.runs[1]}",
        lambda: page.get_by_text(f"register-{walk.model}").or_(page.get_by_text(walk.names[1])),
    )
    arrive(page, card, "train-churn/nightly", f"{walk.ui}/deployments/deployment/{walk.deployment}", lambda: page.get_by_text("nightly"))
    arrive(
        page,
        card,
        "all promotions",
        f"{walk.ui}/artifacts/key/flowreg-{key}-history",
        lambda: page.get_by_text(f"promote-{walk.model}@2"),
    )
    assert page.get_by_text(f"promote-{walk.model}@1-to-champion").count() == 1
    page.screenshot(path=str(tmp_path / "promotions.png"))
    page.locator("a[href*='/artifacts/artifact/']").first.click()
    page.wait_for_url("**/artifacts/artifact/**")
    page.get_by_role("heading", name="What happened").wait_for()
    for told in ("champion promoted: version 1 → version 2", "champion promoted: nobody → version 1"):
        expect(page.locator("body")).to_contain_text(told)
    page.screenshot(path=str(tmp_path / "model.png"))
    for run in walk.runs:
        expect(page.locator(f"table a[href='{walk.ui}/runs/flow-run/{run}']").first).to_be_visible()


def arrive(page: Any, card: str, link: str, where: str, there: Callable[[], Any]) -> None:
    """Click a link of the card and wait for what stands on its page."""
    page.goto(card)
    way = page.locator("table").get_by_role("link", name=link)
    way.wait_for()
    assert way.get_attribute("href") == where
    page.goto(where)
    there().first.wait_for()
