"""What surrounds a run is captured with nothing passed, and nothing about it can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flowreg import Registry
from flowreg.core.events import Run
from flowreg.lineage.capture import capture
from flowreg.lineage.environment import installed_packages


def test_outside_any_run_code_and_environment_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no flow run, and that there is no repository is said."""
    monkeypatch.chdir(tmp_path)

    captured = capture()

    assert captured.run.flow_run is None
    assert captured.run.parameters == {}
    assert captured.run.git is None
    assert captured.run.environment is not None
    assert captured.run.environment.python == sys.version.split()[0]
    assert tuple(each for each in captured.run.warnings if not each.startswith("image")) == ("git: no repository was found round the code",)


def test_a_used_up_budget_leaves_a_run_with_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each thing that was not looked at has its sentence; nothing raises."""
    captured = capture(budget_s=0)

    skipped = "skipped, the time for looking around was used up"
    assert captured.blobs == ()
    assert captured.run == Run(warnings=tuple(f"{what}: {skipped}" for what in ("run", "seeds", "environment", "packages", "code")))


def test_a_child_process_of_a_deployed_run_knows_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that a worker sets names flow, run and deployment."""
    run_id, deployment_id = "0199aaaa-0000-7000-8000-000000000001", "0199aaaa-0000-7000-8000-000000000002"
    for name, value in {
        "FLOW_RUN_ID": run_id, "FLOW_NAME": "retrain-churn", "DEPLOYMENT_ID": deployment_id, "DEPLOYMENT_NAME": "nightly",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"PREFECT__{name}", value)

    run = capture().run

    assert (run.flow, run.flow_run, run.deployment, run.deployment_id) == (
        "retrain-churn",
        run_id,
        "retrain-churn/nightly",
        deployment_id,
    )


def test_packages_are_listed_as_pip_would_name_them() -> None:
    """One ``name==version`` a line, sorted, each name once."""
    lines = installed_packages().decode().splitlines()
    names = [line.partition("==")[0] for line in lines]

    import pydantic

    assert f"pydantic=={pydantic.VERSION}" in lines
    assert names == sorted(set(names))


def test_the_first_of_a_name_on_the_path_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does for an import; a zip file and a missing folder on the path do no harm."""
    for folder, version in (("a", "1.0"), ("b", "2.0")):
        (tmp_path / folder / f"Some_Model.Kit-{version}.dist-info").mkdir(parents=True)
    (tmp_path / "code.zip").write_bytes(b"PK")
    monkeypatch.setattr(sys, "path", [str(tmp_path / name) for name in ("a", "b", "code.zip", "missing")])

    assert installed_packages() == b"some-model-kit==1.0\n"


def test_capturing_imports_no_prefect() -> None:
    """A process that does not use Prefect does not pay for it."""
    code = "import sys; from flowreg.lineage.capture import capture; capture(); sys.exit('prefect' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


PIECES = ["read_run", "seeds_of_run", "read_environment", "installed_packages", "flow_folder", "read_code", "read_lockfile", "read_image",
          "job_variables", "entrypoint"]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_whatever_fails_costs_only_itself(piece: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A version is registered all the same; the warning does not repeat what the error said."""

    def fails(*_: object) -> None:
        raise RuntimeError("hunter2-canary")

    monkeypatch.setattr(f"flowreg.lineage.capture.{piece}", fails)
    (tmp_path / "model").write_text("x")

    run = Registry(tmp_path / "models").register("churn", tmp_path / "model", run=capture(budget_s=60)).run

    assert run is not None
    assert any("could not be read (RuntimeError)" in warning for warning in run.warnings)
    assert "canary" not in run.model_dump_json()
