"""A retraining made of three functions: ``retraining(model=…, load=…, train=…, score=…)`` is the flow.

Rule 1: one run registers one version. An attempt that comes later, after a failure, a suspension or a killed process, goes on with the
version that an earlier one registered, and trains nothing anew, whether the training is repeatable or not.
Rule 2: candidate and holder are measured by the same code on the same rows, as they are loaded from the registry.
Rule 3: a candidate that is blocked is an outcome, not a failure: it stays registered and is never undone.
Rule 4: the flow is the caller's: its module, its file and its version are those of the file that calls ``retraining``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import Parameter
from pathlib import Path
from typing import Any, Literal

from prefect import Flow, Task, task
from prefect.cache_policies import NO_CACHE

from ..core.names import alias_name, model_name
from ..errors import BadInput
from ..scoring import Scorer
from .blocks import ModelRegistry
from .notifications import NotifyLike, receivers
from .parameters import docstring, parameters_of, plain, union
from .resolve import RegistryLike
from .retrained import Retrained
from .retraining_run import Plan, retrain

EXTRA = {
    "because": "Why this run was started, for the history: an event, a ticket.",
    "registry": "Another registry than the usual one: a block, its name, or a root.",
}


class RetrainingFlow(Flow[..., Retrained]):
    """A flow that Prefect finds again under the name that it was given in its module: ``retrain = retraining(…)``."""

    _said: str | None = None

    @property
    def _entrypoint(self) -> str | None:
        module, _, _ = (self._said or "").rpartition(":")
        return f"{module}:{self._named()}" if module else self._said

    @_entrypoint.setter
    def _entrypoint(self, said: str | None) -> None:
        self._said = said

    def __call__(self, *given: Any, **named: Any) -> Any:
        self._named()
        return super().__call__(*given, **named)

    def to_deployment(self, *given: Any, **named: Any) -> Any:
        self._named()
        return super().to_deployment(*given, **named)

    async def ato_deployment(self, *given: Any, **named: Any) -> Any:
        self._named()
        return await super().ato_deployment(*given, **named)

    def _named(self) -> str:
        """The name of this flow in its module, which is not known yet while it is being made."""
        there = vars(sys.modules[self.fn.__module__]) if self.fn.__module__ in sys.modules else {}
        name = next((name for name, value in list(there.items()) if value is self), None)
        if name is not None:
            self.fn.__name__ = self.fn.__qualname__ = self.__name__ = self.__qualname__ = name
        return self.fn.__qualname__


def retraining(
    *,
    model: str,
    load: Callable[..., Any],
    train: Callable[..., Any],
    score: str | Scorer | Iterable[str] | Mapping[str, str | Scorer],
    to: str = "champion",
    slices: Sequence[str] = (),
    predict: Callable[[Any, Any], Any] | None = None,
    against: Sequence[str] = (),
    ask: bool = False,
    undo: bool = False,
    on_blocked: Literal["fail", "complete"] = "fail",
    notify: NotifyLike = None,
    registry: RegistryLike = None,
    labels: Mapping[str, str] | None = None,
    trust: Literal["pickle"] | None = None,
    name: str | None = None,
) -> RetrainingFlow:
    """The flow load → train → register → evaluate candidate and holder → promote → notify.

    ``load(…)`` returns a ``Split``, ``train(data, …)`` a model of ``split.train``, and ``score`` is what ``evaluate_on`` takes: names of
    scikit-learn, or functions ``scorer(model, features, target)``. ``load`` and ``train`` become tasks; give a ``Task`` of your own to have
    retries, or a flow. The parameters of the flow are those of both functions, besides ``because`` and ``registry``; those of
    ``train`` are recorded with the version. It returns a ``Retrained``.

    >>> retrain = retraining(model="churn", load=load, train=train, score=["roc_auc"])    # doctest: +SKIP
    >>> retrain.serve("nightly", cron="0 2 * * *", global_limit=1)                              # doctest: +SKIP

    ``against`` are aliases whose holders are measured besides that of ``to``, for gates that compare with them. ``ask`` waits for the
    people whom the policy names, if it names any; see ``request_approval``. A candidate that is blocked fails the run with the
    sentences of its gates (``GateBlocked``); with ``on_blocked="complete"`` the run completes, in a state that is called Blocked (or
    Waiting, for people).

    ``undo`` wraps all of it in a Prefect transaction: where the run, or a ``transaction()`` round it, fails after the version was
    registered, the version is retired with the reason, and the alias moved back if it had moved. A killed process undoes nothing.

    ``notify`` names notification blocks, such as ``"slack-webhook/ops"``: told who was promoted, who was blocked and why, who waits for
    people, and that a run failed. One that fails is a warning. ``trust="pickle"`` stores a model that has no safe format as a
    pickle, **and loads the pickles of candidate and holders, which run their code**, to measure them.

    Runs of one model at once are safe, but the later is judged against a holder that moves: give the deployment a
    ``concurrency_limit`` of 1. Prefect frees the slot of a killed run when the run leaves its state Running (by its worker, a retry, or a
    person), at the latest five minutes after the process ended.
    """
    if on_blocked not in ("fail", "complete"):
        raise BadInput(f"on_blocked is {on_blocked!r}", do='give "fail" or "complete"', code="usage")
    if trust not in (None, "pickle"):
        raise BadInput(f"trust is {trust!r}", do='give "pickle", or leave it out', code="usage")
    loaded, trained = parameters_of(load), parameters_of(train, after=1)
    plan = Plan(
        model=model_name(model), load=_step(load, "load"), train=_step(train, "train"), loaded=tuple(loaded), trained=tuple(trained),
        score=score, to=alias_name(to), slices=tuple(slices), predict=predict,
        against=tuple(alias_name(alias) for alias in against), ask=ask, undo=undo, on_blocked=on_blocked, notify=receivers(notify),
        registry=registry, labels=labels, trust=trust,
    )  # fmt: skip
    caller = sys._getframe(1)
    fn = _function(plan, [loaded, trained], (load, train), caller.f_code.co_filename, str(caller.f_globals.get("__name__", __name__)))
    return RetrainingFlow(fn, name=name or f"retrain-{plan.model.replace('/', '-')}", validate_parameters=True)


def _function(
    plan: Plan, parameters: Sequence[Mapping[str, Parameter]], steps: Iterable[Any], file: str, module: str
) -> Callable[..., Retrained]:
    extra = {
        "because": Parameter("because", Parameter.KEYWORD_ONLY, default=None, annotation=str | None),
        "registry": Parameter("registry", Parameter.KEYWORD_ONLY, default=None, annotation=ModelRegistry | str | None),
    }
    signature = union(parameters, extra)

    def run(*given: Any, **named: Any) -> Any:
        bound = signature.bind(*given, **named)
        bound.apply_defaults()
        return retrain(plan, bound.arguments)

    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in signature.parameters.values() if each.annotation is not Parameter.empty}
    run.__doc__ = docstring(f"Retrains {plan.model}, and makes the result {plan.to} if its gates pass.", steps, EXTRA)
    run.__module__, run.__name__ = module, plan.model.rpartition("/")[2].replace("-", "_")
    run.__qualname__ = run.__name__
    # Prefect reads a flow's version and place from the file of its code, and lineage its commit: that is the caller's, not this one.
    run.__code__ = run.__code__.replace(co_filename=str(Path(file).resolve()) if Path(file).is_file() else file)
    return run


def _step(given: Any, name: str) -> Callable[..., Any]:
    """A task for a plain function: what it takes and returns may be large, and is neither hashed nor stored."""
    plain(given)
    return given if isinstance(given, Task | Flow) else task(given, name=name, cache_policy=NO_CACHE, persist_result=False)
