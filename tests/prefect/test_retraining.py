"""A retraining made of three functions: what it records, what it refuses, and how it ends."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from flowreg import BadInput, Dataset, GateBlocked, Policy, Registry
from flowreg.prefect import Holdout, Split, retraining
from tests.conftest import Root
from tests.servers.listening import Listener, listening

pytestmark = [pytest.mark.prefect, pytest.mark.usefixtures("prefect_env")]

HOLDOUT = Holdout("holdout", [[0], [1], [2], [3]], [0, 0, 1, 1], columns={"region": ["n", "s", "n", "s"]})
GATES = Policy(
    policy="champion", models=["churn"], alias="champion", gates=["right >= 0.75", "right >= champion.right"], no_baseline="skip"
)


@pytest.fixture
def registry(root: Root) -> Registry:
    """An empty registry in which nothing is protected yet."""
    return Registry(root.url)


def load(day: str = "monday", rows: int = 4) -> Split:
    """Four rows.

    Args:
        rows: How many to train on.
    """
    return Split([[day]] * rows, HOLDOUT, data=[Dataset("s3://lake/churn.parquet", role="train", rows=rows)])


def train(data: list[Any], threshold: float = 2.0, rows: int = 4) -> dict[str, Any]:
    return {"threshold": threshold, "trained_on": len(data)}


def right(model: dict[str, Any], features: Any, target: Any) -> float:
    """The share of rows that a threshold gets right."""
    return sum((x >= model["threshold"]) == bool(y) for (x,), y in zip(features, target, strict=True)) / len(target)


def churn(**changed: Any) -> Any:
    return retraining(**{"model": "churn", "load": load, "train": train, "score": right, "trust": "pickle"} | changed)


# -- what it records ----


def test_everything_is_recorded_with_nothing_passed(registry: Registry) -> None:
    """Data, parameters of the training, metrics by slice on the holdout, the run: and the first one becomes champion."""
    done = churn(slices=["region"])(registry=registry.root, because="ticket 7")

    version = registry.get("churn@champion")
    assert (done.version.ref, done.outcome, done.previous) == ("churn@1", "promoted", None)
    assert version.params == {"threshold": 2.0, "rows": 4}
    assert [(each.uri, each.role, each.rows) for each in version.data] == [("s3://lake/churn.parquet", "train", 4)]
    assert (version.metrics["right"], version.evaluations[0].dataset) == (1.0, "holdout")
    assert [row["slice"] for row in registry.slices(version.evaluations[0]) if row["metric"] == "right"] == [
        {"region": "n"},
        {"region": "s"},
    ]
    assert version.run is not None
    assert (version.run.flow, version.because) == ("retrain-churn", "ticket 7")
    assert version.run.parameters["day"] == "monday"


def test_candidate_and_holders_are_measured_on_the_same_rows(registry: Registry) -> None:
    """Also those of other aliases that the gates compare with, each once a run."""
    retrain = churn(against=["baseline"])
    retrain(registry=registry.root)
    registry.promote("churn@1", to="baseline")

    retrain(threshold=1.9, registry=registry.root)

    evaluations = {version.number: version.evaluations for version in registry.versions("churn")}
    assert [len(evaluations[number]) for number in (1, 2)] == [2, 1]
    assert {each.dataset_digest for each in evaluations[1]} == {HOLDOUT.dataset.digest}
    assert {each.run.flow_run for each in (evaluations[1][-1], evaluations[2][0]) if each.run} == {registry.get("churn@2").run.flow_run}


def test_the_caller_owns_the_flow(registry: Registry) -> None:
    """Its version is that of the file that made it, so that another training is another version of the flow."""
    from prefect.utilities.hashing import file_hash

    retrain = churn()

    assert retrain.version == file_hash(__file__)
    assert retrain.fn.__module__ == __name__


def test_secrets_among_the_parameters_are_not_recorded(registry: Registry) -> None:
    def train_remotely(data: Any, api_key: str, threshold: float = 2.0) -> Any:
        return train(data, threshold)

    churn(train=train_remotely)(api_key="hunter2-canary", registry=registry.root)

    assert registry.get("churn@1").params == {"api_key": "********", "threshold": 2.0}


def test_steps_may_be_tasks_with_retries_of_their_own(registry: Registry) -> None:
    from prefect import task

    tries: list[int] = []

    @task(retries=1, retry_delay_seconds=0)
    def load_again(rows: int = 4) -> Split:
        tries.append(rows)
        if len(tries) == 1:
            raise OSError("the lake did not answer")
        return load(rows=rows)

    churn(load=load_again)(rows=3, registry=registry.root)

    assert tries == [3, 3]
    assert registry.get("churn@champion").params["rows"] == 3


# -- the form ----


def test_the_form_is_the_union_of_both_functions() -> None:
    """What both take is asked once; what has no default comes first; the docstrings say what each means."""
    from prefect.utilities.callables import parameter_schema

    def load_of(month: str, rows: int = 4) -> Split:
        return load(rows=rows)

    schema = parameter_schema(churn(load=load_of))
    fields = sorted(schema.properties, key=lambda name: schema.properties[name]["position"])
    assert fields == ["month", "rows", "threshold", "because", "registry"]
    assert schema.required == ["month"]
    assert {name: schema.properties[name].get("type") for name in fields[:3]} == {
        "month": "string",
        "rows": "integer",
        "threshold": "number",
    }
    assert parameter_schema(churn()).properties["rows"]["description"] == "How many to train on."


def test_a_type_that_is_nowhere_to_be_found_is_no_obstacle(registry: Registry) -> None:
    """One that is imported for type checkers only: the form then takes anything."""

    def train_on(data: "Frame", /, *, threshold: "Threshold" = 2.0) -> Any:  # type: ignore[name-defined]  # noqa: F821, UP037
        return train(data, threshold)

    assert churn(train=train_on)(threshold=2, registry=registry.root).version.params == {"threshold": 2}


def _other_rows(data: Any, rows: int = 5) -> Any: ...
def _other_type(data: Any, rows: str = "4") -> Any: ...
def _no_data() -> Any: ...
def _anything(data: Any, **more: Any) -> Any: ...
async def _asynchronous(data: Any) -> Any: ...


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"train": _other_rows}, "two functions of one flow take 'rows', as `rows: int = 4` and as `rows: int = 5`"),
        ({"train": _other_type}, "two functions of one flow take 'rows'"),
        ({"train": _no_data}, "_no_data takes no data"),
        ({"train": _anything}, r"_anything takes \*\*more"),
        ({"train": _asynchronous}, "_asynchronous is asynchronous"),
        ({"load": "s3://lake"}, "cannot be called"),
        ({"notify": "ops"}, "is no notification block"),
        ({"on_blocked": "ignore"}, "on_blocked is 'ignore'"),
        ({"trust": True}, "trust is True"),
        ({"model": "Ch urn!"}, "Ch urn!"),
        ({"to": "the best"}, "the best"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_the_flow_is_made(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        churn(**changed)


def test_what_is_wrong_with_the_data_shows_before_anything_is_trained(registry: Registry) -> None:
    """A load that returns no split, a scorer that nobody knows: nothing was trained, nothing is registered."""

    def never(data: Any) -> Any:
        raise AssertionError("trained")

    with pytest.raises(BadInput, match=r"load of the retraining of churn returned 'list'"):
        churn(load=lambda: [1], train=never)(registry=registry.root)
    with pytest.raises(BadInput, match="no scorer 'roc'"):
        churn(score="roc", train=never)(registry=registry.root)
    assert registry.models() == ()


# -- how it ends ----


def test_a_blocked_candidate_fails_the_run_and_stays(registry: Registry) -> None:
    """Being blocked is no failure of the flow: with ``undo`` it is not retired either."""
    registry.set_policy(GATES, because="for the test")
    retrain = churn(undo=True)
    retrain(registry=registry.root)

    with pytest.raises(GateBlocked, match=r"right 0\.5000 is below"):
        retrain(threshold=9.0, registry=registry.root)

    blocked = registry.get("churn@newest")
    assert (blocked.number, blocked.retired) == (2, None)
    assert registry.get("churn@champion").number == 1


def test_a_block_may_be_an_outcome(registry: Registry) -> None:
    """With ``on_blocked="complete"`` the run completes, and its state says what happened and why."""
    registry.set_policy(GATES, because="for the test")
    retrain = churn(on_blocked="complete")

    state = retrain(threshold=9.0, registry=registry.root, return_state=True)

    assert (state.type, state.name) == ("COMPLETED", "Blocked")
    assert "right 0.5000 is below 0.7500" in state.message
    assert (state.result().outcome, str(state.result())) == ("blocked", "churn@1 may not become champion")


class Broken(Exception):
    pass


def breaking(model: dict[str, Any], features: Any, target: Any) -> float:
    raise Broken("the scorer fell over: https://ana:hunter2@lake")


@pytest.mark.parametrize("undone", [True, False])
def test_what_a_failed_run_registered_is_retired_where_that_was_asked_for(registry: Registry, undone: bool) -> None:
    with pytest.raises(Broken):
        churn(score=breaking, undo=undone)(registry=registry.root)

    retired = registry.get("churn@1").retired
    if undone:
        assert retired == "its flow run failed afterwards: Broken: the scorer fell over: https://lake"
    else:
        assert retired is None


def test_a_failure_further_out_takes_the_promotion_back(registry: Registry) -> None:
    """In a transaction of the flow that called it: the alias goes back to whom it had before."""
    from prefect import flow
    from prefect.transactions import transaction

    retrain = churn(undo=True)
    retrain(registry=registry.root)

    @flow
    def nightly() -> None:
        with transaction():
            assert retrain(threshold=1.9, registry=registry.root).version.number == 2
            assert registry.get("churn@champion").number == 2
            raise Broken("the shop would not take it")

    with pytest.raises(Broken):
        nightly()

    assert registry.get("churn@champion").number == 1
    assert "the shop would not take it" in (registry.get("churn@2").retired or "")


def test_attempts_of_one_run_share_one_version(registry: Registry) -> None:
    """Though each training gives other bytes, and the version would have been retired after the last attempt only."""
    tries: list[dict[str, Any]] = []

    def at_first_broken(model: dict[str, Any], features: Any, target: Any) -> float:
        tries.append(model)
        return breaking(model, features, target) if len(tries) == 1 else 1.0

    retrain = churn(train=lambda data: {"w": str(uuid4())}, score=at_first_broken, undo=True).with_options(retries=1)
    done = retrain(registry=registry.root)

    assert [version.ref for version in registry.versions("churn")] == ["churn@1"]
    assert (done.promoted, registry.get("churn@1").retired) == (True, None)
    assert tries[0] == tries[1]
    assert not {"retired", "restored"} & {line.kind for line in registry.history("churn")}


def test_what_an_earlier_attempt_measured_is_not_measured_again(registry: Registry) -> None:
    """Though it would give another number: the first attempt failed at the holder, the second goes on there."""
    calls: list[int] = []

    def never_the_same(model: dict[str, Any], features: Any, target: Any) -> float:
        calls.append(len(calls))
        return breaking(model, features, target) if len(calls) == 3 else float(len(calls))

    retrain = churn(score=never_the_same).with_options(retries=1)
    retrain(registry=registry.root)
    retrain(threshold=1.9, registry=registry.root)

    assert [[each.metrics["never_the_same"] for each in version.evaluations] for version in registry.versions("churn")] == [
        [1.0, 4.0],
        [2.0],
    ]


def test_a_later_attempt_takes_the_undoing_back(registry: Registry) -> None:
    """A person sets a failed run to be retried: what it registered is lifted out of retirement, and promoted."""
    from prefect.client.orchestration import get_client
    from prefect.flow_engine import run_flow
    from prefect.states import Scheduled

    fails = [True]

    def sometimes(model: dict[str, Any], features: Any, target: Any) -> float:
        return breaking(model, features, target) if fails.pop() else 1.0

    retrain = churn(train=lambda data: {"w": str(uuid4())}, score=sometimes, undo=True)
    state = retrain(registry=registry.root, return_state=True)
    assert registry.get("churn@1").retired is not None

    fails += [False] * 9
    with get_client(sync_client=True) as client:
        run_id = state.state_details.flow_run_id
        client.set_flow_run_state(run_id, Scheduled(), force=True)
        run_flow(retrain, flow_run=client.read_flow_run(run_id), parameters={"because": None, "registry": registry.root})

    assert [version.ref for version in registry.versions("churn")] == ["churn@1"]
    assert registry.get("churn@champion").retired is None


def test_people_are_waited_for_and_nothing_is_trained_twice(registry: Registry, prefect_env: Any, ops: Listener) -> None:
    """They are told, and the run is suspended with a form; resumed, it goes on with the version that it registered."""
    from tests.prefect.test_approvals import Asked

    registry.set_people({"desk": ["ana"]})
    registry.set_policy(Policy(policy="asked", models=["churn"], alias="champion", gates=[{"check": "approval", "by": ["desk"]}]))
    retrain = churn(
        train=lambda data: {"w": str(uuid4())},
        score=lambda model, x, y: 1.0,
        ask=True,
        undo=True,
        name=f"asks-{uuid4()}",
        notify="custom-webhook/ops",
    )
    run = Asked(prefect_env, retrain, {"because": None, "registry": registry.root, "day": "monday", "rows": 4})

    assert run.start().name == "Suspended"
    assert json.loads(ops.heard[0])["subject"] == "churn@1 waits for approval as champion"
    assert registry.get("churn@1").retired is None
    run.resume(verdict="approve", name="ana", reason="looked at it")

    assert run.start().is_completed()
    assert [(v.ref, v.aliases) for v in registry.versions("churn")] == [("churn@1", ("champion",))]


# -- who is told ----


@pytest.fixture
def ops() -> Iterator[Listener]:
    """The saved block ``custom-webhook/ops``, which posts to a server on loopback; the address holds a secret, as webhooks' do."""
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    with listening() as listener:
        block = CustomWebhookNotificationBlock(
            name="ops", url=f"{listener.url}/hunter2-canary", json_data={"subject": "{{subject}}", "body": "{{body}}"}
        )
        block.save("ops", overwrite=True)
        yield listener


