"""A flow asks people: it is suspended with a form, resumed through Prefect's API as its UI does it, and the promotion lands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx
import pytest

from flowreg import GateBlocked, Policy, Registry
from tests.conftest import Root
from tests.servers.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect

POLICY = """
policy: reviewed
models: ["*"]
alias: champion
dataset: holdout
no_baseline: skip
gates:
- auc >= 0.85
- {check: approval, by: [model-risk], count: 2, not_author: true}
"""
ON = {"on": "holdout", "trust": "pickle"}


@pytest.fixture
def registry(root: Root) -> Registry:
    """Champion is churn@1; churn@2, by trainer, waits for two of ana, ben and cleo."""
    registry = Registry(root.url, actor="trainer")
    registry.register("churn", {"w": 1}, metrics={"auc": 0.86, "n": 400}, **ON)
    registry.promote("churn@1", to="champion")
    registry.register("churn", {"w": 2}, metrics={"auc": 0.91, "n": 400}, **ON)
    registry.set_policy(Policy.parse(POLICY))
    registry.set_people({"model-risk": ["ana", "ben", "cleo", "trainer"]})
    return registry


class Asked:
    """A run of a deployment, as a worker starts it; here in this process."""

    def __init__(self, server: PrefectServer, flow: Any, parameters: dict[str, Any]) -> None:
        from prefect.client.orchestration import get_client

        self.api, self.flow, self.parameters = server.api_url, flow, parameters
        with get_client(sync_client=True) as client:
            deployment = client.create_deployment(client.create_flow(flow), name="on-demand", enforce_parameter_schema=False)
            self.id: UUID = client.create_flow_run_from_deployment(deployment, parameters=parameters).id

    def start(self) -> Any:
        """Run it until it ends or is suspended; its state then."""
        from prefect.client.orchestration import get_client
        from prefect.exceptions import Pause
        from prefect.flow_engine import run_flow

        with get_client(sync_client=True) as client:
            run = client.read_flow_run(self.id)
            with suppress(Pause, GateBlocked):
                run_flow(self.flow, flow_run=run, parameters=self.parameters)
            return client.read_flow_run(self.id).state

    def said(self, name: str) -> Any:
        """What stands in the input of the present question: ``description`` or ``schema``."""
        state = httpx.get(f"{self.api}/flow_runs/{self.id}").json()["state"]
        key = state["state_details"]["run_input_keyset"][name]
        return httpx.get(f"{self.api}/flow_runs/{self.id}/input/{key}").json()

    def resume(self, **answer: str) -> str:
        """Fill in the form, as the UI does; the state that the run has then."""
        reply = httpx.post(f"{self.api}/flow_runs/{self.id}/resume", json={"run_input": answer}).raise_for_status().json()
        return str(reply["status"])


@pytest.fixture
def asked(prefect_env: PrefectServer, registry: Registry) -> Asked:
    from prefect import flow

    from flowreg.prefect import promote_model, request_approval

    @flow(name="promote-reviewed")
    def promote_reviewed(ref: str, root: str) -> None:
        request_approval(ref, registry=root)
        promote_model(ref, registry=root)

    return Asked(prefect_env, promote_reviewed, {"ref": "churn@2", "root": registry.root})


def test_two_people_say_yes_and_the_promotion_lands(asked: Asked, registry: Registry, events: Callable[[], list[Any]]) -> None:
    """Suspended with a form; resumed, suspended for the second person, resumed, promoted. Each word is in the registry once."""
    assert asked.start().name == "Suspended"
    assert asked.resume(verdict="approve", name="ana", reason="read it") == "ACCEPT"
    assert asked.start().name == "Suspended"
    assert asked.resume(verdict="approve", name="ben", reason="so have I") == "ACCEPT"

    assert asked.start().is_completed()
    assert registry.get("churn@champion").number == 2
    assert [(a.person, a.approved, a.because, a.via, a.by.flow_run) for a in registry.approvals("churn@2")] == [
        ("ana", True, "read it", "prefect", str(asked.id)),
        ("ben", True, "so have I", "prefect", str(asked.id)),
    ]
    told = [event.event.removeprefix("flowreg.version.") for event in events()]
    assert told == ["approval-requested", "approved", "approval-requested", "approved", "approved", "promoted"]


def test_the_form_says_what_is_asked(asked: Asked) -> None:
    """Gates, metrics beside the champion's, commands; and its fields with what they mean."""
    asked.start()

    text = asked.said("description").replace("\\", "")
    fields = asked.said("schema")["properties"]

    assert "Shall churn@2 become champion (now churn@1)?" in text
    assert "- `auc` **0.91**, churn@1 has 0.86 (+0.05)" in text
    assert "- … `approval by model-risk`: 0 of 2" in text
    assert "diff churn@1 churn@2" in text
    assert fields["verdict"]["enum"] == ["approve", "reject", "look again"]
    assert list(fields) == ["verdict", "name", "reason"]


def test_a_no_blocks_the_run_with_its_reason(asked: Asked, registry: Registry) -> None:
    """The run fails with the sentence in its state, and the alias stays."""
    asked.start()
    asked.resume(verdict="reject", name="cleo", reason="unfair to region south")

    state = asked.start()

    assert state.is_failed()
    assert "cleo said no: unfair to region south" in state.message
    assert registry.get("churn@champion").number == 1


