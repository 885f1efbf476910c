"""The bootstrap: it is scipy's, repeats with its seed, and draws clusters whole."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from flowreg.gates.statistics import resample, whole
from flowreg.gates.statistics.estimate import Unreliable


def estimate_of(differences, clusters=None, seed=0, draws=2000):
    def mean(weights):
        return float(weights @ differences / weights.sum())

    drawn = resample.draw_differences(mean, n=len(differences), clusters=clusters, seed=seed, draws=draws)
    return resample.bounds(float(differences.mean()), drawn, alpha=0.05, n=len(differences), seed=seed)


def test_its_bounds_are_those_of_scipy():
    """The percentile bounds agree with ``scipy.stats.bootstrap`` within what 20,000 draws leave to chance."""
    differences = np.random.default_rng(1).gamma(2, 1, 200)
    theirs = bootstrap((differences,), np.mean, confidence_level=0.90, method="percentile", n_resamples=20_000, rng=2).confidence_interval
    estimate = estimate_of(differences, draws=20_000)

    assert (estimate.low, estimate.high) == pytest.approx((theirs.low, theirs.high), abs=0.006)


def test_the_seed_repeats_it():
    """The same seed gives the same numbers, another seed others."""
    differences = np.random.default_rng(1).normal(size=200)

    assert estimate_of(differences, seed=7) == estimate_of(differences, seed=7)
    assert estimate_of(differences, seed=7) != estimate_of(differences, seed=8)


def test_clusters_are_drawn_as_a_whole():
    """Ten equal rows of a customer count as one: the interval is as wide as that of one row for each."""
    of_customers = np.random.default_rng(4).normal(size=200)
    alone = estimate_of(of_customers)
    rows = estimate_of(np.repeat(of_customers, 10), clusters=np.repeat(np.arange(200), 10))
    naive = estimate_of(np.repeat(of_customers, 10))

    assert rows.high - rows.low == pytest.approx(alone.high - alone.low, rel=1e-9)
    assert naive.high - naive.low < 0.4 * (rows.high - rows.low)


def test_drawing_tables_is_drawing_examples():
    """What is drawn from the eight kinds of example has the law of what is drawn example by example."""
    rng = np.random.default_rng(5)
    truth, baseline = rng.random(400) < 0.4, rng.random(400) < 0.4
    candidate = np.where(rng.random(400) < 0.3, truth, baseline)
    table = np.bincount(whole.kinds(truth, candidate, baseline), minlength=8)
    by_table = np.subtract(*whole.of_kinds("f1", resample.draw_tables(table, seed=1, draws=20_000)))
    f1 = [whole.statistic("f1", truth, side) for side in (candidate, baseline)]
    by_example = resample.draw_differences(lambda w: f1[0](w) - f1[1](w), n=400, clusters=None, seed=2, draws=5_000)
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]

    assert np.subtract(*whole.of_kinds("f1", table)) == pytest.approx(f1[0](np.ones(400)) - f1[1](np.ones(400)))
    assert np.quantile(by_table, levels) == pytest.approx(np.quantile(by_example, levels), abs=0.004)


@pytest.mark.parametrize(
    ("drawn", "reason"), [([0.1, np.nan], "have no value"), ([0.1, np.inf], "have no value"), ([0.1, 0.1], "the same in every resample")]
)
def test_draws_without_value_or_spread_are_refused(drawn, reason):
    """A resample without a value, or all the same, bounds nothing."""
    with pytest.raises(Unreliable, match=reason):
        resample.bounds(0.1, np.array(drawn * 50), alpha=0.05, n=100, seed=0)
