"""A process that has just started: the first answer, with all the imports it takes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from flowreg import Registry

from .ratio import Benchmark, stopwatch

BARE_LOAD = """
import hashlib, sys
import fsspec
from pydantic import BaseModel
with fsspec.open(sys.argv[1], "rb") as file:
    hashlib.sha256(file.read()).hexdigest()
"""
OUR_LOAD = """
import sys
import flowreg.serving as serving
serving.load("churn@champion", root=sys.argv[1], trust=True)
"""
BARE_COMMAND = """
import fsspec
from pydantic import BaseModel
import rich.console, rich.table
import cyclopts
"""


def load(folder: Path, *, size_bytes: int = 1 << 20) -> Benchmark:
    """Resolve and load a model against a bare script that imports fsspec and pydantic, reads the file and hashes it."""
    model = folder / "model.pkl"
    model.write_bytes(pickle.dumps(os.urandom(size_bytes)))
    root = _registry(folder, model)
    return Benchmark("cold process: serving.load of 1 MiB", 1.5, _process("-c", BARE_LOAD, str(model)), _process("-c", OUR_LOAD, str(root)))


def list_models(folder: Path) -> Benchmark:
    """``flowreg ls`` against importing what a command line like it is made of."""
    model = folder / "model.pkl"
    model.write_bytes(pickle.dumps("small"))
    root = _registry(folder, model)
    return Benchmark(
        "cold process: flowreg ls", 1.5, _process("-c", BARE_COMMAND), _process("-m", "flowreg.cli", "--root", str(root), "ls")
    )


def _registry(folder: Path, model: Path) -> Path:
    registry = Registry(folder / "registry")
    registry.register("churn", model, trust="pickle")
    registry.promote("churn@1", to="champion")
    registry.flush()
    return folder / "registry"


def _process(*arguments: str) -> Callable[[], float]:
    def once() -> float:
        with stopwatch() as clock:
            subprocess.run([sys.executable, *arguments], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return clock.elapsed_s

    return once
