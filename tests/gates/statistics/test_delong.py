"""DeLong: the published numbers, the definition by pairs, and its sorting."""

import numpy as np
import pytest
from scipy.stats import norm, rankdata
from sklearn.metrics import roc_auc_score

from flowreg.gates.statistics import delong
from flowreg.gates.statistics.estimate import Unreliable

# 113 patients of Turck and others, Intensive Care Medicine 36 (2010) 107: a poor outcome, and two markers of which only the order is kept.
POOR = "00001101001011001011101000000000100110110000000001100010001010011101101111000110100000010000000000001111110001000"
WFNS = "11113254125255125225211112121134214541425511241125521251222151125214524414121421232421451154221113125225552445111"
S100B = """11 12 8 2 11 8 36 14 16 8 10 8 33 44 2 6 38 2 5 27 7 7 5 9 5 15 5 9 11 17 3 14 31 12 28 29 37 7 49 21 39 35 14 5 32 34 9 6 7 48
    40 6 4 11 50 8 12 13 5 4 46 3 7 25 1 7 2 19 43 7 23 44 6 22 6 14 7 11 8 6 9 27 9 24 5 8 26 18 5 3 20 30 8 13 6 12 8 5 2 17 41 12 42
    26 47 45 13 36 15 33 13 39 37"""
NDKA = """1 27 23 42 82 61 8 66 76 9 78 83 5 28 67 86 49 79 97 105 98 104 100 31 10 56 13 11 108 62 35 36 38 84 4 72 90 22 17 25 14 33 65
    21 74 101 18 16 58 69 2 30 19 64 109 95 91 39 87 53 41 106 12 48 55 70 80 93 63 34 89 24 107 76 43 45 75 6 33 3 88 81 60 30 47 85 46
    7 54 20 37 44 96 26 57 63 102 51 59 29 32 99 52 73 103 50 94 40 71 77 92 15 68"""

# Of the tests of R's pROC (github.com/xrobin/pROC, tests/testthat/test-roc.test.R): Z, two-sided p, and the 95 % interval.
PUBLISHED = {
    ("wfns", "s100b"): (2.20898359144091, 0.0271757822291882, 0.0104061769564846, 0.174214419249478),
    ("wfns", "ndka"): (2.79777591868904, 0.00514557970691098, 0.0634011709339876, 0.3600405634833566),
    ("ndka", "s100b"): (-1.39077002573558, 0.164295175223054, -0.2876917446341914, 0.0488706064228094),
}


def patients():
    numbers = {"wfns": list(WFNS), "s100b": S100B.split(), "ndka": NDKA.split()}
    return np.array(list(POOR)) == "1", {name: np.array(values, dtype=int) for name, values in numbers.items()}


def compared(positive, candidate, baseline, alpha=0.05):
    return delong.compare(positive, delong.placements(positive, candidate), delong.placements(positive, baseline), alpha=alpha)


@pytest.mark.parametrize(("first", "second"), PUBLISHED)
def test_it_gives_the_published_numbers(first, second):
    """Z, p and interval equal those that pROC publishes, to twelve digits."""
    positive, markers = patients()
    z, p, low, high = PUBLISHED[first, second]
    estimate = compared(positive, markers[first], markers[second], alpha=0.025)

    assert (estimate.low, estimate.high) == pytest.approx((low, high), rel=1e-12)
    assert 2 * min(estimate.p_better, estimate.p_worse) == pytest.approx(p, rel=1e-9)
    assert norm.ppf(estimate.p_worse) == pytest.approx(z, rel=1e-9)


@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_placements_are_the_midranks_of_sun_and_xu(decimals):
    """One sort along both classes gives what three rankings give, with many ties, some and none."""
    rng = np.random.default_rng(1)
    positive = rng.random(300) < 0.3
    score = np.round(rng.normal(size=300) + positive, decimals)
    all_ranks, m, n = rankdata(score), positive.sum(), (~positive).sum()
    expected = np.empty(300)
    expected[positive] = (all_ranks[positive] - rankdata(score[positive])) / n
    expected[~positive] = 1 - (all_ranks[~positive] - rankdata(score[~positive])) / m

    placed = delong.placements(positive, score)

    assert placed == pytest.approx(expected)
    assert placed[positive].mean() == pytest.approx(roc_auc_score(positive, score))
    assert placed[~positive].mean() == pytest.approx(roc_auc_score(positive, score))


def test_two_that_order_alike_are_bounded_by_how_often_they_could_have_differed():
    """Agreement on every example is no proof: the bound is the rule of three, not zero."""
    positive = np.arange(1000) < 100
    score = np.random.default_rng(2).normal(size=1000)
    estimate = compared(positive, score, 3 * score)

    assert estimate.difference == 0
    assert estimate.low == -estimate.high == pytest.approx(-(3 / 100 + 3 / 900), rel=0.02)


def test_a_difference_that_rests_on_few_examples_is_refused():
    """Where a dozen positives fail and all else is alike, a normal bound would be too narrow."""
    rng = np.random.default_rng(3)
    positive = np.arange(4000) < 2000
    baseline = rng.normal(size=4000) + 2 * positive
    candidate = np.where(np.arange(4000) < 12, -9.0, baseline)

    with pytest.raises(Unreliable, match=r"the equivalent of only 1[0-9] examples"):
        compared(positive, candidate, baseline)
