"""Lockfile, hardware, seeds, image: what else surrounds a run."""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from pathlib import Path

import pytest

import flowreg
from flowreg import BadInput
from flowreg.lineage import image
from flowreg.lineage.attempts import Attempts
from flowreg.lineage.capture import capture
from flowreg.lineage.environment import installed_packages, read_environment
from flowreg.lineage.image import read_image
from flowreg.lineage.lockfiles import SIZE_LIMIT, read_lockfile

from .test_git import git, repository

__all__ = ["repository"]


@pytest.fixture
def attempts() -> Attempts:
    return Attempts(time.monotonic() + 60)


def test_the_nearest_lockfile_is_kept(repository: Path, attempts: Attempts) -> None:
    """Of the code's folder before those above it, and never from above the repository."""
    (repository.parent / "uv.lock").write_text("outside\n")
    (repository / "uv.lock").write_text("top\n")
    deep = repository / "flows" / "deep"
    deep.mkdir(parents=True)

    top = read_lockfile(deep, repository, attempts)
    (repository / "flows" / "requirements.txt").write_text("numpy==2.0\n")
    near = read_lockfile(deep, repository, attempts)
    (repository / "uv.lock").unlink()
    none = read_lockfile(repository, repository, attempts)

    assert top is not None
    assert (top[0].path, top[1]) == ("uv.lock", b"top\n")
    assert near is not None
    assert (near[0].path, near[1]) == ("flows/requirements.txt", b"numpy==2.0\n")
    assert none is None


def test_a_lockfile_with_a_password_or_without_end_is_not_kept(tmp_path: Path, attempts: Attempts) -> None:
    """The warning says which, and not what was in it."""
    (tmp_path / "requirements.txt").write_text("# ghp_0123456789abcdefcanary\n")
    assert read_lockfile(tmp_path, None, attempts) is None
    (tmp_path / "uv.lock").write_bytes(b"x" * (SIZE_LIMIT + 1))
    assert read_lockfile(tmp_path, None, attempts) is None

    assert len(attempts.warnings) == 2
    assert "canary" not in "".join(attempts.warnings)


@pytest.mark.parametrize("name", ["pylock.toml", "pylock.dev.toml", "poetry.lock", "pdm.lock", "conda-lock.yml", "Pipfile.lock"])
def test_an_exact_lockfile_goes_before_a_list_of_wishes(tmp_path: Path, attempts: Attempts, name: str) -> None:
    """Where a folder has both. Packages whose names sound secret are usual."""
    exact = 'tokenizers = ">=0.21,<0.22"\nsecretstorage = ">=3.2.0"\n'
    (tmp_path / "requirements-train.txt").write_text("numpy\n")
    wishes = read_lockfile(tmp_path, None, attempts)
    (tmp_path / name).write_text(exact)
    found = read_lockfile(tmp_path, None, attempts)

    assert wishes is not None
    assert found is not None
    assert (wishes[0].path, found[0].path, found[1].decode()) == ("requirements-train.txt", name, exact)
    assert attempts.warnings == []


@pytest.mark.parametrize("user", ["ana:hunter2-canary", "hunter2-canary"])
def test_a_lockfile_is_kept_without_the_password_of_an_index(tmp_path: Path, attempts: Attempts, user: str) -> None:
    """The user of ssh stays, which is part of where a package comes from."""
    (tmp_path / "requirements.txt").write_text(f"--index-url https://{user}@packages.corp/simple\nx @ git+ssh://git@host/x.git\n")

    found = read_lockfile(tmp_path, None, attempts)

    assert found is not None
    assert found[1] == b"--index-url https://packages.corp/simple\nx @ git+ssh://git@host/x.git\n"
    assert attempts.warnings == ["lockfile: requirements.txt was kept without the users and passwords in its addresses"]


