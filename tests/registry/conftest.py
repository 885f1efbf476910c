"""Registries on a local folder, with files to register."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from flowreg import Policy, Registry


@pytest.fixture
def artifact(tmp_path: Path) -> Callable[[str], Path]:
    """``artifact("text")``: a file with these contents, always named ``model.bin``."""

    def made(text: str) -> Path:
        path = tmp_path / "artifacts" / text / "model.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "registry"


@pytest.fixture
def registry(folder: Path) -> Registry:
    return Registry(folder, actor="ana")


@pytest.fixture
def three(registry: Registry, artifact: Callable[[str], Path]) -> Registry:
    """``churn`` with three versions, measured on ``holdout``, each better than the one before; nobody holds an alias."""
    for number, auc in enumerate([0.7, 0.8, 0.9], start=1):
        registry.register("churn", artifact(f"v{number}"), metrics={"auc": auc, "n": 100}, on="holdout")
    return registry


def policy(*gates: str, **head: Any) -> Policy:
    """Protects the champion of ``churn``; for a first champion there is nothing to compare with."""
    said: dict[str, Any] = {"policy": "basic", "models": ["churn"], "alias": "champion", "dataset": "holdout", "no_baseline": "skip"}
    return Policy.parse({**said, "gates": list(gates or ("auc >= 0.75",)), **head})


def everything(folder: Path) -> Mapping[str, bytes]:
    """Every file below a folder, with its bytes."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()} if folder.exists() else {}
