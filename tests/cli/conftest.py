"""A command line in this process: what it printed, and its exit code; a registry to look at; a snapshot of every byte below a folder."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from flowreg.cli.app import run
from flowreg.cli.here import Here
from flowreg.cli.paint import Screen
from flowreg.gates import Policy
from flowreg.registry import Registry

POLICY = {
    "policy": "churn-prod",
    "models": ["churn"],
    "alias": "champion",
    "dataset": "holdout",
    "no_baseline": "skip",
    "override": {"by": ["ana"]},
    "gates": ["auc >= 0.85", "auc >= champion.auc - 0.005", {"expr": "recall[region=*] >= 0.70", "why": "Policy 4.5"}],
}


@dataclass(frozen=True)
class Answer:
    """What one command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err)


Cli = Callable[..., Answer]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The folder of the registry; it does not exist yet."""
    return tmp_path / "registry"


@pytest.fixture
def cli(place: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """``cli("show", "churn@1")`` as actor ana; ``terminal`` is the width of a terminal, if a person looks."""
    monkeypatch.setenv("FLOWREG_ACTOR", "ana")

    def ask(*argv: str, terminal: int | None = None, root: str | None = None) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        screens = [Screen(stream, terminal is not None, terminal) for stream in (out, err)]
        code = run([*argv, "--root", root or str(place)], here=Here(*screens, now=datetime.now(UTC)))
        return Answer(code, out.getvalue(), err.getvalue())

    return ask


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(b"the bytes of a model")
    return path


@pytest.fixture
def churn(place: Path, model_file: Path) -> Registry:
    """A registry with a policy, ``churn@1`` as champion, and ``churn@2``, which its gates will not let pass."""
    registry = Registry(place, actor="ben")
    registry.set_policy(Policy.parse(POLICY))
    good = {"region=south": {"recall": 0.71}, "region=north": {"recall": 0.80}}
    registry.register(
        "churn", model_file, metrics={"auc": 0.87, "n": 4000}, on="holdout", slices=good, params={"depth": 6}, labels={"team": "risk"}
    )
    registry.promote("churn@1", to="champion", because="the first")
    model_file.write_bytes(b"other bytes")
    bad = {"region=south": {"recall": 0.69}, "region=north": {"recall": 0.80}}
    registry.register("churn", model_file, metrics={"auc": 0.90}, on="holdout", slices=bad, because="try [region=*] again")
    registry.flush()
    return registry


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    path = tmp_path / "churn.yaml"
    path.write_text(json.dumps(POLICY))
    return path


@pytest.fixture
def unproven() -> Iterator[str]:
    """A root on a filesystem of which nobody knows whether it creates a file for one writer only."""

    class Unproven(MemoryFileSystem):
        protocol = "unproven"
        store: ClassVar[dict[str, Any]] = {}
        pseudo_dirs: ClassVar[list[str]] = [""]

    fsspec.register_implementation("unproven", Unproven, clobber=True)
    yield "unproven://registry"
    assert Unproven.store == {}


def every_byte(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder below ``folder``, with the bytes of the files."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}
