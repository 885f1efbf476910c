"""Each metric is what scikit-learn says it is, weighted or not."""

import numpy as np
import pytest
from sklearn import metrics

from flowreg.gates.statistics import queries, values, whole
from flowreg.gates.statistics.estimate import Unreliable


def data(ties=8):
    rng = np.random.default_rng(1)
    truth = rng.random(500) < 0.3
    score = np.round(1 / (1 + np.exp(-rng.normal(size=500) - truth)), ties)
    return truth, score, score > 0.55


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ties", [1, 8])
@pytest.mark.parametrize(
    ("recipe", "theirs"),
    [
        ("roc_auc", metrics.roc_auc_score),
        ("pr_auc", metrics.average_precision_score),
        ("f1", metrics.f1_score),
        ("precision", metrics.precision_score),
        ("balanced_accuracy", metrics.balanced_accuracy_score),
        ("rmse", metrics.root_mean_squared_error),
    ],
)
def test_a_metric_of_all_examples_is_scikit_learns(recipe, theirs, ties, weighted):
    """Also when examples count more than once or not at all, as they do in a resample."""
    truth, score, pred = data(ties)
    given = score if recipe in ("roc_auc", "pr_auc", "rmse") else pred
    weights = np.random.default_rng(2).integers(0, 4, 500) if weighted else np.ones(500)

    assert whole.statistic(recipe, truth, given)(weights) == pytest.approx(theirs(truth, given, sample_weight=weights))


@pytest.mark.parametrize(
    ("recipe", "theirs"),
    [
        ("accuracy", metrics.accuracy_score),
        ("recall", metrics.recall_score),
        ("log_loss", metrics.log_loss),
        ("brier", metrics.brier_score_loss),
        ("mae", metrics.mean_absolute_error),
        ("mse", metrics.mean_squared_error),
        ("specificity", lambda y, p: metrics.recall_score(~y, ~p)),
        ("fnr", lambda y, p: 1 - metrics.recall_score(y, p)),
        ("fpr", lambda y, p: 1 - metrics.recall_score(~y, ~p)),
    ],
)
def test_a_mean_over_examples_is_scikit_learns(recipe, theirs):
    """The mean of the values of the examples that count."""
    truth, score, pred = data()
    given = score if recipe in ("log_loss", "brier", "mae", "mse") else pred
    counted = values.counted(recipe, truth)
    found = values.per_example(recipe, truth, given)

    assert found[slice(None) if counted is None else counted].mean() == pytest.approx(theirs(truth, given))


def test_wape_is_all_errors_over_all_that_was_sold():
    """A weight counts in both sums."""
    wape = whole.statistic("wape", np.array([10.0, 0.0, 5.0]), np.array([8.0, 1.0, 5.0]))

    assert wape(np.ones(3)) == pytest.approx(3 / 15)
    assert wape(np.array([1, 0, 2])) == pytest.approx(2 / 20)


@pytest.mark.parametrize("at", [None, 5])
def test_ndcg_is_scikit_learns(at):
    """For each query, with ties; a query without anything relevant has no value."""
    rng = np.random.default_rng(3)
    query = rng.permutation(np.repeat(np.arange(40), 8))
    relevance = np.where(query == 0, 0, rng.integers(0, 4, 320)).astype(float)
    score = np.round(rng.normal(size=320) + relevance)
    found = queries.ndcg(relevance, score, query, at)

    assert np.isnan(found[0])
    assert found[1:] == pytest.approx([metrics.ndcg_score([relevance[query == q]], [score[query == q]], k=at) for q in range(1, 40)])


@pytest.mark.parametrize(
    ("recipe", "truth", "given", "reason"),
    [
        ("recall", [0, 1, 2], [0, 1, 1], "y has to be 0 or 1"),
        ("recall", ["a", "b", "a"], [0, 1, 1], "y has to be 0 or 1"),
        ("recall", [0, 1, 1], [0.2, 0.9, 0.4], "pred has to be 0 or 1"),
        ("accuracy", ["a", "b", "a"], [0, 1, 1], "never equal"),
        ("brier", [0, 1, 1], [0.1, 1.2, 0.3], "score is no probability"),
        ("log_loss", [0, 1, 1], ["a", "b", "c"], "is text"),
        ("mae", [1.5, 2, 3], ["a", "b", "c"], "is text"),
    ],
)
def test_what_does_not_fit_a_metric_is_refused(recipe, truth, given, reason):
    """The reason names the column."""
    with pytest.raises(Unreliable, match=reason):
        values.per_example(recipe, np.array(truth), np.array(given))


@pytest.mark.parametrize(("yes", "no", "refused"), [(50, 50, False), (49, 5000, True), (5000, 49, True), (5000, 0, True), (0, 20, True)])
def test_fewer_than_fifty_of_a_class_are_refused(yes, no, refused):
    """Of either class, however many there are of the other."""
    truth = np.repeat([1, 0], [yes, no])
    if refused:
        with pytest.raises(Unreliable, match="50 needed"):
            values.refuse_few("roc_auc", truth)
    else:
        values.refuse_few("roc_auc", truth)


def test_fewer_than_fifty_examples_are_refused():
    """Also of a metric that has no classes."""
    values.refuse_few("mae", np.linspace(0, 1, 50))
    with pytest.raises(Unreliable, match="there are 49 examples, 50 needed"):
        values.refuse_few("mae", np.linspace(0, 1, 49))
