"""The repository's own prefect.yaml, deployed on the session's server, and taken away afterwards with its automations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flowreg import Registry
from tests.conftest import GIT, Root
from tests.servers.prefect_server import PrefectServer, prefect_cli

REPOSITORY = Path(__file__).parents[2]
POOL = "local-process"
DEPLOYMENTS = ("retrain/nightly", "deploy/on-promotion", "evaluate-champion/weekly", "remind/mornings", "housekeeping/weekly")


@pytest.fixture
def registry(root: Root) -> Registry:
    """An empty registry in which nothing is protected yet."""
    return Registry(root.url)


@dataclass(frozen=True)
class Deployed:
    """Where it runs: the server, the registry's root, and the folder that champions are deployed to."""

    server: PrefectServer
    root: str
    served: Path


@pytest.fixture
def deployed(prefect_env: PrefectServer, root: Root, tmp_path: Path) -> Iterator[Deployed]:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import DeploymentUpdate

    for command in (
        ("work-pool", "create", POOL, "--type", "process", "--overwrite"),
        ("deploy", "--prefect-file", "deployments/prefect.yaml", "--all"),
    ):
        prefect_cli(prefect_env, *command, cwd=REPOSITORY, extra_env={"FLOWREG_ROOT": root.url, **GIT})
    with get_client(sync_client=True) as client:
        ids = {name: client.read_deployment_by_name(name).id for name in DEPLOYMENTS}
        client.update_deployment(ids["deploy/on-promotion"], DeploymentUpdate(parameters={"into": str(tmp_path / "served")}))
        yield Deployed(prefect_env, root.url, tmp_path / "served")
        for deployment_id in ids.values():
            client.delete_resource_owned_automations(f"prefect.deployment.{deployment_id}")
            client.delete_deployment(deployment_id)
