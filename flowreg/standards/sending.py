"""Sending OpenLineage events with the client of that project, by whatever transport its own configuration names.

``OPENLINEAGE_URL``, ``openlineage.yml`` or ``OPENLINEAGE__TRANSPORT__…`` say where to; flowreg has no setting of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import BadInput, Unavailable


def send(events: Sequence[Mapping[str, Any]]) -> str:
    """Send the events in their order; the kind of the transport that took them (``http``, ``kafka``, ``file``, ``console`` …).

    ``BadInput`` where the client is not installed or its configuration names nowhere; ``Unavailable`` where it could not send.
    """
    try:
        from openlineage.client import OpenLineageClient
    except ImportError:
        raise BadInput(
            "the client of OpenLineage is not installed", do='pip install "flowreg[openlineage]"', code="no-openlineage"
        ) from None
    try:
        client = OpenLineageClient()
    except Exception as error:  # whatever its configuration makes it raise
        raise BadInput(
            f"the client of OpenLineage cannot be made of its configuration ({type(error).__name__})",
            do="see openlineage.yml, OPENLINEAGE_URL",
            code="bad-openlineage",
        ) from None  # fmt: skip
    kind = str(getattr(client.transport, "kind", None) or "")
    if kind in ("", "noop"):
        raise BadInput(
            "OpenLineage is switched off, or names no transport", do="set OPENLINEAGE_URL, or openlineage.yml", code="bad-openlineage"
        )
    try:
        for event in events:
            client.emit(_as_event(event))
        client.close(timeout=30.0)
    except Exception as error:  # of any transport
        raise Unavailable(
            f"OpenLineage's transport {kind} did not take the events ({type(error).__name__})", where="the registry is as it was",
            do="try again: the same events have the same ids", code="openlineage",
        ) from None  # fmt: skip
    return kind


def _as_event(said: Mapping[str, Any]) -> Any:
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState

    return RunEvent(
        eventTime=said["eventTime"], eventType=RunState(said["eventType"]), producer=said["producer"],
        run=Run(**said["run"]), job=Job(**said["job"]),
        inputs=[InputDataset(**each) for each in said["inputs"]], outputs=[OutputDataset(**each) for each in said["outputs"]],
    )  # fmt: skip
