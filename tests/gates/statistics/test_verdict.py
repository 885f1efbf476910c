"""From bounds to verdicts, Holm's correction, and how many more examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowreg.errors import BadInput
from flowreg.gates.statistics.estimate import Estimate
from flowreg.gates.statistics.holm import adjusted
from flowreg.gates.statistics.known import known
from flowreg.gates.statistics.verdict import verdict


def estimate(low, difference, high, n=1000, p_better=0.5, p_worse=0.5):
    return Estimate(difference, low, high, p_better, p_worse, n)


@pytest.mark.parametrize(
    ("test", "low", "difference", "high", "finding", "needed"),
    [
        ("non_inferiority", -0.003, 0.001, 0.005, "pass", None),
        ("non_inferiority", -0.004, 0.001, 0.005, "inconclusive", 1000),
        ("non_inferiority", -0.009, 0.001, 0.011, "inconclusive", 4000),
        ("non_inferiority", -0.010, -0.004, 0.002, "inconclusive", None),
        ("non_inferiority", -0.010, -0.007, -0.0041, "fail", None),
        ("superiority", 0.0001, 0.001, 0.002, "pass", None),
        ("superiority", 0.0, 0.001, 0.002, "inconclusive", 1000),
        ("superiority", -0.002, 0.001, 0.004, "inconclusive", 9000),
        ("superiority", -0.002, -0.001, 0.004, "inconclusive", None),
        ("superiority", -0.004, -0.002, -0.001, "fail", None),
        ("no_harm", -0.9, -0.5, 0.0, "pass", None),
        ("no_harm", -0.9, -0.5, -0.0001, "fail", None),
    ],
)
def test_a_verdict_follows_from_the_bounds(test, low, difference, high, finding, needed):
    """A bound on the limit is not beyond it; what is inconclusive says how many examples, or that none would do."""
    said = verdict(test, estimate(low, difference, high), margin=0.004 if test == "non_inferiority" else 0.0, alpha=0.05)

    assert said.finding == finding
    assert said.needed == (None if needed is None else pytest.approx(needed, abs=1))


def test_without_bounds_the_p_values_decide():
    """A permutation gives p-values only."""
    better, worse, neither = ({"p_better": a, "p_worse": b} for a, b in ((0.01, 0.99), (0.99, 0.01), (0.3, 0.7)))

    assert [verdict("superiority", estimate(None, 0.1, None, **p), margin=0, alpha=0.05).finding for p in (better, worse, neither)] == [
        "pass", "fail", "inconclusive",
    ]  # fmt: skip
    assert [verdict("no_harm", estimate(None, 0.1, None, **p), margin=0, alpha=0.05).finding for p in (better, worse, neither)] == [
        "pass", "fail", "pass",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        # R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm"); and the example of Wikipedia's "Holm-Bonferroni method".
        ([0.01, 0.02, 0.03, 0.04, 0.05], [0.05, 0.08, 0.09, 0.09, 0.09]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.03], [0.03]),
        ([], []),
    ],
)
def test_holm_gives_the_published_values(p_values, expected):
    """Adjusted p-values stand in the order they were given."""
    assert adjusted(p_values) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_is_between_nothing_and_bonferroni(p_values):
    """Never below the p-value itself, never above all times it."""
    for p, corrected in zip(p_values, adjusted(p_values), strict=True):
        assert p <= corrected <= min(1, len(p_values) * p) + 1e-12


def test_a_metric_nobody_knows_needs_a_direction():
    """Unknown metrics say which way is better; known ones may not say the wrong one."""
    assert known("log_loss", None).sign == -1
    assert known("reward", "higher").form == "column"
    assert (known("ndcg@10", None).at, known("ndcg", "higher").at) == (10, None)
    with pytest.raises(BadInput, match="is more 'reward' better"):
        known("reward", None)
    with pytest.raises(BadInput, match="of brier, lower is better"):
        known("brier", "higher")
