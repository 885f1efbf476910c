"""From what a task was given as ``registry=`` to a ``Registry``.

Rule 1: only this, never credentials, travels through Prefect: a block, its name, or a URL.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from prefect.settings import PREFECT_API_URL

from ..core.names import shown
from ..errors import BadInput, NotFound
from ..lineage.prefect_run import flow_run_id
from ..registry import Registry
from .blocks import ModelRegistry
from .surroundings import in_run

RegistryLike: TypeAlias = ModelRegistry | Registry | str | os.PathLike[str] | None

DEFAULT_BLOCK = "default"
_BLOCK_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")  # Prefect allows no other; a path is written with a slash or a dot


def resolve(registry: RegistryLike) -> Registry:
    """The registry that is meant: a block or registry itself, the name of a block, or a root as URL or path.

    None means the block ``default`` where there is one, else the root that ``Registry()`` finds by itself. Outside a run
    Prefect is not asked for it, since that would start a server.
    """
    match registry:
        case Registry():
            return registry
        case ModelRegistry():
            return registry.get_registry()
        case None:
            block = _of_run(DEFAULT_BLOCK) if in_run() else None
            return block.get_registry() if block else Registry()
        case str() if _BLOCK_NAME.fullmatch(registry):
            return _named(registry).get_registry()
        case str() | os.PathLike():
            root = os.fspath(registry)
            return _opened(root if "://" in root else str(Path(root).expanduser().absolute()), os.environ.get("FLOWREG_ACTOR"))
    raise BadInput(
        f"registry={shown(registry)} is not a registry",
        do="give a ModelRegistry block, the name of one, or a root such as s3://models/registry or ./registry",
        code="bad-registry",
    )


@lru_cache(maxsize=16)
def _opened(root: str, actor: str | None) -> Registry:
    """A registry that holds no credentials is kept for the next task of this process, which then reads only what is new."""
    return Registry(root, actor=actor)


def _named(name: str) -> ModelRegistry:
    block = _of_run(name)
    if block is None:
        raise NotFound(
            f"there is no ModelRegistry block named {name!r}",
            do=f"save one: ModelRegistry(root=…).save({name!r}); a folder of that name is written ./{name}",
            code="no-block",
        )
    return block


def _of_run(name: str) -> ModelRegistry | None:
    """The block of this name; within one flow run it stays what it was, and Prefect is asked once."""
    run = flow_run_id()
    return _asked_once(run, PREFECT_API_URL.value(), name) if run else _block(name)


@lru_cache(maxsize=4)
def _asked_once(run: str, api_url: str | None, name: str) -> ModelRegistry | None:
    return _block(name)


def _block(name: str) -> ModelRegistry | None:
    try:
        found: ModelRegistry = ModelRegistry.load(name, _sync=True)  # type: ignore[call-arg, assignment]
    except ValueError as error:
        if "Unable to find block document" in str(error):
            return None
        raise
    return found
