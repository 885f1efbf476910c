"""What the surrounding Prefect run tells about itself.

Rule 1: Prefect is never imported here. Where nobody imported it there is no run; a child process of a deployed run is told by
its environment.
Rule 2: only what lies in this process is read; nothing asks Prefect's API.
Rule 3: each field is tried by itself, since Prefect's objects change between versions.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .attempts import Attempts
from .masking import masked, masked_text


def flow_run_id() -> str | None:
    """The id of the flow run that this is called in, or None."""
    flow_context, task_context = _contexts()
    if flow_context is not None:
        return str(flow_context.flow_run.id)
    if task_context is not None:
        found = getattr(task_context.task_run, "flow_run_id", None)
        return str(found) if found else None
    return os.environ.get("PREFECT__FLOW_RUN_ID") or None


def flow_folder() -> Path | None:
    """The folder that the flow's source file lies in; None outside a run and for installed code."""
    file, _ = _source()
    return file.parent if file and not {"site-packages", "dist-packages"} & set(file.parts) else None


def entrypoint(top: Path | None) -> str | None:
    """The source of the flow, ``flows/retrain.py:retrain`` within the repository whose work tree is ``top``; None where nobody knows.

    It is where the flow's function stands; a process that a deployed run started is told it by its worker.
    """
    file, name = _source()
    if file is None:
        told, _, name = os.environ.get("PREFECT__FLOW_ENTRYPOINT", "").rpartition(":")
        if not told or _contexts()[0] is not None:
            return None
        file = Path(told)
    inside = top is not None and file.is_relative_to(top.resolve())
    shown = file.relative_to(top.resolve()) if inside and top else Path(file.name) if file.is_absolute() else file
    return masked_text(f"{shown.as_posix()}:{name}")


def job_variables() -> Mapping[str, Any]:
    """What the flow run says about the job that runs it."""
    flow_context, _ = _contexts()
    found = getattr(getattr(flow_context, "flow_run", None), "job_variables", None)
    return found if isinstance(found, Mapping) else {}


def _source() -> tuple[Path | None, str]:
    """The file and the name of the flow's function, under what decorates it; no file where there is none, as in a notebook.

    A script that serves its own flow sends it pickled, without its file: then it is where Prefect says it was made.
    """
    flow_context, _ = _contexts()
    flow = getattr(flow_context, "flow", None)
    if flow is None or getattr(flow, "fn", None) is None:
        return None, ""
    function = inspect.unwrap(flow.fn)
    code, name = getattr(function, "__code__", None), getattr(function, "__name__", "")
    told, _, _ = str(getattr(flow, "_entrypoint", None) or "").rpartition(":")
    found = [Path(each) for each in (code.co_filename if code else None, told) if each]
    file = next((each for each in found if each.is_file()), None) if name else None
    return (file.resolve(), name) if file else (None, "")


def outer_flow_runs() -> tuple[str, ...]:
    """The ids of the flow runs of this process that called the present one, the nearest first."""
    flow_context, _ = _contexts()
    found: list[str] = []
    while flow_context is not None and len(found) < 20:
        token = getattr(flow_context, "_token", None)
        flow_context = getattr(token, "old_value", None)
        run = getattr(getattr(flow_context, "flow_run", None), "id", None)
        if run is None:
            break
        found.append(str(run))
    return tuple(found)


def read_run(attempts: Attempts) -> dict[str, Any]:
    """The fields of ``Run`` that the surrounding flow run and task run fill; empty outside any run."""
    flow_context, task_context = attempts.get("run", _contexts) or (None, None)
    if flow_context is None and task_context is None:
        return _of_environment()
    texts: dict[str, Callable[[], Any]] = {}
    others: dict[str, Callable[[], Any]] = {}
    if flow_context is not None:
        texts |= _texts_of_flow(flow_context, attempts)
        others = {"run_count": lambda: int(flow_context.flow_run.run_count), "parameters": lambda: masked(flow_context.parameters or {})}
    if task_context is not None:
        texts |= _texts_of_task(task_context)
    said = {name: attempts.get(f"run {name}", read) for name, read in (texts | others).items()}
    return {name: masked_text(str(value)) if name in texts else value for name, value in said.items() if value is not None}