def test_people_are_told_how_it_ended(registry: Registry, ops: Listener) -> None:
    """Promoted with its metrics, blocked with the sentences, failed with the error."""
    registry.set_policy(GATES, because="for the test")
    retrain, broken = churn(notify="custom-webhook/ops"), churn(notify=["custom-webhook/ops"], score=breaking)

    retrain(registry=registry.root)
    with pytest.raises(GateBlocked):
        retrain(threshold=9.0, registry=registry.root)
    with pytest.raises(Broken):
        broken(registry=registry.root)

    told = [json.loads(body) for body in ops.heard]
    assert [each["subject"] for each in told] == [
        "churn@1 is champion (the first)",
        "churn@2 may not become champion",
        "the retraining of churn failed",
    ]
    assert told[0]["body"].startswith("right 1")
    assert "- right 0.5000 is below 0.7500" in told[1]["body"]
    assert told[2]["body"] == "Broken: the scorer fell over: https://lake"


def test_any_notification_block_will_do(registry: Registry, ops: Listener) -> None:
    """Those of Prefect that go through Apprise, and one of your own that is asynchronous and was never saved."""
    from prefect.blocks.abstract import NotificationBlock
    from prefect.blocks.notifications import SlackWebhook

    said: list[tuple[str | None, str]] = []

    class Shout(NotificationBlock):
        async def notify(self, body: str, subject: str | None = None) -> None:
            said.append((subject, body))

    SlackWebhook(url=ops.url.replace("http:", "json:")).save("shop", overwrite=True)  # as Apprise writes a plain webhook

    churn(notify=["slack-webhook/shop", Shout()])(registry=registry.root)

    assert [subject for subject, _ in said] == ["churn@1 is champion (the first)"]
    assert json.loads(ops.heard[0])["title"] == "churn@1 is champion (the first)"


