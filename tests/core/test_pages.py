"""From the page of a run to the pages beside it, in every place where Prefect's interface may be."""

from __future__ import annotations

import pytest

from flowreg.core.events import Run
from flowreg.core.pages import artifact_page, beginning, deployment_page, flow_run_page

CLOUD = "https://app.prefect.cloud/account/1/workspace/2"


@pytest.mark.parametrize("start", ["http://127.0.0.1:4200", "http://prefect.example/v2", CLOUD])
@pytest.mark.parametrize("kind", ["flow-run", "task-run"])
def test_pages_begin_as_the_run_s_does(start: str, kind: str) -> None:
    """Both interfaces of Prefect's server and its cloud have the same paths behind that."""
    url = f"{start}/runs/{kind}/0199"

    assert flow_run_page(url, "0200") == f"{start}/runs/flow-run/0200"
    assert deployment_page(Run(url=url, deployment_id="0300")) == f"{start}/deployments/deployment/0300"
    assert artifact_page(url, "flowreg-churn-history") == f"{start}/artifacts/key/flowreg-churn-history"


@pytest.mark.parametrize("url", [None, "", "0199", "/runs/flow-run/0199", "http://ci.example/job/7"])
def test_where_no_page_is_known_there_is_none(url: str | None) -> None:
    """No address is made up; nor where nothing is named."""
    assert (beginning(url), flow_run_page(url, "0200"), deployment_page(Run(url=url, deployment_id="0300"))) == (None, None, None)
    assert (deployment_page(None), deployment_page(Run(url="http://h/runs/flow-run/1"))) == (None, None)
