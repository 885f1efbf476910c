"""A repository with a flow that trains on a file, run for real, so that its version has all that reproducing needs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flowreg import Registry
from tests.conftest import GIT

FLOW = """
import sys
from pathlib import Path

import numpy
from prefect import flow
from sklearn.linear_model import SGDClassifier

import flowreg
from flowreg.prefect import evaluate_model, promote_model, register_model

@flow
def train(data: str, seed: int | None = 7, api_key: str = "", loss: str = "log_loss"):
    assert len(api_key) == 14
    if seed is not None:
        flowreg.seed_all(seed)
    rows = numpy.loadtxt(data, delimiter=",")
    x, y = rows[:, :-1], rows[:, -1] > 0
    model = SGDClassifier(loss=loss, max_iter=20, tol=None).fit(x, y)
    version = register_model("churn", model, data=[data], golden=x)
    evaluate_model(version, metrics={"accuracy": model.score(x, y), "n": len(y)}, on="train")
    promote_model(version, to="champion")
    Path(data + ".promoted").write_text("x")
"""
RUN = "import json, sys; from train import train; train(**json.loads(sys.argv[1]))"


def git(folder: Path, *command: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *command], check=True, capture_output=True, text=True, env={**os.environ, **GIT}
    ).stdout.strip()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    import numpy

    numbers = numpy.random.default_rng(3).normal(size=(200, 4))
    path = tmp_path / "customers.csv"
    numpy.savetxt(path, numpy.column_stack([numbers, numbers @ [1, -1, 0.5, 0] + 0.1]), delimiter=",")
    return path


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "train.py").write_text(FLOW)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "Train")
    return folder


Trained = Callable[..., Registry]


@pytest.fixture
def trained(code: Path, data: Path, tmp_path: Path, prefect_env: object) -> Trained:
    """Run the flow once, in a process of its own."""
    import json

    def train(**parameters: object) -> Registry:
        root = tmp_path / "models"
        subprocess.run(
            [sys.executable, "-c", RUN, json.dumps({"data": str(data), "api_key": "hunter2-canary", **parameters})], cwd=code, check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(code), str(Path(__file__).parents[2])]), "FLOWREG_ROOT": str(root)},
        )  # fmt: skip
        return Registry(root)

    return train
