"""The tasks: what a flow does with a registry.

Rule 1: a task resolves the registry, calls one of its methods, and shows what came of it; no rule of the registry is here.
Rule 2: the run is captured first, in the thread that Prefect called.
Rule 3: values cross task borders: versions, references, paths. Pass ``registry=`` as a block, its name or a URL.

Prefect walks through plain containers among a task's arguments, in search of results of other tasks. A model that is a large
dict or list goes in as ``opaque(model)`` (``from prefect.utilities.annotations import opaque``), or as a path.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..core.views import AliasMove, Evaluation, Version
from ..errors import BadInput, GateBlocked
from ..lineage.capture import capture
from ..scoring import Scoring
from .announcements import announce_blocked, announce_left, announce_moved, announce_registered
from .artifacts import show_decision, show_model, show_version
from .assets import materialise_alias, materialise_version
from .resolve import RegistryLike, resolve
from .sending import ask_server, noted
from .surroundings import run_logger
from .task_options import registry_task


@registry_task("flowreg-register", run_name="register-{model}")
def register_model(
    model: str,
    artifact: Any,
    *,
    metrics: Mapping[str, Any] | None = None,
    on: Any = None,
    slices: Mapping[Any, Mapping[str, Any]] | None = None,
    params: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    data: Iterable[Any] = (),
    parents: Iterable[Any] = (),
    signature: Any = None,
    golden: Any = None,
    card: str | None = None,
    key: str | None = None,
    trust: str | None = None,
    loader: str | None = None,
    because: str | None = None,
    registry: RegistryLike = None,
) -> Version:
    """Register an artifact (an object or a path) as the next version of a model; see ``Registry.register``.

    The run, its parameters, the code and the environment are recorded with nothing passed, and the versions that this run
    loaded become parents. The same artifact again in the same flow run is the same version, however often the run is retried.
    """
    answer = ask_server()
    captured = noted(capture(), answer())
    where = resolve(registry)
    version = where.register(
        model, artifact, metrics=metrics, on=on, slices=slices, params=params, labels=labels, data=data,
        parents=[_ref(parent) for parent in parents], signature=signature, golden=golden, card=card, key=key, run=captured,
        trust=trust, loader=loader, because=because,
    )  # fmt: skip
    run_logger().info("registered %s in %s", version.stamp, where.root)
    if version.retired is not None:
        run_logger().warning("%s has bytes that were retired, so no alias may name it: %s", version.ref, version.retired)
    shown = show_version(version, root=where.root)
    if version.number == 1:
        show_model(version.model, where)  # its page is there from the start
    announce_registered(version, root=where.root, shown=shown)
    materialise_version(version, root=where.root)
    return version


@registry_task("flowreg-evaluate", run_name="evaluate-{version}")
def evaluate_model(
    version: str | Version | Evaluation,
    scoring: Scoring | None = None,
    *,
    metrics: Mapping[str, Any] | None = None,
    on: Any = None,
    slices: Mapping[Any, Mapping[str, Any]] | None = None,
    examples: str | os.PathLike[str] | None = None,
    evaluator: str | None = None,
    also: str | None = None,
    trust: bool = False,
    because: str | None = None,
    registry: RegistryLike = None,
) -> Evaluation:
    """Record what was measured about a version: the ``metrics`` given, or those that ``scoring`` measures.

    ``evaluate_model(v, evaluate_on(holdout, "roc_auc", slices=["region"]), also="champion")`` loads the version and the champion, scores
    both on the same holdout and records both, with slices and examples: all that a gate needs to compare them. Returns the version's
    evaluation. See ``Registry.evaluate_on``, and ``Registry.evaluate`` for what was measured elsewhere.
    """
    captured = capture()
    where = resolve(registry)
    if scoring is not None:
        _refuse_both({"metrics": metrics, "on": on, "slices": slices, "examples": examples, "evaluator": evaluator})
        found = where.evaluate_on(_ref(version), scoring, also=also, trust=trust, run=captured, because=because)
    else:
        _refuse_unscored(metrics, also)
        given = where.evaluate(
            _ref(version), metrics, on=on, slices=slices, examples=examples, evaluator=evaluator, run=captured, because=because
        )
        found = (given,)
    for evaluation in reversed(found):  # so that the card shown last is that of the version asked about
        run_logger().info("evaluated %s%s", evaluation.ref, f" on {evaluation.dataset}" if evaluation.dataset else "")
        show_version(where.get(evaluation.ref), root=where.root)
    return found[0]


@registry_task("flowreg-promote", run_name="promote-{version}-to-{to}")
def promote_model(
    version: str | Version | Evaluation,
    *,
    to: str = "champion",
    because: str | None = None,
    override: str | None = None,
    registry: RegistryLike = None,
) -> AliasMove:
    """Move an alias to a version if its gates pass; see ``Registry.promote``.

    Where they do not, the run fails with ``GateBlocked``, whose sentences stand in the state's message. The gate table is
    shown either way.
    """
    captured = capture()
    where = resolve(registry)
    try:
        move = where.promote(_ref(version), to=to, because=because, override=override, run=captured)
    except GateBlocked as blocked:
        show_decision(blocked.decision)
        announce_blocked(blocked.decision, root=where.root)
        raise
    run_logger().info("%s of %s is now %s", move.alias, move.model, move.version.stamp)
    if move.decision is not None:
        show_decision(move.decision)
    show_model(move.model, where)
    announce_moved("promoted", move, root=where.root)
    materialise_alias(move, root=where.root)
    return move


@registry_task("flowreg-rollback", run_name="rollback-{alias_ref}")
def rollback_model(
    alias_ref: str, *, because: str, to: str | int | None = None, keep: bool = False, registry: RegistryLike = None
) -> AliasMove:
    """Move an alias back to the last good holder, or to the earlier holder ``to``; see ``Registry.rollback``.

    What it leaves is retired, so that no retraining brings the same bytes back, unless ``keep`` is given.
    """
    captured = capture()
    where = resolve(registry)
    move = where.rollback(alias_ref, because=because, to=to, keep=keep, run=captured)
    run_logger().info("%s of %s is %s again", move.alias, move.model, move.version.stamp)
    show_model(move.model, where)
    announce_moved("rolled-back", move, root=where.root)
    announce_left(move, root=where.root)
    materialise_alias(move, root=where.root)
    if move.kept and not keep:
        run_logger().warning("%s@%s was not retired: %s", move.model, move.previous, move.kept)
    return move


@registry_task("flowreg-undo-rollback", run_name="undo-rollback-{alias_ref}")
def undo_rollback(alias_ref: str, *, because: str, registry: RegistryLike = None) -> AliasMove:
    """Take the last rollback of an alias back; see ``Registry.undo_rollback``."""
    captured = capture()
    where = resolve(registry)
    move = where.undo_rollback(alias_ref, because=because, run=captured)
    run_logger().info("%s of %s is %s again", move.alias, move.model, move.version.stamp)
    show_model(move.model, where)
    announce_left(move, root=where.root)
    materialise_alias(move, root=where.root)
    return move


@registry_task("flowreg-load", run_name="load-{ref}")
def load_model(ref: str | Version | Evaluation, *, trust: bool = False, registry: RegistryLike = None) -> Any:
    """The model as an object, every byte verified; see ``Registry.load``. It becomes a parent of what this run registers.

    A model that is a large dict or list goes on to other tasks as ``opaque(model)``.
    """
    where = resolve(registry)
    version = where.get(_ref(ref))  # an alias may move meanwhile: what is loaded is what is noted
    model = where.load(version, trust=trust)
    run_logger().info("loaded %s", version.stamp)
    return model


@registry_task("flowreg-fetch", run_name="fetch-{ref}")
def fetch_model(ref: str | Version | Evaluation, *, into: str | os.PathLike[str], registry: RegistryLike = None) -> Path:
    """Bring a version's files into the new folder ``into``, every byte verified; see ``Registry.fetch``.

    It becomes a parent of what this run registers.
    """
    where = resolve(registry)
    version = where.get(_ref(ref))
    folder = where.fetch(version, into)
    run_logger().info("fetched %s into %s", version.stamp, folder)
    return folder


def _refuse_both(given: Mapping[str, Any]) -> None:
    if both := [name for name, value in given.items() if value is not None]:
        raise BadInput(
            f"{' and '.join(both)} given, and a scoring that measures by itself",
            where="nothing was recorded",
            do="give one of the two",
            code="usage",
        )


def _refuse_unscored(metrics: Mapping[str, Any] | None, also: str | None) -> None:
    if metrics is None or also is not None:
        raise BadInput(
            "nothing was measured" if metrics is None else f"also={also!r} needs a scoring, so that both are measured by the same code",
            where="nothing was recorded",
            do='give metrics={"auc": 0.91}, or evaluate_on(holdout, "roc_auc")',
            code="no-metric",
        )


def _ref(version: str | Version | Evaluation) -> str | Version:
    """An evaluation stands for the version it is about, so that steps can be chained."""
    return version.ref if isinstance(version, Evaluation) else version
