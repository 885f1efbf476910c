"""How often a good candidate is let through: the table of power, and what "more examples" promises."""

import numpy as np
import pytest
from scipy.stats import norm

from flowreg.gates.statistics import paired, tango
from flowreg.gates.statistics.verdict import needed, verdict

ALPHA = 0.05


def power_in_theory(n, *, difference, margin, variance):
    """Of a normal estimate: how often its lower bound is above ``-margin``."""
    return norm.cdf((difference + margin) * (n / variance) ** 0.5 - norm.ppf(1 - ALPHA))


# Equally good candidates that differ from the baseline on 4 % of all examples, a margin of one point: n and its power.
POWER = [(500, 0.30), (1000, 0.48), (2000, 0.72), (2500, 0.80), (4000, 0.94)]


@pytest.mark.parametrize(("n", "power"), POWER)
def test_the_power_of_tango(n, power):
    """To let an equally good candidate through four times in five takes 2,500 examples."""
    counts = np.random.default_rng(1).multinomial(n, [0.02, 0.02, 0.96], size=4000)[:, :2]
    kinds, times = np.unique(counts, axis=0, return_counts=True)
    passed = np.array([tango.compare(int(b), int(c), n, alpha=ALPHA).low > -0.01 for b, c in kinds]) @ times / 4000

    assert power_in_theory(n, difference=0, margin=0.01, variance=0.04) == pytest.approx(power, abs=0.01)
    assert passed == pytest.approx(power, abs=0.03)


@pytest.mark.parametrize(("n", "power"), [(400, 0.26), (1600, 0.64), (2473, 0.80), (6400, 0.99)])
def test_the_power_of_the_paired_t(n, power):
    """Losses that differ by one standard deviation, a margin of a twentieth of it."""
    rng = np.random.default_rng(2)
    passed = np.mean([paired.compare(rng.normal(size=n), alpha=ALPHA, bounded=False).low > -0.05 for _ in range(3000)])

    assert power_in_theory(n, difference=0, margin=0.05, variance=1) == pytest.approx(power, abs=0.01)
    assert passed == pytest.approx(power, abs=0.03)


def test_with_as_many_examples_as_were_asked_for_the_bound_is_at_the_margin():
    """If the difference stays what it was: repeated that often, the same examples settle it, and a tenth fewer do not."""
    differences = np.random.default_rng(3).normal(size=400)
    differences += 0.02 - differences.mean()
    margin = 0.05
    first = paired.compare(differences, alpha=ALPHA, bounded=False)
    wanted = needed(first, margin=margin)

    def again(n):
        values = np.resize(differences - differences.mean(), n)
        return paired.compare(values - values.mean() + first.difference, alpha=ALPHA, bounded=False)

    assert verdict("non_inferiority", first, margin=margin, alpha=ALPHA).finding == "inconclusive"
    assert verdict("non_inferiority", again(int(wanted * 1.1)), margin=margin, alpha=ALPHA).finding == "pass"
    assert verdict("non_inferiority", again(int(wanted * 0.9)), margin=margin, alpha=ALPHA).finding == "inconclusive"
