"""A Prefect server that dies, stalls or errs while a flow runs: the model is registered all the same, and it is told what was not sent."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from flowreg import Registry
from flowreg.prefect import sending
from tests.prefect.conftest import GOOD
from tests.servers.counting_proxy import CountingProxy, Fault, Request, counting_proxy
from tests.servers.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect
FOR_EVER = 10_000


@pytest.fixture
def proxy(prefect_env: PrefectServer) -> Iterator[CountingProxy]:
    """Flows talk to Prefect through it; what is late has come to an end afterwards."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with counting_proxy(prefect_env.ui_url) as proxy, temporary_settings({PREFECT_API_URL: f"{proxy.endpoint_url}/api"}):
        yield proxy
    until = time.monotonic() + 60
    while late() and time.monotonic() < until:
        time.sleep(0.1)


def late() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == sending.LATE]


def is_of_flowreg(request: Request) -> bool:
    """Not what Prefect's thread for events asks, for which the end of this test would wait as long as the proxy stalls."""
    return request.path.startswith(("/api/health", "/api/artifacts"))


@pytest.mark.parametrize("fault", [Fault(stalls=True), Fault(status=500), Fault(status=503), Fault(reset=True)], ids=str)
def test_a_registration_outlives_the_server(
    fault: Fault, proxy: CountingProxy, registry: Registry, events: Callable[[], list[Any]], caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The record has a warning, the log says what is not shown, the promotion works too, and nobody waits for Prefect's own patience."""
    from prefect import flow

    from flowreg.prefect import promote_model, register_model

    monkeypatch.setattr(sending, "PATIENCE_S", 0.5)

    @flow
    def train() -> bool:
        proxy.spoil(lambda request: not fault.stalls or is_of_flowreg(request), fault, times=FOR_EVER)
        promote_model(register_model("churn", [1], trust="pickle", registry=registry.root, **GOOD), registry=registry.root)
        waited_in_vain = bool(late())
        proxy.heal()
        return waited_in_vain

    with caplog.at_level(logging.WARNING):
        waited_in_vain = train()

    version = registry.get("churn@champion")
    assert version.run is not None
    (warning,) = [text for text in version.run.warnings if text.startswith("prefect: ")]
    assert "the card of this version may be missing there" in warning
    assert all(f"flowreg could not show {what} in Prefect" in caplog.text for what in ("the card of churn@1", "the gates of churn@1"))
    # A stalled request is still under way when the tasks are through: they did not wait for its end.
    assert waited_in_vain or not fault.stalls
    (registered, _) = events()
    assert registered.payload["not_shown"] == "the card of churn@1"


def test_a_server_that_is_well_leaves_no_warning(proxy: CountingProxy, registry: Registry) -> None:
    """Nothing of Prefect is in the record's warnings."""
    from prefect import flow

    from flowreg.prefect import register_model

    @flow
    def train() -> Any:
        return register_model("churn", [1], trust="pickle", registry=registry.root)

    assert [text for text in train().run.warnings if text.startswith("prefect:")] == []


def test_a_lost_card_is_told_though_the_server_answered_before(
    proxy: CountingProxy, registry: Registry, events: Callable[[], list[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    """The version is written by then: the log and the event tell."""
    from prefect import flow

    from flowreg.prefect import register_model

    @flow
    def train() -> Any:
        proxy.spoil(lambda request: request.path.endswith("/artifacts/"), Fault(status=500), times=FOR_EVER)
        version = register_model("churn", [1], trust="pickle", registry=registry.root)
        proxy.heal()
        return version

    with caplog.at_level(logging.WARNING):
        version = train()

    assert version.ref == "churn@1"
    assert "flowreg could not show the card of churn@1 in Prefect, the registry has everything: PrefectHTTPStatusError" in caplog.text
    assert [event.payload["not_shown"] for event in events()] == ["the card of churn@1"]


def test_what_is_late_is_not_waited_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as one message is without an answer, the next ones are not sent."""
    monkeypatch.setattr(sending, "PATIENCE_S", 0.05)
    answered, sent = threading.Event(), list[int]()

    first = sending.begin(answered.wait)()
    second = sending.begin(lambda: sent.append(2))()
    answered.set()
    for thread in late():
        thread.join()
    third = sending.begin(lambda: sent.append(3))()

    assert first == "Prefect's server did not answer within 0.05 s"
    assert second == "an earlier message to Prefect's server is still without an answer"
    assert (third, sent) == (None, [3])
