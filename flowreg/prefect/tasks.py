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
from ..errors import GateBlocked
from ..lineage.capture import capture
from .announcements import announce_blocked, announce_moved, announce_registered
from .artifacts import show_decision, show_history, show_version
from .resolve import RegistryLike, resolve
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
    signature: Mapping[str, Any] | None = None,
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
    captured = capture()
    where = resolve(registry)
    version = where.register(
        model, artifact, metrics=metrics, on=on, slices=slices, params=params, labels=labels, data=data,
        parents=[_ref(parent) for parent in parents], signature=signature, card=card, key=key, run=captured, trust=trust, loader=loader,
        because=because,
    )  # fmt: skip
    run_logger().info("registered %s in %s", version.stamp, where.root)
    show_version(version, root=where.root)
    announce_registered(version, root=where.root)
    return version


@registry_task("flowreg-evaluate", run_name="evaluate-{version}")
def evaluate_model(
    version: str | Version | Evaluation,
    *,
    metrics: Mapping[str, Any],
    on: Any = None,
    slices: Mapping[Any, Mapping[str, Any]] | None = None,
    examples: str | os.PathLike[str] | None = None,
    evaluator: str | None = None,
    because: str | None = None,
    registry: RegistryLike = None,
) -> Evaluation:
    """Record what was measured about a version, on the dataset ``on``; see ``Registry.evaluate``."""
    captured = capture()
    where = resolve(registry)
    evaluation = where.evaluate(
        _ref(version), metrics, on=on, slices=slices, examples=examples, evaluator=evaluator, run=captured, because=because
    )
    run_logger().info("evaluated %s%s", evaluation.ref, f" on {evaluation.dataset}" if evaluation.dataset else "")
    show_version(where.get(evaluation.ref), root=where.root)
    return evaluation


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
    announce_moved("promoted", move, root=where.root)
    return move


@registry_task("flowreg-rollback", run_name="rollback-{alias_ref}")
def rollback_model(alias_ref: str, *, because: str, to: str | int | None = None, registry: RegistryLike = None) -> AliasMove:
    """Move an alias back to the holder before, or to the earlier holder ``to``; see ``Registry.rollback``."""
    captured = capture()
    where = resolve(registry)
    move = where.rollback(alias_ref, because=because, to=to, run=captured)
    run_logger().info("%s of %s is %s again", move.alias, move.model, move.version.stamp)
    show_history(move.model, lambda: where.history(move.model))
    announce_moved("rolled-back", move, root=where.root)
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


def _ref(version: str | Version | Evaluation) -> str | Version:
    """An evaluation stands for the version it is about, so that steps can be chained."""
    return version.ref if isinstance(version, Evaluation) else version
