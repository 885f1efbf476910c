"""What the tests of the Prefect surface share: a registry with a policy, and what Prefect's server and events say afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from flowreg import Policy, Registry
from tests.conftest import Root

POLICY = """
policy: champion
models: ["*"]
alias: champion
dataset: holdout
override: {by: [boss]}
gates:
- auc >= 0.85
- expr: recall[region=*] >= 0.70
  why: every region matters
"""
GOOD = {"metrics": {"auc": 0.91, "n": 400}, "slices": {"region=south": {"recall": 0.75, "n": 200}}, "on": "holdout"}
POOR = {"metrics": {"auc": 0.80, "n": 400}, "slices": {"region=south": {"recall": 0.69, "n": 200}}, "on": "holdout"}


@pytest.fixture
def registry(root: Root) -> Registry:
    """An empty registry whose champions are protected."""
    registry = Registry(root.url)
    registry.set_policy(Policy.parse(POLICY))
    return registry


@pytest.fixture
def artifacts(prefect_env: Any) -> Callable[[str], dict[str, Any]]:
    """The Prefect artifacts of a flow run, the newest of each key."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    def of_run(flow_run: str) -> dict[str, Any]:
        with get_client(sync_client=True) as client:
            found = client.read_artifacts(artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[flow_run])))
        return {each.key: each for each in sorted(found, key=lambda each: each.created)}

    return of_run


@pytest.fixture
def events(prefect_env: Any) -> Iterator[Callable[[], list[Any]]]:
    """The events of flowreg that were emitted in this test."""
    from prefect.events.clients import AssertingEventsClient
    from prefect.events.worker import EventsWorker

    EventsWorker.set_client_override(AssertingEventsClient)

    def emitted() -> list[Any]:
        EventsWorker.drain_all()
        sent = [event for client in AssertingEventsClient.all for event in client.events]
        return [event for event in sent if event.event.startswith("flowreg.")]

    yield emitted
    EventsWorker.drain_all()
    EventsWorker.set_client_override(None)
    AssertingEventsClient.reset()
