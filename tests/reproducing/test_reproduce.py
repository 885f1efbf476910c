"""A version is planned, made again by its own flow at its own commit, and compared; what differs first is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowreg import BadInput, Registry, Unavailable
from tests.cli.conftest import Cli, cli, place
from tests.prefect.conftest import *  # noqa: F403

from .conftest import Trained, code, data, git, trained

__all__ = ["cli", "code", "data", "place", "trained"]
pytestmark = [pytest.mark.prefect, pytest.mark.timeout(400)]
SECRET = {"api_key": "hunter2-canary"}


def test_the_same_code_and_data_and_seed_make_the_same_bytes(trained: Trained, code: Path, data: Path) -> None:
    """Changes that were not committed are laid over the commit; the alias stays; nothing is left in the repository."""
    (code / "train.py").write_text((code / "train.py").read_text().replace("max_iter=20", "max_iter=21"))
    registry = trained()
    (code / "train.py").write_text("raise SystemExit('another branch')")
    (data.parent / "customers.csv.promoted").unlink()

    plan = registry.reproduce("churn@1")
    assert plan.ready
    assert (plan.secrets, plan.golden, plan.run.entrypoint) == (("api_key",), True, "train.py:train")
    assert [(d.name, d.found) for d in plan.data] == [("customers.csv", "same")]
    verdict = registry.make_again("churn@1", params=SECRET, here=True, repository=code)

    assert (verdict.outcome, verdict.after) == ("identical", "churn@2")
    made = registry.get("churn@2")
    assert made.reproduces is not None
    assert (made.reproduces.model, made.reproduces.version) == ("churn", 1)
    assert registry.get("churn@champion").number == 1
    assert not (data.parent / "customers.csv.promoted").exists()
    assert len(git(code, "worktree", "list").splitlines()) == 1
    assert not [path for path in Path(registry.root).rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


def test_changed_data_is_named_before_all_else(trained: Trained, code: Path, data: Path) -> None:
    """The plan says so before anything runs, the verdict afterwards."""
    registry = trained()
    data.write_text(data.read_text().replace("e-01", "e+00"))

    assert registry.reproduce("churn@1").data[0].found == "changed"
    verdict = registry.make_again("churn@1", params=SECRET, here=True, repository=code)

    assert verdict.outcome == "different"
    assert verdict.first is not None
    assert verdict.first.what.startswith("data customers.csv")
    assert "golden inputs" in verdict.compared
    data.unlink()
    assert registry.reproduce("churn@1").data[0].found == "gone"


def test_without_a_seed_chance_is_named(trained: Trained, code: Path) -> None:
    """No input differs, and none was pinned."""
    registry = trained(seed=None)

    verdict = registry.make_again("churn@1", params=SECRET, here=True, repository=code)

    assert verdict.outcome == "different"
    assert verdict.first is not None
    assert verdict.first.what == "seed"


def test_what_cannot_be_run_says_why(trained: Trained, code: Path, tmp_path: Path) -> None:
    """A secret that was not given, a parameter that is none, a commit that is not here, a version of nobody's flow, a flow that fails."""
    registry = trained()
    with pytest.raises(BadInput, match="api_key were not kept"):
        registry.make_again("churn@1", here=True, repository=code)
    with pytest.raises(BadInput, match="no parameter"):
        registry.make_again("churn@1", params={**SECRET, "x": 1}, here=True, repository=code)
    with pytest.raises(BadInput, match="is not in the repository here"):
        registry.make_again("churn@1", params=SECRET, here=True, repository=tmp_path)
    (tmp_path / "m").write_text("x")
    registry.register("bare", tmp_path / "m")
    with pytest.raises(BadInput, match="the commit it was made from was not recorded"):
        registry.make_again("bare@1", here=True)
    with pytest.raises(Unavailable, match="the flow did not end well: AssertionError"):
        registry.make_again("churn@1", params={"api_key": "wrong"}, here=True, repository=code)
    assert registry.get("churn@newest").number == 1
    assert len(git(code, "worktree", "list").splitlines()) == 1


def test_on_the_command_line(trained: Trained, code: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan for a person; the secret from the environment; the exit code says whether it was reproduced."""
    registry = trained()
    monkeypatch.chdir(code)
    monkeypatch.setenv("api_key", "hunter2-canary")

    plan = cli("reproduce", "churn@1", root=registry.root)
    done = cli("reproduce", "churn@1", "--run", "--here", "--param", "api_key", root=registry.root)
    again = cli("reproduce", "churn@1", "--against", "churn@2", "--json", root=registry.root)

    assert plan.code == 0
    assert "Give them with --param" in plan.out
    assert git(code, "rev-parse", "HEAD")[:12] in plan.out
    assert (done.code, "identical" in done.out) == (0, True), done.err
    assert again.json["outcome"] == "identical"


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_in_a_new_environment_with_the_recorded_packages(code: Path, data: Path, tmp_path: Path, prefect_env: object) -> None:
    """What was trained in one environment is made again in another that is made of the record, byte for byte."""
    import json

    place = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    python = str(place / "bin" / "python")
    project = Path(__file__).parents[2]
    subprocess.run([python, "-m", "pip", "install", "-q", f"{project}[prefect,sklearn]"], check=True)
    from .conftest import RUN

    root = tmp_path / "models"
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"PYTHONPATH": str(code), "FLOWREG_ROOT": str(root)}
    subprocess.run([python, "-c", RUN, json.dumps({"data": str(data), **SECRET})], cwd=code, check=True, env=environ)

    verdict = Registry(root).make_again("churn@1", params=SECRET, repository=code)

    assert verdict.outcome == "identical", verdict
    assert [change for change in verdict.differences if change.what.startswith("package")] == []


def test_by_its_deployment(trained: Trained, prefect_env: object, code: Path, data: Path, tmp_path: Path) -> None:
    """Prefect runs it on a worker, with what says that it reproduces in the environment."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate

    from tests.servers.prefect_server import worker

    root = str(tmp_path / "models")
    pull = [{"prefect.deployments.steps.set_working_directory": {"directory": str(code)}}]
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="again", type="process"))
        flow_id = client.create_flow_from_name("train")
        env = {"PYTHONPATH": str(Path(__file__).parents[2]), "FLOWREG_ROOT": root}
        deployment = client.create_deployment(
            flow_id, name="again", entrypoint="train.py:train", pull_steps=pull, work_pool_name="again",
            job_variables={"env": env, "command": f"{sys.executable} -m prefect.engine"}, parameters={"data": str(data), **SECRET},
            enforce_parameter_schema=False,
        )  # fmt: skip
        first = client.create_flow_run_from_deployment(deployment)
    import asyncio

    from prefect.flow_runs import wait_for_flow_run

    with worker(prefect_env, "again"):  # type: ignore[arg-type]
        assert asyncio.run(wait_for_flow_run(first.id, timeout=200)).state.is_completed()  # type: ignore[union-attr]
        registry = Registry(root)
        verdict = registry.make_again("churn@1", params=SECRET, deployment=True, timeout_s=200)

    assert verdict.outcome == "identical"
    made = registry.get(verdict.after)
    assert made.run is not None
    assert made.run.deployment == "train/again"
    assert made.reproduces is not None
