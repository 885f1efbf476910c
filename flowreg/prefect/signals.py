"""Telling Prefect what happens to a model outside its registry, so that automations retrain: new data, drift.

Rule 1: the resource is the model, as with everything that flowreg tells.
Rule 2: unlike the rest these may be told from anywhere that knows Prefect's address. Without one nothing is sent, since Prefect would start
a server for it. From a shell or another language: ``prefect event emit flowreg.data.arrived --resource-id flowreg.model.churn``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from prefect.events import emit_event
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_API_URL

from ..core.events import Dataset
from ..core.names import model_name
from ..errors import BadInput
from ..lineage.masking import masked
from ..lineage.prefect_run import flow_run_id
from .surroundings import in_run

EventName = Literal["flowreg.data.arrived", "flowreg.drift.detected"]


def announce_data(model: str, *data: Dataset | str, because: str = "new data") -> UUID | None:
    """Tell Prefect that there is new data for a model: the event ``flowreg.data.arrived``. Its id.

    ``data`` are datasets or their URIs, and ``because`` a few words; both stand in the payload, which a trigger may hand to the flow.

    >>> announce_data("churn", "s3://lake/churn/2026-11.parquet")  # doctest: +SKIP
    """
    listed = [Dataset(each) if isinstance(each, str) else each for each in data]
    payload = {"data": [each.model_dump(mode="json", exclude_none=True) for each in listed]}
    return _emit("flowreg.data.arrived", model, because, payload)


def announce_drift(model: str, *, because: str, version: int | None = None, facts: Mapping[str, Any] | None = None) -> UUID | None:
    """Tell Prefect that what a model sees, or how well it does, has changed: the event ``flowreg.drift.detected``. Its id.

    ``facts`` are plain numbers and texts about it, for the payload.
    """
    return _emit("flowreg.drift.detected", model, because, {"version": version, "facts": dict(facts or {})})


def _emit(event: EventName, model: str, because: str, payload: Mapping[str, Any]) -> UUID | None:
    name = model_name(model)
    if not in_run() and not PREFECT_API_URL.value():
        raise BadInput(
            "Prefect's address is not known here, so nothing can be announced",
            where="nothing was sent",
            do="set PREFECT_API_URL, or call this in a flow",
            code="no-prefect",
        )
    sent = emit_event(
        event,
        resource={"prefect.resource.id": f"flowreg.model.{name}", "prefect.resource.name": name, "flowreg.model": name},
        payload=masked({"model": name, "because": because, **payload, "flow_run": flow_run_id()}),
    )
    if not in_run():
        EventsWorker.drain_all()  # a short script would end before it is sent
    return sent.id if sent else None