def _contexts() -> tuple[Any, Any]:
    """Prefect's flow run context and task run context, each None where there is none."""
    module = sys.modules.get("prefect.context")
    if module is None:
        return None, None
    flow_context, task_context = module.FlowRunContext.get(), module.TaskRunContext.get()
    return flow_context if getattr(flow_context, "flow_run", None) else None, task_context


def _texts_of_flow(context: Any, attempts: Attempts) -> dict[str, Callable[[], Any]]:
    flow_run = context.flow_run
    return {
        "flow": lambda: context.flow.name,
        "flow_version": lambda: flow_run.flow_version or context.flow.version,
        "flow_run": lambda: flow_run.id,
        "flow_run_name": lambda: flow_run.name,
        "deployment": lambda: _deployment(context, attempts),
        "deployment_id": lambda: _deployment_id(flow_run),
        "deployment_version": lambda: flow_run.deployment_version,
        "work_pool": lambda: flow_run.work_pool_name,
        "parent_flow_run": lambda: _parent(context, attempts),
        "started_by": lambda: _started_by(flow_run),
        "url": lambda: _url("flow-run", flow_run.id),
    }


def _texts_of_task(context: Any) -> dict[str, Callable[[], Any]]:
    task_run = context.task_run
    texts: dict[str, Callable[[], Any]] = {"task_run": lambda: task_run.id, "task_run_name": lambda: task_run.name}
    if task_run.flow_run_id is None:
        texts["url"] = lambda: _url("task-run", task_run.id)
    return texts


def _of_environment() -> dict[str, Any]:
    """A process that a deployed run started knows the run by its environment."""
    said = {name: os.environ.get(f"PREFECT__{name.upper()}") or None for name in ("flow_run_id", "flow_name", "deployment_id")}
    if not said["flow_run_id"]:
        return {}
    fields = {
        "flow": said["flow_name"],
        "flow_run": said["flow_run_id"],
        "deployment": _deployment_name(said["deployment_id"], flow=None),
        "deployment_id": said["deployment_id"],
    }
    return {name: masked_text(value) for name, value in fields.items() if value is not None}


def _deployment_id(flow_run: Any) -> str | None:
    if flow_run.deployment_id:
        return str(flow_run.deployment_id)
    # A flow that a deployed flow calls has none of its own; Prefect keeps the outer one beside the context.
    outer = sys.modules["prefect.context"]._deployment_id.get()
    return str(outer) if outer else None


def _deployment(context: Any, attempts: Attempts) -> str | None:
    """``flow/deployment``, as Prefect's own commands write it."""
    deployment_id = _deployment_id(context.flow_run)
    if deployment_id is None:
        return None
    name = _deployment_name(deployment_id, flow=context.flow.name if context.flow_run.deployment_id else None)
    if name is None:
        attempts.warn("run deployment", f"the name of deployment {deployment_id} is not known in this process")
    return name


def _deployment_name(deployment_id: str | None, *, flow: str | None) -> str | None:
    """The environment of a worker's child names the deployment that it runs, and no other."""
    name, flow = os.environ.get("PREFECT__DEPLOYMENT_NAME"), flow or os.environ.get("PREFECT__FLOW_NAME")
    if not name or (deployment_id and os.environ.get("PREFECT__DEPLOYMENT_ID", deployment_id) != deployment_id):
        return None
    return f"{flow}/{name}" if flow else name


def _parent(context: Any, attempts: Attempts) -> str | None:
    """The flow run that called this one. In the same process its context is the one that ours has replaced."""
    if context.flow_run.parent_task_run_id is None:
        return None
    replaced = getattr(getattr(context, "_token", None), "old_value", None)
    outer = getattr(getattr(replaced, "flow_run", None), "id", None)
    if outer is None or outer == context.flow_run.id:
        attempts.warn("run parent_flow_run", "another flow run called this one, but which is not known in this process")
        return None
    return str(outer)


def _started_by(flow_run: Any) -> str | None:
    """``schedule nightly``, ``automation on-promote``; None for a person, whom an open-source server does not know."""
    by = flow_run.created_by
    if by is None or not by.type:
        return "schedule" if flow_run.auto_scheduled else None
    return " ".join(filter(None, [str(by.type).lower(), by.display_value]))


def _url(kind: str, run_id: Any) -> str | None:
    """The page of a run, where the address of Prefect's user interface is known."""
    urls = sys.modules.get("prefect.utilities.urls")
    return urls.url_for(kind, obj_id=run_id) if urls else None
