"""Whether this is called in a Prefect run, where the page of that run is, and where its log lines go."""

from __future__ import annotations

import logging
from typing import Any

from prefect.context import FlowRunContext, TaskRunContext
from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger
from prefect.utilities.urls import url_for

from ..lineage.prefect_run import flow_run_id


def in_run() -> bool:
    """Whether a flow run or a task run surrounds this call."""
    return FlowRunContext.get() is not None or TaskRunContext.get() is not None


def run_logger() -> logging.Logger | logging.LoggerAdapter[Any]:
    """The logger of the surrounding run; outside any run the logger ``flowreg``."""
    try:
        return get_run_logger()
    except MissingContextError:
        return logging.getLogger("flowreg")


def page_of_run() -> str | None:
    """The page of the surrounding flow run, where the address of Prefect's interface is known."""
    run = flow_run_id()
    return url_for("flow-run", obj_id=run) if run else None
