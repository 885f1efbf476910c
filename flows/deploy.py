"""Puts what an alias holds where it is served from. Deployed as ``deploy/on-promotion``: it runs whenever a champion moves.

It asks the registry what the alias holds *now*: an event that comes late, twice or out of order changes nothing. In place of
the folder put your own roll-out; ``fetch_model`` has verified every byte before.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from prefect import flow

from flowreg.prefect import ModelRegistry, fetch_model
from flowreg.prefect.resolve import resolve

FOLDER = "deployed"
CURRENT = "current"


@flow(name="deploy", flow_run_name="deploy-{model}-{alias}")
def deploy(model: str, alias: str = "champion", into: str = FOLDER, registry: ModelRegistry | str | None = None) -> Path:
    """Bring the files of ``model@alias`` into ``into/MODEL/NUMBER``, and let ``into/MODEL/current`` point there.

    Args:
        into: The folder that is served from.
    """
    version = resolve(registry).get(f"{model}@{alias}")
    folder = Path(into, model, str(version.number))
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = folder.with_name(f".{folder.name}-{os.getpid()}")
        shutil.rmtree(fresh, ignore_errors=True)  # a run that was killed may have had this number
        fetch_model(version, into=fresh, registry=registry)
        fresh.rename(folder)
    point(folder.with_name(CURRENT), version.number)
    return folder


def point(link: Path, number: int) -> None:
    """Let the link name the folder beside it, in one step: whoever opens it meanwhile gets the old one or the new one."""
    fresh = link.with_name(f".{link.name}-{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(str(number))
    fresh.replace(link)


if __name__ == "__main__":
    deploy("flight-delay")
