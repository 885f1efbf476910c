"""The two ways to Prefect's server: ``begin`` for what people read, ``tell`` for events. Both may be lost, and neither keeps a task up.

Rule 1: nobody waits for the server for more than ``PATIENCE_S``, though Prefect's own client tries again for minutes: the sending goes
on in a thread that nothing waits for, and may arrive late.
Rule 2: while such a thread is left over, the server is not answering: nothing more is sent, and nobody waits again.
Rule 3: an event is put into Prefect's queue, which sends it when the server is back, if the process lives that long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from httpx import HTTPStatusError
from prefect.client.orchestration import get_client
from prefect.events import emit_event

from ..lineage.capture import Captured
from ..lineage.masking import masked_text
from .surroundings import in_run, run_logger

PATIENCE_S = 5.0
SERVER_FAILED = 500  # and above
LATE = "flowreg-late"  # the name of a thread that nobody waits for any more


def begin(send: Callable[[], object]) -> Callable[[], str | None]:
    """Start to send. Calling what is returned waits, and tells what went wrong; None where it arrived."""
    if any(thread.name == LATE for thread in threading.enumerate()):
        return lambda: "an earlier message to Prefect's server is still without an answer"
    failed: list[Exception] = []
    surroundings, until = copy_context(), time.monotonic() + PATIENCE_S

    def sending() -> None:
        try:
            surroundings.run(send)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=sending, name="flowreg-sending", daemon=True)
    thread.start()

    def outcome() -> str | None:
        thread.join(max(0.0, until - time.monotonic()))
        if thread.is_alive():
            thread.name = LATE
            return f"Prefect's server did not answer within {PATIENCE_S:g} s"
        return masked_text(f"{type(failed[0]).__name__}: {failed[0]}".partition("\n")[0]) if failed else None

    return outcome


def ask_server() -> Callable[[], str | None]:
    """Whether the server answers at all, asked while something else goes on; outside a run nothing is asked."""
    return begin(_ask) if in_run() else lambda: None


def noted(captured: Captured, failure: str | None) -> Captured:
    """The captured run with a warning, where the server does not answer: the version is written before anything is shown, so this is
    what its record can say of it."""
    if failure is None:
        return captured
    warning = f"prefect: {failure}; the card of this version may be missing there, and its events late"
    return replace(captured, run=captured.run.model_copy(update={"warnings": (*captured.run.warnings, warning)}))


def tell(event: str, *, resource: dict[str, str], related: Sequence[Mapping[str, str]] = (), payload: dict[str, Any], what: str) -> None:
    """Emit an event; ``what`` it says stands in the log where that fails. Outside a run nothing is emitted: Prefect would start a
    server for it, or link it to an earlier run of the process."""
    if not in_run():
        return
    try:
        emit_event(event, resource=resource, related=[dict(each) for each in related], payload=payload)
    except Exception as error:
        run_logger().warning("flowreg could not announce that %s (%s)", what, type(error).__name__)


def _ask() -> None:
    error = get_client(sync_client=True).api_healthcheck()
    if error is not None and not (isinstance(error, HTTPStatusError) and error.response.status_code < SERVER_FAILED):
        raise error  # a refusal is an answer too: not every server has this address
