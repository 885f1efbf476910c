"""The drift gate reads a comparison of profiles; where there is none it blocks."""

import math

import pytest

from flowreg.gates.facts import Drifted

GATE = {"check": "drift", "window": "7d", "max_features": 1, "psi": 0.2}
WEEK = 7 * 86400


def ask(bench, *drifted):
    return bench.decide(GATE, bench.subject(7, {}, drifted=drifted)).results[0]


def test_few_drifted_features_pass_and_many_fail(bench):
    """Those above the limit are counted and named, the worst first."""
    assert ask(bench, Drifted(WEEK, {"age": 0.31, "city": 0.2, "income": 0.01})).status == "pass"
    failed = ask(bench, Drifted(WEEK, {"age": 0.31, "city": 0.25, "income": 0.01}))

    assert failed.status == "fail"
    assert failed.sentence == "2 of 3 features drifted over 7d (psi above 0.2): age 0.31, city 0.25; at most 1 may"
    assert failed.headroom == -1.0


@pytest.mark.parametrize("drifted", [(), (Drifted(86400, {"age": 0.0}),), (Drifted(WEEK, {}),), (Drifted(WEEK, {"age": math.nan}),)])
def test_drift_that_was_not_measured_blocks(bench, drifted):
    """No comparison, one of another window, an empty one, and one that is no number are errors."""
    assert ask(bench, *drifted).status == "error"


def test_the_newest_comparison_counts(bench):
    """A later one replaces an earlier one."""
    assert ask(bench, Drifted(WEEK, {"a": 9.0, "b": 9.0}, order=1), Drifted(WEEK, {"a": 0.0}, order=2)).status == "pass"
