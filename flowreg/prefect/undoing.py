"""Undoing what a retraining did, where its flow fails afterwards and it was asked to: the rollback of a Prefect transaction.

Rule 1: what happened stays in the history: a version is retired with the reason, nothing is deleted.
Rule 2: between the attempts of one run nothing is undone; an attempt that comes later all the same takes the undoing back.
Rule 3: a killed process undoes nothing. The next attempt goes on with what it finds.
"""

from __future__ import annotations

import sys
from typing import Any

from prefect.context import FlowRunContext
from prefect.exceptions import PrefectSignal

from ..core.views import Version
from ..errors import FlowregError, GateBlocked, NotFound
from ..lineage.masking import masked_text
from ..registry import Registry
from .surroundings import run_logger

UNDONE = "its flow run failed afterwards"
REASON_CHARACTERS = 300


def undo(where: Registry, version: Version, alias: str) -> None:
    """Retire the version, after the alias has been moved back if this version holds it. Never raises; the reason is what failed.

    Of a candidate that is blocked, and of a run that waits, Prefect says that the transaction failed; neither is a failure here.
    """
    if isinstance(sys.exception(), GateBlocked | PrefectSignal):
        return
    if _will_be_tried_again():
        run_logger().info("%s stays until the last attempt of this run", version.ref)
        return
    because = f"{UNDONE}{_why()}"
    try:
        if alias in where.get(version.ref).aliases:
            where.rollback(f"{version.model}@{alias}", because=because)
        if where.get(version.ref).retired is None:
            where.retire(version.ref, because=because)
        run_logger().warning("%s is retired: %s", version.ref, because)
    except FlowregError as error:
        run_logger().error("%s could not be undone: %s", version.ref, error)


def restored(where: Registry, version: Version) -> Version:
    """The version, with the bar lifted that an earlier attempt of this run has put on it."""
    if version.retired is None or not version.retired.startswith(UNDONE):
        return version
    return where.restore(version.ref, because="its flow run is tried again")


def version_of(where: Registry, model: str, key: str | None) -> Version | None:
    """The version that was registered under this key, or None."""
    if key is None:
        return None
    try:
        return next((version for version in reversed(where.versions(model)) if version.key == key), None)
    except NotFound:
        return None


def _why() -> str:
    """What is being handled right now: a transaction is rolled back while its error passes through."""
    error = sys.exception()
    return f": {masked_text(f'{type(error).__name__}: {error}'.splitlines()[0])[:REASON_CHARACTERS]}" if error else ""


def _will_be_tried_again() -> bool:
    context: Any = FlowRunContext.get()
    if context is None or context.flow is None or context.flow_run is None:
        return False
    return bool(context.flow_run.run_count <= (context.flow.retries or 0))
