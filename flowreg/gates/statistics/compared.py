"""One comparison of two sides on paired examples: the values of the metric, and the estimate of their difference."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from . import delong, paired, queries, resample, tango, values, whole
from .arrays import Array, Statistic
from .estimate import ENOUGH, Estimate, Unreliable, agreement
from .known import Known, Method


@dataclass(frozen=True, slots=True)
class Examples:
    """The truth, and what each side gave for the same examples, in the same order; ``clusters`` are numbered from 0."""

    truth: Array
    candidate: Array
    baseline: Array
    clusters: Array | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """The value of each side as the metric is defined, and the difference turned so that more is better."""

    candidate: float
    baseline: float
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Plan:
    """How to compare: ``alpha`` is that of each bound."""

    known: Known
    method: Method
    alpha: float
    seed: int


class _Way(Protocol):
    def __call__(self, examples: Examples, plan: Plan) -> Compared: ...


def compare(examples: Examples, plan: Plan) -> Compared:
    """Compare, or raise ``Unreliable`` with the reason why not."""
    values.refuse_few(plan.known.recipe, examples.truth)
    if examples.clusters is not None and (count := int(examples.clusters.max()) + 1) < ENOUGH:
        raise Unreliable(f"there are {count:,} clusters, {ENOUGH} needed")
    with np.errstate(all="ignore"):  # what is not finite is refused below
        found = _WAYS[plan.known.form](examples, plan)
    estimate = found.estimate
    if not all(math.isfinite(x) for x in (found.candidate, found.baseline, estimate.difference, estimate.low or 0, estimate.high or 0)):
        raise Unreliable("a number in it becomes too large, or has no value")
    return found


def _mean(examples: Examples, plan: Plan) -> Compared:
    recipe, counted = plan.known.recipe, values.counted(plan.known.recipe, examples.truth)
    candidate, baseline = (values.per_example(recipe, examples.truth, side) for side in (examples.candidate, examples.baseline))
    clusters = examples.clusters
    if counted is not None:
        candidate, baseline = candidate[counted], baseline[counted]
        clusters = clusters[counted] if clusters is not None else None
    differences = plan.known.sign * (candidate - baseline)
    bounded = plan.known.form == "rate" or recipe == "brier"
    return Compared(float(candidate.mean()), float(baseline.mean()), _mean_estimate(differences, clusters, plan, bounded=bounded))


def _mean_estimate(differences: Array, clusters: Array | None, plan: Plan, *, bounded: bool) -> Estimate:
    n = len(differences)
    match plan.method:
        case "tango":
            return tango.compare(int((differences > 0).sum()), int((differences < 0).sum()), n, alpha=plan.alpha)
        case "t":
            return paired.compare(differences, alpha=plan.alpha, bounded=bounded)
        case "permutation":
            return paired.permute(differences, seed=plan.seed, draws=resample.DRAWS)
        case _:
            if bounded and not differences.any():
                return agreement(plan.alpha, n, n if clusters is None else len(np.unique(clusters)))
            return _bootstrap(lambda weights: float(weights @ differences / weights.sum()), n, clusters, plan)


def _ranks(examples: Examples, plan: Plan) -> Compared:
    if plan.method == "bootstrap":
        return _whole(examples, plan)
    positive = values.positives(examples.truth)
    candidate, baseline = (delong.placements(positive, values.numbers(side, "score")) for side in (examples.candidate, examples.baseline))
    estimate = delong.compare(positive, candidate, baseline, alpha=plan.alpha)
    return Compared(float(candidate[positive].mean()), float(baseline[positive].mean()), estimate)


def _counts(examples: Examples, plan: Plan) -> Compared:
    if examples.clusters is not None or _agree(examples):
        return _whole(examples, plan)
    table = np.bincount(whole.kinds(examples.truth, examples.candidate, examples.baseline), minlength=8)
    candidate, baseline = (float(value) for value in whole.of_kinds(plan.known.recipe, table))
    drawn = np.subtract(*whole.of_kinds(plan.known.recipe, resample.draw_tables(table, seed=plan.seed)))
    estimate = resample.bounds(candidate - baseline, drawn, alpha=plan.alpha, n=len(examples.truth), seed=plan.seed)
    return Compared(candidate, baseline, estimate)


def _whole(examples: Examples, plan: Plan) -> Compared:
    recipe, n, sign = plan.known.recipe, len(examples.truth), plan.known.sign
    of_candidate, of_baseline = (whole.statistic(recipe, examples.truth, side) for side in (examples.candidate, examples.baseline))
    candidate, baseline = of_candidate(np.ones(n)), of_baseline(np.ones(n))
    if recipe in values.CLASS_METRICS and _agree(examples):
        rarer = int(min(np.unique(examples.truth, return_counts=True)[1]))
        fewest = rarer if examples.clusters is None else min(rarer, int(examples.clusters.max()) + 1)
        return Compared(candidate, baseline, agreement(plan.alpha, n, fewest, fewest))
    estimate = _bootstrap(lambda weights: sign * (of_candidate(weights) - of_baseline(weights)), n, examples.clusters, plan)
    return Compared(candidate, baseline, estimate)


def _queries(examples: Examples, plan: Plan) -> Compared:
    if examples.clusters is None:
        raise Unreliable("ndcg needs cluster: the column that names the query")
    candidate, baseline = (
        queries.ndcg(examples.truth, side, examples.clusters, plan.known.at) for side in (examples.candidate, examples.baseline)
    )
    asked = ~np.isnan(candidate)
    differences = (candidate - baseline)[asked]
    if len(differences) < ENOUGH:
        raise Unreliable(f"there are {len(differences):,} queries with something relevant, {ENOUGH} needed")
    return Compared(float(candidate[asked].mean()), float(baseline[asked].mean()), _mean_estimate(differences, None, plan, bounded=True))


def _bootstrap(statistic: Statistic, n: int, clusters: Array | None, plan: Plan) -> Estimate:
    drawn = resample.draw_differences(statistic, n=n, clusters=clusters, seed=plan.seed)
    return resample.bounds(statistic(np.ones(n)), drawn, alpha=plan.alpha, n=n, seed=plan.seed)


def _agree(examples: Examples) -> bool:
    return bool(np.array_equal(examples.candidate, examples.baseline))


_WAYS: dict[str, _Way] = {
    "rate": _mean, "mean": _mean, "column": _mean, "ranks": _ranks, "counts": _counts, "whole": _whole, "queries": _queries,
}  # fmt: skip
