"""What the tests of the formats share: real models, and libraries that may be missing."""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="session")
def needs() -> Callable[..., ModuleType]:
    """``needs("torch", extra="torch")``: the module, or a skip that says how to install it; a failure where all is required."""

    def imported(module: str, *, extra: str) -> ModuleType:
        try:
            return importlib.import_module(module)
        except ImportError:
            line = f'needs {module}: pip install "flowreg[{extra}]"'
            if os.environ.get("FLOWREG_REQUIRE_ALL") == "1":
                pytest.fail(line)
            pytest.skip(line)

    return imported


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "artifact"
    path.mkdir()
    return path


@pytest.fixture
def saved_bytes(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """``saved_bytes(format, obj)``: what one more ``save`` writes, as file name to digest."""
    count = iter(range(1000))

    def save(found: Any, obj: Any) -> dict[str, str]:
        into = tmp_path / f"saved-{next(count)}"
        into.mkdir()
        found.save(obj, into)
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(into.iterdir())}

    return save


@pytest.fixture(scope="session")
def breast_cancer(needs: Callable[..., ModuleType]) -> tuple[Any, Any]:
    """569 real patients, 30 measurements."""
    return needs("sklearn.datasets", extra="sklearn").load_breast_cancer(return_X_y=True)
