"""Tango's bound: published examples, McNemar's test, and its shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, norm

from flowreg.gates.statistics import tango


@pytest.mark.parametrize(
    ("better", "worse", "n", "level", "low", "high"),
    [
        # Fagerland, Lydersen and Laake, Statistics in Medicine 33 (2014) 2850: airway hyper-responsiveness before and after.
        (1, 7, 21, 0.95, -0.517, -0.026),
        # R's PropCIs::scoreci.mp(25, 28, 618, 0.90), which gives (c - b)/n.
        (28, 25, 618, 0.90, -0.0148, 0.0247),
    ],
)
def test_it_gives_the_published_intervals(better, worse, n, level, low, high):
    """A two-sided interval is two one-sided bounds."""
    estimate = tango.compare(better, worse, n, alpha=(1 - level) / 2)

    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=0.00051 if level == 0.95 else 0.000051)


def test_at_no_difference_it_is_mcnemars_test():
    """The one-sided p-value is half of that of McNemar's chi-squared."""
    estimate = tango.compare(40, 20, 160, alpha=0.05)

    assert 2 * estimate.p_better == pytest.approx(chi2.sf((40 - 20) ** 2 / 60, 1))
    assert estimate.p_better + estimate.p_worse == pytest.approx(1)


@pytest.mark.parametrize("n", [50, 200, 10_000])
def test_where_nobody_differs_the_bound_is_not_zero(n):
    """The closed form of that case, z squared over n plus z squared."""
    z2 = norm.ppf(0.95) ** 2

    assert tango.compare(0, 0, n, alpha=0.05).low == pytest.approx(-z2 / (n + z2))


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 500))
def test_bounds_enclose_the_difference_and_mirror(better, worse, alike):
    """Low, difference and high are in order, stay within -1 and 1, and swapping the sides turns them round."""
    n = better + worse + alike + 1
    one, other = tango.compare(better, worse, n, alpha=0.05), tango.compare(worse, better, n, alpha=0.05)

    assert -1 <= one.low <= one.difference <= one.high <= 1
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)


@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 500))
def test_a_failure_less_never_lowers_the_bound(better, worse, alike):
    """Of two candidates the one with fewer failures has the higher bound."""
    n = better + worse + alike

    assert tango.compare(better, worse - 1, n, alpha=0.05).low >= tango.compare(better, worse, n, alpha=0.05).low - 1e-12
