"""What a registration costs Prefect's server: at most four requests, counted by a proxy before a real one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from flowreg import Registry
from tests.prefect.conftest import GOOD
from tests.servers.counting_proxy import CountingProxy, Request, counting_proxy
from tests.servers.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect
LIMIT = 4


@pytest.fixture
def proxy(prefect_env: PrefectServer) -> Iterator[CountingProxy]:
    """Flows talk to Prefect through it."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with counting_proxy(prefect_env.ui_url) as proxy, temporary_settings({PREFECT_API_URL: f"{proxy.endpoint_url}/api"}):
        yield proxy


def links_events(request: Request) -> bool:
    """What Prefect's thread for events asks once in a run, whoever emits the first event: what the run's events are related to."""
    return request.method == "GET" and request.path.startswith(("/api/flows/", "/api/flow_runs/", "/api/deployments/", "/api/work_"))


def test_a_registration_costs_at_most_four_requests(proxy: CountingProxy, registry: Registry, events: Callable[[], list[Any]]) -> None:
    """The first of a model, which makes its page, and with a registry that is found by the name of its block; later ones cost less."""
    from prefect import flow

    from flowreg.prefect import ModelRegistry, promote_model, register_model

    ModelRegistry(root=registry.root).save("counted", overwrite=True)
    seen: dict[str, Counter[str]] = {}

    def counted(name: str, call: Callable[[], Any]) -> Any:
        with proxy.counting() as requests:
            result = call()
        seen[name] = Counter(
            f"{request.method} {request.path.removeprefix('/api/').split('/name/')[0]}" for request in requests if not links_events(request)
        )
        return result

    @flow
    def train() -> None:
        version = counted("first", lambda: register_model("churn", [1], trust="pickle", registry="counted", **GOOD))
        counted("again", lambda: register_model("churn", [2], trust="pickle", registry="counted"))
        counted("promotion", lambda: promote_model(version, registry="counted"))

    train()

    assert {name: made.total() for name, made in seen.items() if made.total() > LIMIT} == {}, seen
    assert seen["first"]["POST artifacts/"] == 2, seen
    assert seen["again"] == Counter({"GET health": 1, "POST artifacts/": 1})
    assert seen["promotion"] == Counter({"POST artifacts/": 2})
    assert [event.event for event in events()].count("flowreg.version.registered") == 2
