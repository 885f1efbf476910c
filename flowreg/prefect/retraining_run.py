"""One run of a retraining, and every further attempt of it: what was done is found, and the rest is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from prefect import Task
from prefect.exceptions import PrefectSignal
from prefect.states import Completed
from prefect.transactions import transaction
from prefect.utilities.annotations import opaque
from pydantic_core import to_jsonable_python

from ..core.names import shown
from ..core.views import Version
from ..errors import BadInput, GateBlocked, NotFound
from ..lineage.masking import masked, masked_text
from ..lineage.prefect_run import flow_run_id
from ..registry import Registry
from ..scoring import Scoring, evaluate_on
from .approvals import request_approval
from .notifications import NotifyLike, notify
from .resolve import RegistryLike, resolve
from .retrained import Retrained, blocked, promoted
from .splits import Split
from .surroundings import run_logger
from .tasks import evaluate_model, promote_model, register_model
from .undoing import restored, undo, version_of


@dataclass(frozen=True)
class Plan:
    """What ``retraining`` was given, checked. ``loaded`` and ``trained`` name the parameters of the two steps."""

    model: str
    load: Callable[..., Any]
    train: Callable[..., Any]
    loaded: tuple[str, ...]
    trained: tuple[str, ...]
    score: Any
    to: str
    slices: tuple[str, ...]
    predict: Callable[[Any, Any], Any] | None
    against: tuple[str, ...]
    ask: bool
    undo: bool
    on_blocked: str
    notify: NotifyLike
    registry: RegistryLike
    labels: Mapping[str, str] | None
    trust: str | None

    @property
    def key(self) -> str | None:
        """The key of the version of this run, whichever attempt registers it."""
        run = flow_run_id()
        return f"retraining:{run}" if run else None


def retrain(plan: Plan, given: Mapping[str, Any]) -> Any:
    """All of it; a ``Retrained``, or a state that holds one."""
    registry = plan.registry if given["registry"] is None else given["registry"]
    held: list[BaseException] = []  # what ends the run without being a failure of it: the transaction must not see it
    try:
        with _undoable(plan) as txn:
            try:
                return _told(plan, _tried(plan, given, registry, txn))
            except (GateBlocked, PrefectSignal) as ended:
                held.append(ended)
    except Exception as error:
        notify(plan.notify, f"the retraining of {plan.model} failed", masked_text(f"{type(error).__name__}: {error}"))
        raise
    return _ended(plan, resolve(registry), held[0])


def _tried(plan: Plan, given: Mapping[str, Any], registry: RegistryLike, txn: Any) -> Retrained:
    where = resolve(registry)
    earlier = version_of(where, plan.model, plan.key)
    split = _split(plan.load(**{name: given[name] for name in plan.loaded}), plan)
    scoring = evaluate_on(
        split.holdout, plan.score, slices=plan.slices, predict=plan.predict
    )  # what is wrong with it shows before training
    version = _registered(plan, given, split, registry) if earlier is None else restored(where, earlier)
    if txn is not None:
        _undo_on_failure(plan, where, version, txn)
    if earlier is not None:
        run_logger().info("an earlier attempt of this run registered %s: nothing is trained anew", earlier.stamp)
    for each in (version, *_holders(plan, where, version)):
        if not _measured_in_this_run(each, scoring):
            evaluate_model(each, opaque(scoring), trust=plan.trust is not None, registry=registry)  # type: ignore[call-overload]
    if plan.ask:
        _ask(plan, where, version, given["because"], registry)
    return promoted(promote_model(version, to=plan.to, because=given["because"] or "retrained", registry=registry))


def _registered(plan: Plan, given: Mapping[str, Any], split: Split, registry: RegistryLike) -> Version:
    params = {name: given[name] for name in plan.trained}
    data = opaque(split.train) if isinstance(plan.train, Task) else split.train  # Prefect looks through what it hands to a task
    model = plan.train(data, **params)
    return register_model(
        plan.model, opaque(model), params=masked(to_jsonable_python(params, fallback=str)), labels=plan.labels, data=split.data,
        signature=split.signature, golden=split.holdout.features if split.golden is None else split.golden, key=plan.key,
        trust=plan.trust, because=given["because"], registry=registry,
    )  # fmt: skip


def _ask(plan: Plan, where: Registry, version: Version, because: str | None, registry: RegistryLike) -> None:
    """Wait for people, where only they are in the way; tell them so each time that the run begins to wait."""
    try:
        decision = where.judge(version, to=plan.to)
    except NotFound:  # no policy, so nobody need be asked
        return
    if decision.outcome == "waiting":
        asked = f"flowreg approve {version.ref} --to {plan.to} --because '…'"
        notify(plan.notify, f"{version.ref} waits for approval as {plan.to}", "\n".join([*(r.sentence for r in decision.failing()), asked]))
        request_approval(version, to=plan.to, because=because, registry=registry)


def _split(loaded: Any, plan: Plan) -> Split:
    if isinstance(loaded, Split):
        return loaded
    raise BadInput(
        f"load of the retraining of {plan.model} returned {shown(type(loaded).__name__)}",
        where="nothing was trained",
        do="return flowreg.prefect.Split(train=…, holdout=Holdout(…))",
        code="bad-split",
    )


def _holders(plan: Plan, where: Registry, version: Version) -> Iterable[Version]:
    """Whom the candidate is compared with, each once: who holds the aliases, as far as somebody does."""
    found: dict[int, Version] = {}
    for alias in (plan.to, *plan.against):
        try:
            holder = where.get(f"{plan.model}@{alias}")
        except NotFound:
            continue
        found[holder.number] = holder
    return [holder for holder in found.values() if holder.number != version.number]


def _measured_in_this_run(version: Version, scoring: Scoring) -> bool:
    run, digest = flow_run_id(), scoring.holdout.dataset.digest
    return any(each.dataset_digest == digest and each.run is not None and each.run.flow_run == run for each in version.evaluations)


def _undoable(plan: Plan) -> AbstractContextManager[Any]:
    return transaction() if plan.undo else nullcontext()


def _undo_on_failure(plan: Plan, where: Registry, version: Version, txn: Any) -> None:
    def retire_version(_: Any) -> None:
        undo(where, version, plan.to)

    txn.stage(version.ref, on_rollback_hooks=[retire_version])


def _ended(plan: Plan, where: Registry, held: BaseException) -> Any:
    """How a run ends that was blocked, or that waits: only a block is an outcome to be told."""
    if not isinstance(held, GateBlocked):
        raise held
    found = _told(plan, blocked(where.get(f"{plan.model}@{held.decision.candidate.version}"), held))
    if plan.on_blocked == "fail":
        raise held
    return Completed(name=found.outcome.capitalize(), message=str(held), data=found)


def _told(plan: Plan, found: Retrained) -> Retrained:
    notify(plan.notify, str(found), found.details())
    return found
