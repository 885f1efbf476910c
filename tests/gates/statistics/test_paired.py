"""The paired t bound and the permutation test, against scipy."""

import numpy as np
import pytest
from scipy.stats import permutation_test, ttest_1samp, ttest_rel

from flowreg.gates.statistics import paired
from flowreg.gates.statistics.estimate import Unreliable


def test_it_is_scipys_paired_t_test():
    """Bounds and p-values equal those of ``ttest_rel``."""
    rng = np.random.default_rng(1)
    candidate, baseline = rng.normal(0.1, 1, 300), rng.normal(0, 1, 300)
    estimate = paired.compare(candidate - baseline, alpha=0.05, bounded=False)
    theirs = ttest_rel(candidate, baseline)

    assert (estimate.low, estimate.high) == pytest.approx(tuple(theirs.confidence_interval(0.90)))
    assert estimate.p_better == pytest.approx(ttest_rel(candidate, baseline, alternative="greater").pvalue)
    assert estimate.p_worse == pytest.approx(ttest_rel(candidate, baseline, alternative="less").pvalue)


def test_the_permutation_is_scipys():
    """The p-value is that of ``permutation_test`` with the same seed, and near that of the t test."""
    differences = np.random.default_rng(2).normal(0.12, 1, 200)
    estimate = paired.permute(differences, seed=5, draws=2000)
    theirs = permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=2000, alternative="greater", rng=np.random.default_rng(5)
    )  # fmt: skip

    assert estimate.p_better == theirs.pvalue
    assert estimate.p_better == pytest.approx(ttest_1samp(differences, 0, alternative="greater").pvalue, abs=0.02)
    assert estimate.p_worse > 0.5
    assert (estimate.low, estimate.high, estimate.seed) == (None, None, 5)


def test_one_difference_for_all_says_nothing_about_chance():
    """Without spread there is no bound, also where rounding makes a little."""
    for constant in (0.0, 0.25, 0.1 + 1e-13 * np.arange(100)):
        with pytest.raises(Unreliable, match="the same for every example"):
            paired.compare(np.zeros(100) + constant, alpha=0.05, bounded=False)


def test_agreement_of_a_bounded_loss_is_bounded():
    """Two models with equal Brier losses on all of 1,000 examples may still differ by three in a thousand."""
    assert paired.compare(np.zeros(1000), alpha=0.05, bounded=True).low == pytest.approx(-3 / 1000, rel=0.01)


def test_a_few_bad_failures_are_refused():
    """Thirty large losses among ten thousand are too few for a normal bound, as many large gains are not in the way, but five are."""
    differences = np.random.default_rng(3).normal(0, 0.001, 10_000)
    differences[:30] -= 1

    with pytest.raises(Unreliable, match=r"the equivalent of only (29|30) examples"):
        paired.compare(differences, alpha=0.05, bounded=True)
    assert paired.compare(-differences, alpha=0.05, bounded=True).low > 0
    differences[5:30] = 0
    with pytest.raises(Unreliable, match="the equivalent of only 5 examples, 10 needed"):
        paired.compare(-differences, alpha=0.05, bounded=True)
