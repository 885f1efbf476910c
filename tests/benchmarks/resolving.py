"""Resolving an alias in a warm process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from flowreg import Registry
from flowreg.serving import Reader

from .ratio import Benchmark, stopwatch

ALIAS = "churn@champion"


def by_registry(folder: Path, *, times: int = 300) -> Benchmark:
    """``Registry.get`` against reading and parsing two small files."""
    registry = _registry(folder)
    return Benchmark("resolve an alias, warm: Registry.get", 3.0, _two_files(folder, times), _repeated(lambda: registry.get(ALIAS), times))


def by_reader(folder: Path, *, times: int = 300) -> Benchmark:
    """``Reader.resolve`` against reading and parsing two small files."""
    _registry(folder)
    reader = Reader(folder / "registry")
    return Benchmark(
        "resolve an alias, warm: Reader.resolve", 3.0, _two_files(folder, times), _repeated(lambda: reader.resolve(ALIAS), times)
    )


def _registry(folder: Path, *, versions: int = 20) -> Registry:
    registry = Registry(folder / "registry")
    for number in range(versions):
        model = folder / "model.bin"
        model.write_bytes(bytes([number]) * 100)
        registry.register("churn", model, metrics={"auc": 0.9}, on="holdout")
    registry.promote(f"churn@{versions}", to="champion")
    registry.flush()
    return registry


def _two_files(folder: Path, times: int) -> Callable[[], float]:
    """A head and the newest entry, as the registry wrote them."""
    journal = folder / "registry" / "models" / "churn" / "journal"
    paths = [str(folder / "registry" / "heads" / "churn.json"), str(max(journal.iterdir()))]

    def read() -> None:
        for path in paths:
            with open(path, "rb") as file:
                json.loads(file.read())

    return _repeated(read, times)


def _repeated(work: Callable[[], object], times: int) -> Callable[[], float]:
    def once() -> float:
        with stopwatch() as clock:
            for _ in range(times):
                work()
        return clock.elapsed_s / times

    return once
