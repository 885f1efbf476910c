"""Judging fifty expression gates over ten thousand recorded values, against reading and parsing those values from the disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from flowreg import Policy, tables
from flowreg.core.codec import encode
from flowreg.core.given import slices
from flowreg.gates import Facts, Measured, Subject, judge
from flowreg.storage import blobs
from flowreg.storage.store import Store, open_store

from .ratio import Benchmark, stopwatch

DIGEST = "sha256:" + "0" * 64


def judging(folder: Path, *, gates: int = 50, values: int = 10_000) -> Benchmark:
    """As flowreg reads them: the blob, its digest, each row checked."""
    store, digest = _stored(folder, values)
    return Benchmark(f"judge {gates} gates over {values} values", 1.0, lambda: _read(folder, digest), _judged(store, digest, gates))


def judging_against_json(folder: Path, *, gates: int = 50, values: int = 10_000) -> Benchmark:
    """Against a floor that only reads a file and parses it with the standard library."""
    store, digest = _stored(folder, values)
    path = folder / "values.json"
    path.write_bytes(blobs.get(store, digest, what="values"))

    def floor() -> float:
        with stopwatch() as clock:
            json.loads(path.read_bytes())
        return clock.elapsed_s

    return Benchmark("  the same, against json.loads alone", None, floor, _judged(store, digest, gates))


def _read(folder: Path, digest: str) -> float:
    store = open_store(folder / "registry", None)
    with stopwatch() as clock:
        tables.slice_rows(store, digest, "churn@1")
    return clock.elapsed_s


def _judged(store: Store, digest: str, gates: int) -> Callable[[], float]:
    """The judgement from the values as they are gathered to the decision."""
    rows = tables.slice_rows(store, digest, "churn@1")
    measured = tuple(Measured(row["metric"], row["value"], "holdout", DIGEST, tuple(row["slice"].items()), row["n"], 1) for row in rows)
    policy = Policy(
        policy="many", models=["churn"], alias="champion", dataset="holdout",
        gates=[f"m{place % 20}[store=s{place}] >= champion.m{place % 20}[store=s{place}] - 0.5" for place in range(gates)],
    )  # fmt: skip
    mine, theirs = (Subject(f"churn@{number}", number, DIGEST, measured) for number in (2, 1))
    facts = Facts(
        model="churn", alias="champion", candidate=mine, holder=theirs, generation=1, asked_at="2026-11-22T09:00:00.000Z",
        expires_at="2026-11-23T09:00:00.000Z", asked_by="ana", decision_id="1", flowreg_version="0",
    )  # fmt: skip
    assert judge(policy, DIGEST, facts).outcome == "promote"

    def ours() -> float:
        with stopwatch() as clock:
            judge(policy, DIGEST, facts)
        return clock.elapsed_s

    return ours


def _stored(folder: Path, values: int) -> tuple[Store, str]:
    """Twenty metrics in as many slices as it takes, as an evaluation stores them."""
    store = open_store(folder / "registry", None)
    by_slice = {f"store=s{s}": {f"m{m}": 0.5 + m / 100 + s / 1e6 for m in range(20)} | {"n": 900} for s in range(max(values // 20, 50))}
    return store, blobs.put(store, encode({"rows": slices(by_slice)}))