def test_the_hardware_is_told(attempts: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processor, usable cores, memory, and what decides about numbers."""
    import numpy  # noqa: F401

    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    seen = read_environment(attempts)

    assert seen.cpu
    assert seen.cpu_count is not None
    assert seen.cpu_count >= 1
    assert seen.memory_bytes is not None
    assert seen.memory_bytes > 1 << 28
    assert seen.libraries["OMP_NUM_THREADS"] == "3"
    assert seen.libraries["blas"]


def test_an_accelerator_is_asked_of_the_program_of_its_driver(
    attempts: Attempts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Where nothing else tells. One that hangs costs its own field."""
    from flowreg.lineage import hardware

    monkeypatch.setattr(hardware, "_of_torch", list)
    monkeypatch.setattr(hardware, "_asked", {})
    monkeypatch.setattr(hardware, "_of_driver", list)
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\nprintf 'NVIDIA H100\\nNVIDIA H100\\n'\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert read_environment(attempts).accelerators == ("NVIDIA H100", "NVIDIA H100")

    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\nexec sleep 60\n")
    assert read_environment(attempts).accelerators == ("NVIDIA H100", "NVIDIA H100"), "it is asked once a process"
    monkeypatch.setattr(hardware, "_asked", {})
    short = Attempts(time.monotonic() + 1)
    assert read_environment(short).accelerators == ()
    assert any("accelerators" in warning for warning in short.warnings)


def test_seeds_are_set_and_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same seed gives the same numbers, and the run says which it was."""
    import numpy

    monkeypatch.setattr("flowreg.lineage.seeds._set", OrderedDict())

    done = flowreg.seed_all(41)
    first = (random.random(), numpy.random.rand())
    flowreg.seed_all(41)

    assert (random.random(), numpy.random.rand()) == first
    assert done["random"] == done["numpy"] == 41
    assert capture().run.seeds["numpy"] == 41


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, "7"])
def test_what_is_no_seed_is_refused(seed: object) -> None:
    """Before anything is seeded."""
    with pytest.raises(BadInput, match="is no seed"):
        flowreg.seed_all(seed)  # type: ignore[arg-type]


def test_the_image_is_what_its_builder_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container does not know by itself what it was started from."""
    monkeypatch.setenv("FLOWREG_IMAGE", "ana:hunter2@registry.corp/churn:7")
    monkeypatch.setenv("FLOWREG_IMAGE_DIGEST", "sha256:" + "a" * 64)

    run = capture().run

    assert (run.image, run.image_digest) == ("registry.corp/churn:7", "sha256:" + "a" * 64)


@pytest.mark.parametrize(
    ("variables", "environment", "said"),
    [
        ({"image": f"registry.corp/churn:7@sha256:{'b' * 64}"}, {}, ("registry.corp/churn:7", "sha256:" + "b" * 64)),
        ({"image": "churn:7"}, {"FLOWREG_IMAGE": "other:1"}, ("other:1", None)),
        ({"image": "{{ image }}"}, {"APPTAINER_CONTAINER": "/images/churn.sif"}, ("/images/churn.sif", None)),
        ({}, {"FLOWREG_IMAGE": "churn:7", "FLOWREG_IMAGE_DIGEST": "latest"}, ("churn:7", None)),
    ],
)
def test_the_image_is_taken_from_who_knows_it(
    variables: dict[str, str],
    environment: dict[str, str],
    said: tuple[str, str | None],
    monkeypatch: pytest.MonkeyPatch,
    attempts: Attempts,
) -> None:
    """The environment goes before the job variables; without a digest the record says that a tag may move."""
    for name in ("FLOWREG_IMAGE", "FLOWREG_IMAGE_DIGEST", "APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    found = read_image(variables, attempts)

    assert (found.get("image"), found.get("image_digest")) == said
    assert any("a tag may move" in warning for warning in attempts.warnings) == (said[1] is None)


def test_podman_tells_its_containers(attempts: Attempts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image and its id; any other container can only be told that it is one."""
    monkeypatch.setattr(image, "_PODMAN", tmp_path / "containerenv")
    monkeypatch.setattr(image, "_SIGNS", (str(tmp_path),))

    assert read_image({}, attempts) == {}
    (tmp_path / "containerenv").write_text(f'engine="podman-4"\nimage="quay.io/churn:7"\nimageid="{"cd" * 32}"\n')
    assert read_image({}, attempts) == {"image": "quay.io/churn:7", "image_digest": "sha256:" + "cd" * 32}
    assert [warning.partition(";")[0] for warning in attempts.warnings] == ["image: this is a container, but of which image is not known"]


def test_a_package_from_elsewhere_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit of a repository without the password it was fetched with; a local folder without its path."""
    for name, said in {
        "vcs": '{"url":"https://ana:hunter2@host/x.git","vcs_info":{"vcs":"git","commit_id":"abc123"}}',
        "editable": '{"url":"file:///home/ana/secret","dir_info":{"editable":true}}',
        "broken": "{",
        "plain": None,
    }.items():
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        if said is not None:
            (folder / "direct_url.json").write_text(said)
    monkeypatch.setattr("sys.path", [str(tmp_path)])

    assert installed_packages().decode().splitlines() == [
        "broken==1.0", "editable==1.0 @ local", "plain==1.0", "vcs==1.0 @ git+https://host/x.git@abc123",
    ]  # fmt: skip


def test_capture_names_every_blob_that_it_brings(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each digest in the run is that of one of the blobs, and the other way round."""
    import hashlib

    (repository / "uv.lock").write_text("numpy\n")
    (repository / "train.py").write_text("changed\n")
    git(repository, "add", "uv.lock")
    (repository / "new.py").touch()
    monkeypatch.chdir(repository)

    captured = capture(budget_s=60)

    run = captured.run
    assert run.git is not None
    assert run.environment is not None
    assert run.environment.lockfile is not None
    named = {run.git.diff, run.git.untracked, run.environment.packages, run.environment.lockfile.digest}
    assert named == {f"sha256:{hashlib.sha256(blob).hexdigest()}" for blob in captured.blobs}


def test_a_seed_that_was_set_before_the_run_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the process outside of any run; what another run had set does not."""
    monkeypatch.setattr("flowreg.lineage.seeds._set", OrderedDict())
    flowreg.seed_all(1)
    for run, seed in (("run-a", 5), ("run-b", 6)):
        monkeypatch.setenv("PREFECT__FLOW_RUN_ID", run)
        before = capture().run.seeds["random"]
        flowreg.seed_all(seed)

        assert (before, capture().run.seeds["random"]) == (1, seed)


def test_torch_is_seeded_where_it_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was drawn once is drawn again."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr("flowreg.lineage.seeds._set", OrderedDict())
    drawn = []
    for _ in range(2):
        assert flowreg.seed_all(3)["torch"] == 3
        drawn.append(torch.rand(1).item())

    assert drawn[0] == drawn[1]
