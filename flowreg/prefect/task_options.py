"""What every task of flowreg has in common.

Rule 1: no caching and no stored results: Prefect would hash and pickle models. The registry is the store.
Rule 2: no tags: for each tagged task Prefect asks its server for a free slot, and without an answer the task fails.
Rule 3: a task is tried again only where that may help: somebody else moved first, or the storage did not answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import get_state_exception

from ..errors import Conflict, Unavailable

P = ParamSpec("P")
R = TypeVar("R")
NAME_LIMIT = 80  # characters of an argument in the name of a task run


def may_help(task: Task[Any, Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Whether trying again may help."""
    return isinstance(get_state_exception(state), Conflict | Unavailable)


def registry_task(name: str, *, run_name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """``@task`` for something that a registry does; ``run_name`` may use the task's parameters."""

    def named(parameters: dict[str, Any]) -> str:
        return run_name.format(**{name: _brief(value) for name, value in parameters.items()})

    return task(
        name=name,
        task_run_name=named,  # type: ignore[arg-type]  # Prefect's protocol for it fits no plain function
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=3,
        retry_delay_seconds=[0.2, 1, 5],
        retry_jitter_factor=0.1,
        retry_condition_fn=may_help,
    )


def _brief(value: Any) -> str:
    """How an argument stands in the name of a run: a version or evaluation by its reference, a text as far as it is short."""
    text = value if isinstance(value, str) else str(getattr(value, "ref", ""))
    return text if len(text) <= NAME_LIMIT else f"{text[:NAME_LIMIT]}…"
