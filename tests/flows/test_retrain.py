"""The pattern to copy: one retraining, on any root, as a call and as an entrypoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowreg import GateBlocked, Policy, Registry
from tests.conftest import Root

REPOSITORY = Path(__file__).parents[2]
pytestmark = [pytest.mark.prefect, pytest.mark.usefixtures("prefect_env")]


def test_the_first_version_becomes_champion(root: Root) -> None:
    """It is measured as it was loaded back, and there is nobody to compare with."""
    from flows.retrain import retrain

    move = retrain("2013-03", "linear", registry=root.url)

    assert (move.version.ref, move.previous) == ("flight-delay@1", None)
    (evaluation,) = move.version.evaluations
    assert (evaluation.dataset, set(evaluation.metrics)) == ("flights-2013-03", {"auc", "brier", "log_loss"})
    assert move.version.parents == ()


def test_a_blocked_challenger_fails_the_run_and_the_champion_stays(root: Root) -> None:
    """The champion is measured on the month of the challenger first."""
    from flows.retrain import retrain

    registry = Registry(root.url)
    retrain("2013-03", "linear", registry=root.url)
    registry.set_policy(
        Policy(policy="steep", models=["flight-delay"], alias="champion", gates=["auc >= champion.auc + 0.4"]), because="for the test"
    )

    with pytest.raises(GateBlocked, match=r"auc 0\.\d+ is below champion\.auc"):
        retrain("2013-04", "linear", registry=root.url)

    champion = registry.get("flight-delay@champion")
    assert champion.number == 1
    assert [e.dataset for e in champion.evaluations] == ["flights-2013-03", "flights-2013-04"]
    assert registry.get("flight-delay@newest").number == 2


def test_a_holder_is_measured_once_on_a_month(root: Root) -> None:
    """The next challenger of the same month finds the champion measured already."""
    from flows.retrain import retrain

    for family in ("linear", "boosted"):
        retrain("2013-03", family, registry=root.url)
    retrain("2013-03", "linear", registry=root.url)

    evaluations = [len(version.evaluations) for version in Registry(root.url).versions("flight-delay")]
    assert evaluations == [1, 1, 1]


def test_the_entrypoint_of_the_deployment_loads(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a worker loads it, from the root of the repository, with nothing passed: the newest month there is."""
    from prefect.flows import load_flow_from_entrypoint

    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("FLOWREG_ROOT", root.url)

    move = load_flow_from_entrypoint("flows/retrain.py:retrain")()

    assert [e.dataset for e in move.version.evaluations] == ["flights-2013-12"]


@pytest.mark.s3
def test_on_s3_a_block_is_all_that_changes(s3_root: Root) -> None:
    """The same flow against a real S3 server; the credentials come from the block, and stay there."""
    from prefect.client.orchestration import get_client

    from flowreg.prefect import ModelRegistry
    from flows.flight_delay import flight_delay

    block = ModelRegistry(root=s3_root.url, storage_options=s3_root.storage_options)

    attempts = flight_delay(["2013-03"], registry=block)

    assert [attempt.promoted for attempt in attempts] == [True, True]
    champion = Registry(s3_root.url, storage_options=s3_root.storage_options).get("flight-delay@champion")
    assert champion.number == 2
    assert champion.run is not None
    with get_client(sync_client=True) as client:
        seen_by_prefect = client.read_flow_run(champion.run.flow_run).model_dump_json()
    assert s3_root.storage_options["secret"] not in seen_by_prefect + repr(champion)