def test_a_notification_that_fails_is_a_warning(registry: Registry, ops: Listener, caplog: pytest.LogCaptureFixture) -> None:
    """A webhook that answers 500, and a block that is not there: the model is champion all the same, and no address is logged."""
    ops.answers = 500
    with caplog.at_level(logging.WARNING):
        done = churn(notify=["custom-webhook/ops", "slack-webhook/nobody"])(registry=registry.root)

    warnings = [record.getMessage() for record in caplog.records if "nobody was notified" in record.getMessage()]
    assert done.promoted
    assert len(ops.heard) == 1
    assert ["HTTP 500" in warnings[0], "slack-webhook/nobody" in warnings[1]] == [True, True]
    assert "hunter2" not in caplog.text


# -- how a worker finds it ----

MODULE = """
from flowreg.prefect import Holdout, Split, retraining

def load(rows: int = 4) -> Split:
    return Split([1] * rows, Holdout("holdout", [[0], [1]], [0, 1]))

def train(data):
    return {"w": len(data)}

retrain = retraining(model="churn", load=load, train=train, score={"right": lambda m, x, y: 1.0}, trust="pickle")
"""


def test_a_worker_loads_it_by_file_and_name(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deployed, served or pickled, it is the flow of the module that made it, under the name it has there."""
    import cloudpickle
    from prefect.flows import load_flow_from_entrypoint

    (tmp_path / "nightly.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)

    retrain: Any = load_flow_from_entrypoint("nightly.py:retrain")
    assert retrain.to_deployment("nightly", cron="0 2 * * *").entrypoint == "nightly.py:retrain"
    assert retrain._entrypoint == "nightly:retrain"
    copied = cloudpickle.loads(cloudpickle.dumps(retrain))

    assert retrain(registry=registry.root).version.run.entrypoint == "nightly.py:retrain"
    assert copied(rows=3, registry=registry.root).version.ref == "churn@2"
    assert registry.load("churn@2", trust=True) == {"w": 3}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_serves_itself(registry: Registry, tmp_path: Path, prefect_env: Any) -> None:
    """``retrain.serve("nightly")`` in a script: a run that anybody starts in Prefect is done by it."""
    import sys

    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    from tests.servers.prefect_server import run_in_state
    from tests.servers.process import running

    script = tmp_path / "nightly.py"
    script.write_text(f"""{MODULE}
if __name__ == "__main__":
    retrain.serve("served", cron="0 2 * * *", global_limit=1)
""")

    def deployed() -> bool:
        with get_client(sync_client=True) as client:
            try:
                return bool(client.read_deployment_by_name("retrain-churn/served"))
            except ObjectNotFound:
                return False

    env = {**prefect_env.env, "FLOWREG_ROOT": registry.root, "PYTHONPATH": str(Path(__file__).parents[2])}
    with running([sys.executable, str(script)], folder=tmp_path, env=env, ready=deployed, timeout_s=120):
        with get_client(sync_client=True) as client:
            deployment = client.read_deployment_by_name("retrain-churn/served")
            run = client.create_flow_run_from_deployment(deployment.id, parameters={"rows": 7})
        ended = run_in_state(run.id, lambda state: state.is_final(), timeout_s=120)

    assert ended.state_name == "Completed"
    assert registry.load("churn@champion", trust=True) == {"w": 7}
    made_by = registry.get("churn@champion").run
    assert made_by is not None
    assert (made_by.deployment, made_by.entrypoint) == ("retrain-churn/served", "nightly.py:retrain")
