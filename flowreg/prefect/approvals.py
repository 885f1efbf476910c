"""Asking people in a flow: the run waits without holding a worker, and goes on with what they said.

Rule 1: what was said is written to the registry, bound to the candidate, the holder and the policy that the form showed. If one of
them has changed meanwhile, the answer is not read and a new form asks.
Rule 2: a resumed run starts again from its top: a question that was asked is not asked twice, an answer that was recorded is not
recorded twice.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from prefect.context import FlowRunContext
from prefect.flow_runs import pause_flow_run, suspend_flow_run
from pydantic import ValidationError

from ..core.decision import Decision
from ..core.views import Evaluation, Version
from ..errors import BadInput
from ..lineage.capture import Captured, capture
from .announcements import announce_asked, announce_word
from .artifacts import show_decision
from .forms import PromotionForm, question
from .resolve import RegistryLike, resolve
from .surroundings import run_logger

if TYPE_CHECKING:
    from ..registry import Registry

TWO_WEEKS_S = 14 * 86400


def request_approval(
    version: str | Version | Evaluation,
    *,
    to: str = "champion",
    because: str | None = None,
    timeout_s: int = TWO_WEEKS_S,
    registry: RegistryLike = None,
) -> Decision:
    """Have people say whether a version may become ``to``; call it in a flow, before ``promote_model``.

    If only approval gates are in the way, the run is suspended with a form that shows the gates, the metrics beside the
    holder's, and where to look. It is resumed in Prefect's UI by filling in the form, or after ``flowreg approve`` by answering "look
    again"; then the flow starts again from its top, and this asks until enough people have said yes, or one no. Returns the decision
    as it is then, "promote" or "blocked" (then nobody is asked); ``promote_model`` acts on it.

    A run of a deployment holds no worker meanwhile. Any other run cannot be suspended: it waits in its process. What comes before
    runs again after a resume: what trains belongs into tasks with ``persist_result=True``, or into another flow. After ``timeout_s``
    seconds the run fails. ``NotFound`` where no policy protects the alias.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise BadInput(
            "request_approval was called outside a flow run",
            do="call it in a flow, not in a task; elsewhere: flowreg approve",
            code="no-run",
        )
    captured, where, ref = capture(), resolve(registry), version.ref if isinstance(version, Version | Evaluation) else version
    for number in count():
        decision = where.judge(ref, to=to)
        if decision.outcome != "waiting":
            show_decision(decision)
            return decision
        key = f"{_about(decision)}-{number}"
        if key not in (context.flow_run.empirical_policy.pause_keys or ()):
            where.ask(ref, to=to, because=because, run=captured)
            show_decision(decision)
            announce_asked(decision, root=where.root)
        answer = _answered(_form(decision, where, captured), key, timeout_s, suspends=context.flow_run.deployment_id is not None)
        if answer is not None and answer.verdict != "look again":
            _record(where, decision, answer, f"run:{context.flow_run.id}:{key}", captured)
    raise AssertionError("count() has no end")


def _about(decision: Decision) -> str:
    """What an answer is about, as a key that Prefect keeps: another holder, policy or candidate is another question."""
    candidate = f"{decision.model}-{decision.candidate.version}-{decision.candidate.manifest[7:19]}"
    return f"{candidate}-{decision.alias}-{decision.generation}-{decision.policy_digest[7:19]}"


def _form(decision: Decision, where: Registry, captured: Captured) -> type[PromotionForm]:
    candidate = where.get(f"{decision.model}@{decision.candidate.version}")
    holder = where.get(f"{decision.model}@{decision.base.version}") if decision.base else None
    text = question(decision, candidate, holder, root=where.root, run_url=captured.run.url)
    return PromotionForm.with_initial_data(description=text)


def _answered(form: type[PromotionForm], key: str, timeout_s: int, *, suspends: bool) -> PromotionForm | None:
    """The answer to the question of this key; the first time the run ends here, or waits. None for one that fits no field."""
    wait = suspend_flow_run if suspends else pause_flow_run
    try:
        answer: PromotionForm = wait(wait_for_input=form, timeout=timeout_s, key=key, _sync=True)  # type: ignore[call-overload]
    except ValidationError as error:
        run_logger().warning("the answer cannot be read, asking again: %s", error.errors(include_input=False)[0]["msg"])
        return None
    return answer


def _record(where: Registry, decision: Decision, answer: PromotionForm, key: str, run: Any) -> None:
    ref, rejected = f"{decision.model}@{decision.candidate.version}", answer.verdict == "reject"
    try:
        said = where.approve(
            ref, to=decision.alias, because=answer.reason, reject=rejected, person=answer.name.strip(), via="prefect", key=key, run=run
        )  # fmt: skip
    except BadInput as error:
        run_logger().warning("the answer cannot be recorded, asking again: %s", error.what)
        return
    run_logger().info("%s %s %s as %s: %s", said.person, "approved" if said.approved else "rejected", ref, said.alias, said.because)
    announce_word(said, digest=decision.candidate.manifest, root=where.root)
