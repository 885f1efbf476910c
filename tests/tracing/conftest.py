"""A registry with a family of models: a file, a base model, what was made from it, and who was champion when."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from flowreg import Dataset, Registry, ids
from flowreg.core.events import Run
from flowreg.storage.hashing import digest_of_path
from tests.lineage.graph.histories import run

LAKE = "s3://lake/customers.parquet"


class Family(NamedTuple):
    """``file`` holds the bytes of the dataset at ``LAKE``; ``folder`` is the registry's."""

    registry: Registry
    folder: Path
    file: Path


def made_by(id: str, **said: str) -> Run:
    return run(id, **said)  # type: ignore[arg-type]


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Family:
    """A life with one step a minute, from 09:00 on."""
    moment = iter(range(60))
    monkeypatch.setattr(ids, "now", lambda: f"2026-11-22T09:{next(moment):02d}:00.000Z")
    file = tmp_path / "customers.parquet"
    file.write_bytes(b"rows of customers")
    registry = Registry(tmp_path / "registry", actor="ana")
    lake = Dataset(LAKE, digest=digest_of_path(file), role="train", rows=12)
    first, second = made_by("1", commit="3fa9c1" + "0" * 34, deployment="retrain/nightly"), made_by("2", commit="3fb0" + "0" * 36)

    def register(model: str, weights: int, **said: object) -> None:
        registry.register(model, {"w": weights}, trust="pickle", **said)  # type: ignore[arg-type]

    register("base", 1, data=[lake], run=first)  # 00 creates the registry, 01
    register("churn", 2, parents=["base@1"], run=second, metrics={"auc": 0.9}, on="holdout")  # 02, 03
    registry.promote("churn@1", to="champion")  # 04
    register("churn", 3, data=[lake, "s3://lake/more.parquet"])  # 05
    registry.promote("churn@2", to="champion")  # 06
    register("risk/score", 4, parents=["churn@1"])  # 07, 08
    registry.retire("churn@1", because="leaks")  # 09
    registry.flush()
    return Family(registry, tmp_path / "registry", file)
