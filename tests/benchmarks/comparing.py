"""A ``compare`` gate over a million paired examples, against one sort of their scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from flowreg.gates import Facts, PerExample, Policy, Subject, judge
from flowreg.gates.examples.table import Table, checked

from .ratio import Benchmark, stopwatch


def auc(folder: Path, *, rows: int = 1_000_000) -> Benchmark:
    """DeLong, both tables in the same order."""
    return _benchmark("roc_auc", rows, shuffled=False)


def auc_shuffled(folder: Path, *, rows: int = 1_000_000) -> Benchmark:
    """DeLong, the champion's table in another order, so that it is paired by sorting ids."""
    return _benchmark("roc_auc", rows, shuffled=True)


def recall(folder: Path, *, rows: int = 1_000_000) -> Benchmark:
    """Tango."""
    return _benchmark("recall", rows, shuffled=False)


def brier(folder: Path, *, rows: int = 1_000_000) -> Benchmark:
    """The paired t."""
    return _benchmark("brier", rows, shuffled=False)


def f1(folder: Path, *, rows: int = 1_000_000) -> Benchmark:
    """The bootstrap of 2,000 tables of eight counts."""
    return _benchmark("f1", rows, shuffled=False)


def _benchmark(metric: str, rows: int, *, shuffled: bool) -> Benchmark:
    rng = np.random.default_rng(0)
    truth = rng.random(rows) < 0.2
    tables = [_table(rng, truth, noise) for noise in (0.5, 0.6)]
    if shuffled:
        order = rng.permutation(rows)
        tables[1] = checked({name: column[order] for name, column in tables[1].columns.items()})
    gate = {"check": "compare", "metric": metric, "test": "non_inferiority", "margin": 0.01}
    policy = Policy(policy="p", models=["churn"], alias="champion", dataset="holdout", gates=[gate])
    digest = "sha256:" + "0" * 64
    subjects = [_subject(number, digest, table) for number, table in zip((7, 5), tables, strict=True)]
    facts = Facts("churn", "champion", *subjects, 0, "", "", "ana", "1", "0")

    def floor() -> float:
        with stopwatch() as clock:
            np.sort(tables[0].columns["score"])
        return clock.elapsed_s

    def ours() -> float:
        with stopwatch() as clock:
            decision = judge(policy, digest, facts)
        assert decision.results[0].n
        return clock.elapsed_s

    return Benchmark(f"compare {metric} of {rows:,}{' shuffled' if shuffled else ''}", 10.0, floor, ours)


def _table(rng: np.random.Generator, truth: np.ndarray, noise: float) -> Table:
    score = 1 / (1 + np.exp(1 - truth * 2 - noise * rng.normal(size=len(truth)) - rng.normal(size=len(truth))))
    return checked({"id": np.arange(len(truth)), "y": truth.astype(int), "score": score, "pred": (score > 0.5).astype(int)})


def _subject(number: int, manifest: str, table: Table) -> Subject:
    return Subject(f"churn@{number}", number, manifest, examples=(PerExample("holdout", manifest, lambda: table, len(table), 1),))
