"""Writes the golden registry of format 1: ``python -m tests.golden.make_v1 FOLDER``. Run once; the result is never made again."""

from __future__ import annotations

import itertools
import socket
import sys
from pathlib import Path

from flowreg import Dataset, GateBlocked, Policy, Registry, ids
from flowreg.core.events import Environment, Git, Run

POLICY = Policy(
    policy="flights-basic", models=["flights"], alias="champion", dataset="july", no_baseline="skip",
    override={"by": ["ana"]}, gates=["auc >= 0.60", "auc >= champion.auc - 0.005", "recall[carrier=*] >= 0.30"],
)  # fmt: skip


def write(folder: Path) -> None:
    """A small registry with one of everything that format 1 knows."""
    _freeze_time_and_chance()
    registry = Registry(folder, actor="ana")
    run = Run(
        flow="train", flow_run="0199a0de-0000-7000-8000-000000000001", deployment="train/nightly", parameters={"month": "2013-07"},
        git=Git(commit="9e1c2f0", branch="main", dirty=False), environment=Environment(python="3.11.7"),
    )  # fmt: skip
    common = {"on": Dataset(name="july", digest="sha256:" + "ab" * 32), "trust": "pickle"}
    registry.register(
        "flights", {"weights": [0.5, 1e-7, 1e21]}, run=run, metrics={"auc": 0.71, "n": 20000}, params={"depth": 6, "seed": None},
        slices={"carrier=UA": {"recall": 0.41, "n": 900}}, labels={"team": "ops"},
        data=[Dataset("s3://lake/flights.parquet", role="train", rows=80000)], because="first", **common,
    )  # fmt: skip
    registry.set_policy(POLICY, because="go-live")
    registry.promote("flights@1", to="champion")
    registry.register("flights", {"weights": [0.6]}, metrics={"auc": float("nan")}, parents=["flights@1"], key="weekly-31", **common)
    _blocked(registry, "flights@2")
    registry.promote("flights@2", to="champion", override="hotfix 17")
    registry.rollback("flights@champion", because="it predicts NaN", keep=True)
    registry.retire("flights@2", because="diverged")
    registry.register("flights", {"weights": [0.7]}, metrics={"auc": 0.72}, slices={"carrier=UA": {"recall": 0.5}}, **common)
    registry.promote("flights@3", to="champion", because="summer")
    registry.promote("flights@1", to="previous")
    registry.label("flights@3", {"team": "ops", "reviewed": "yes"})
    registry.restore("flights@2", because="kept for study")
    registry.register("Risk/Überfall", {"w": 1}, trust="pickle")
    journal = folder / "models/flights/journal"
    (journal / f"{len(list(journal.glob('*.json'))) + 1:020d}.json").write_bytes(b'{"torn":')
    Registry(folder, actor="ben").register("flights", {"weights": [0.8]}, trust="pickle", because="after a torn write")
    registry.flush()


def _blocked(registry: Registry, ref: str) -> None:
    try:
        registry.promote(ref, to="champion")
    except GateBlocked:
        return
    raise AssertionError("a NaN must block")


def _freeze_time_and_chance() -> None:
    ticks, numbers = itertools.count(), itertools.count(1)
    ids.now = lambda: f"2026-11-22T09:{next(ticks):02d}:00.000Z"  # type: ignore[assignment]
    ids.new_id = lambda: f"0199a0de-0000-7000-8000-{next(numbers):012x}"  # type: ignore[assignment]
    socket.gethostname = lambda: "golden"  # type: ignore[assignment]


if __name__ == "__main__":
    write(Path(sys.argv[1]))
