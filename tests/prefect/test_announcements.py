"""Events tell automations what a registry did: only inside a run, with everything in the payload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flowreg import Registry
from tests.prefect.conftest import GOOD, POOR

pytestmark = [pytest.mark.prefect, pytest.mark.usefixtures("prefect_env")]
Events = Callable[[], list[Any]]


def test_a_flow_emits_what_happened(registry: Registry, events: Events) -> None:
    """Registered, promoted, blocked, rolled back and retired, each about the model, with version and alias."""
    from prefect import flow

    from flowreg.prefect import promote_model, register_model, rollback_model

    where = {"registry": registry.root}

    @flow
    def train() -> None:
        for number, measured in enumerate((GOOD, GOOD, POOR)):
            version = register_model("risk/churn", [number], trust="pickle", **measured, **where)
            promote_model(version, because="a test", **where, return_state=True)
        rollback_model("risk/churn@champion", because="too slow", **where)

    train()

    sent = events()
    assert [(e.event, e.payload["version"], e.payload.get("alias"), e.payload.get("previous")) for e in sent] == [
        ("flowreg.version.registered", 1, None, None),
        ("flowreg.version.promoted", 1, "champion", None),
        ("flowreg.version.registered", 2, None, None),
        ("flowreg.version.promoted", 2, "champion", 1),
        ("flowreg.version.registered", 3, None, None),
        ("flowreg.version.blocked", 3, "champion", None),
        ("flowreg.version.rolled-back", 1, "champion", 2),
        ("flowreg.version.retired", 2, None, None),
    ]
    promoted, blocked = sent[3], sent[5]
    version = registry.get("risk/churn@2")
    assert {k: promoted.resource[k] for k in ("prefect.resource.id", "flowreg.model", "flowreg.version", "flowreg.alias")} == {
        "prefect.resource.id": "flowreg.model.risk/churn",
        "flowreg.model": "risk/churn",
        "flowreg.version": "2",
        "flowreg.alias": "champion",
    }
    assert (promoted.payload["digest"], promoted.payload["flow_run"]) == (version.digest, version.run.flow_run)
    assert f"prefect.flow-run.{version.run.flow_run}" in [related.id for related in promoted.related]
    assert promoted.payload["run_page"] == version.run.url
    assert promoted.payload["model_page"].endswith("/artifacts/key/flowreg-risk--churn-history")
    made_by = sent[2].payload["made_by"]
    assert (made_by["run"], made_by["run_url"]) == (version.run.flow_run, version.run.url)
    assert blocked.payload["outcome"] == "blocked"
    assert len(blocked.payload["sentences"]) == 2


def test_a_diverged_model_can_be_announced(registry: Registry, events: Events) -> None:
    """A metric that JSON cannot carry is text in the payload."""
    from prefect import flow

    from flowreg.prefect import register_model

    @flow
    def train() -> None:
        register_model("churn", [1], trust="pickle", metrics={"loss": float("nan")}, registry=registry.root)

    train()

    assert [event.payload["metrics"] for event in events()] == [{"loss": "NaN"}]


def test_nothing_is_emitted_outside_a_run(registry: Registry, events: Events) -> None:
    """It would be linked to an earlier run of this process, or start a server."""
    from flowreg.prefect import register_model

    register_model.fn("churn", [1], trust="pickle", registry=registry)

    assert events() == []