def test_words_from_the_command_line_count_when_the_run_looks_again(asked: Asked, registry: Registry) -> None:
    """``flowreg approve`` needs no server; the run goes on when it is told to look, by the command that is printed then."""
    from flowreg.prefect.resume import look_again

    asked.start()
    for person in ("ana", "ben"):
        Registry(registry.root, actor=person).approve("churn@2", to="champion", because="read it")
    look_again(str(asked.id))

    assert asked.start().is_completed()
    assert registry.get("churn@champion").number == 2
    assert [a.via for a in registry.approvals("churn@2")] == [None, None]
    assert registry.decisions("churn@2")[0].flow_run == str(asked.id)


def test_the_command_line_has_the_run_go_on(asked: Asked, registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    """``flowreg approve --resume``, once nobody else is awaited; where Prefect says no, the word stands all the same."""
    from flowreg.cli.app import run

    asked.start()
    Registry(registry.root, actor="ana").approve("churn@2", to="champion", because="read it")
    command = ["approve", "churn@2", "--to", "champion", "--because", "so have I", "--resume", "--root", registry.root]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FLOWREG_ACTOR", "ben")
        assert run(command) == 0
        assert f"flow run {asked.id} looks again" in capsys.readouterr().err
        assert run(command) == 7
        assert "does not wait" in capsys.readouterr().err

    assert asked.start().is_completed()
    assert registry.get("churn@champion").number == 2


def test_only_a_run_that_waits_looks_again(asked: Asked) -> None:
    """Not one that has not begun, not one that there is not, not what is no id."""
    from flowreg import BadInput, NotFound, Refused
    from flowreg.prefect.resume import look_again, main

    for error, run in ((Refused, str(asked.id)), (NotFound, str(UUID(int=7))), (BadInput, "amber-fox")):
        with pytest.raises(error):
            look_again(run)
    assert main([]) == 1


def test_an_answer_about_an_earlier_champion_is_not_read(asked: Asked, registry: Registry) -> None:
    """The champion moved between the question and the answer: the form is asked anew, with the new holder in it."""
    asked.start()
    registry.register("churn", {"w": 3}, metrics={"auc": 0.95, "n": 400}, **ON)
    for person in ("ana", "ben"):
        Registry(registry.root, actor=person).approve("churn@3", to="champion", because="urgent")
    registry.promote("churn@3", to="champion")
    asked.resume(verdict="approve", name="ana", reason="better than churn@1")

    assert asked.start().name == "Suspended"
    assert registry.approvals("churn@2") == ()
    assert "now churn@3" in asked.said("description").replace("\\", "")


def test_an_author_or_a_stranger_is_not_enough(asked: Asked, registry: Registry) -> None:
    """What they said is kept and the run asks on."""
    for name in ("trainer", "mallory", "ana"):
        asked.start()
        asked.resume(verdict="approve", name=name, reason="yes")

    assert asked.start().name == "Suspended"
    assert registry.get("churn@champion").number == 1
    assert "1 of 2 (ana)" in asked.said("description").replace("\\", "")


@pytest.mark.parametrize(
    "answer", [{}, {"verdict": "maybe", "name": "ana", "reason": "x"}, {"verdict": "approve", "name": "", "reason": "x"}]
)
def test_a_form_that_is_not_filled_in_resumes_nothing(asked: Asked, answer: dict[str, str]) -> None:
    """Prefect's own check against the fields."""
    asked.start()

    assert asked.resume(**answer) == "REJECT"


def test_nobody_is_asked_in_vain(prefect_env: PrefectServer, registry: Registry) -> None:
    """Where another gate blocks, the run is not suspended: it fails with that gate's sentence."""
    from prefect import flow

    from flowreg.prefect import promote_model, request_approval

    registry.evaluate("churn@2", {"auc": 0.5}, on="holdout")

    @flow
    def ask(root: str) -> None:
        request_approval("churn@2", registry=root)
        promote_model("churn@2", registry=root)

    with pytest.raises(GateBlocked, match=r"auc 0\.5000 is below 0\.8500"):
        ask(registry.root)


def test_outside_a_flow_nobody_is_asked(registry: Registry) -> None:
    """It needs a run to suspend."""
    from flowreg import BadInput
    from flowreg.prefect import request_approval

    with pytest.raises(BadInput, match="outside a flow run"):
        request_approval("churn@2", registry=registry.root)


@pytest.mark.slow  # Prefect looks every ten seconds whether a paused run was resumed
def test_a_run_without_a_deployment_waits_in_its_process(prefect_env: PrefectServer, registry: Registry) -> None:
    """It cannot be suspended; the same form is on its page, and the promotion lands in the same process."""
    from prefect import flow

    from flowreg.prefect import promote_model, request_approval

    registry.set_policy(Policy.parse(POLICY.replace("count: 2", "count: 1")))

    @flow(name="asks-from-a-laptop")
    def ask(root: str) -> None:
        request_approval("churn@2", registry=root)
        promote_model("churn@2", registry=root)

    def say_yes() -> None:
        named = {"flows": {"name": {"any_": ["asks-from-a-laptop"]}}, "flow_runs": {"state": {"name": {"any_": ["Paused"]}}}}
        while not (runs := httpx.post(f"{prefect_env.api_url}/flow_runs/filter", json=named).json()):
            assert not done.wait(0.2), "the flow ended without asking"
        answer = {"run_input": {"verdict": "approve", "name": "ana", "reason": "read it"}}
        httpx.post(f"{prefect_env.api_url}/flow_runs/{runs[0]['id']}/resume", json=answer).raise_for_status()

    done = threading.Event()
    person = threading.Thread(target=say_yes)
    person.start()
    try:
        ask(registry.root)
    finally:
        done.set()
        person.join()

    assert registry.get("churn@champion").number == 2
    assert [(a.person, a.via) for a in registry.approvals("churn@2")] == [("ana", "prefect")]
