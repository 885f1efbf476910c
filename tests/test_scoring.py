"""Scoring models on a holdout: the numbers, by slice, for each example; the same data for both sides of a comparison."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from flowreg import BadInput, Policy, Refused, Registry
from flowreg.gates.examples import read
from flowreg.scoring import Holdout, evaluate_on

numpy = pytest.importorskip("numpy", reason="pip install 'flowreg[sklearn]'")
pytest.importorskip("sklearn", reason="pip install 'flowreg[sklearn]'")


def holdout(rows: int = 400, **more: Any) -> Holdout:
    """One feature that tells the class most of the time, more often in the north."""
    chance = numpy.random.default_rng(7)
    target = chance.integers(0, 2, rows)
    region = numpy.where(chance.random(rows) < 0.5, "north", "south")
    noise = chance.normal(0, numpy.where(region == "north", 0.3, 1.5))
    return Holdout("holdout", numpy.column_stack([target + noise, chance.normal(size=rows)]), target, columns={"region": region}, **more)


def model(column: int = 0) -> Any:
    """A classifier that looks at one column."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    data = holdout()
    made = make_pipeline(FunctionTransformer(_first if column == 0 else _second), LogisticRegression())
    return made.fit(data.features, data.target)


def _first(x: Any) -> Any:
    return x[:, :1]


def _second(x: Any) -> Any:
    return x[:, 1:]


def test_the_numbers_are_those_of_scikit_learn() -> None:
    """Over all, and by slice, with how many examples; several scorers at once."""
    from sklearn.metrics import roc_auc_score

    data, fitted = holdout(), model()
    scored = evaluate_on(data, ["roc_auc", "accuracy"], slices=["region"])(fitted)

    scores, north = fitted.predict_proba(data.features)[:, 1], data.columns["region"] == "north"
    assert scored.metrics["roc_auc"] == pytest.approx(roc_auc_score(data.target, scores))
    assert scored.metrics["accuracy"] == pytest.approx((fitted.predict(data.features) == data.target).mean())
    assert scored.metrics["n"] == 400
    assert set(scored.slices) == {(("region", "north"),), (("region", "south"),)}
    assert scored.slices[("region", "north"),]["roc_auc"] == pytest.approx(roc_auc_score(data.target[north], scores[north]))
    assert sum(values["n"] for values in scored.slices.values()) == 400


def test_the_examples_are_a_table_that_gates_read() -> None:
    """Id, truth, score, decision and the slice; the same examples are the same bytes."""
    data = holdout(ids=[f"c{n}" for n in range(400)])
    scored = evaluate_on(data, "roc_auc", slices=["region"])(model())

    with scored.examples_file() as first, scored.examples_file() as second:
        assert first is not None
        assert second is not None
        table, same = read(first.read_bytes()), first.read_bytes() == second.read_bytes()

    assert same
    assert set(table.columns) == {"id", "y", "score", "pred", "region"}
    assert len(table) == 400
    assert table.columns["id"][:2].tolist() == ["c0", "c1"]


def test_a_slice_with_one_class_is_not_a_number_and_not_left_out() -> None:
    """So that a gate over all regions blocks on it."""
    data = holdout()
    region = numpy.where(numpy.arange(400) == 0, "tiny", data.columns["region"])

    scored = evaluate_on(Holdout("h", data.features, data.target, columns={"region": region}), "roc_auc", slices=["region"])(model())

    assert math.isnan(scored.slices[("region", "tiny"),]["roc_auc"])
    assert scored.slices[("region", "tiny"),]["n"] == 1


def test_own_scorers_and_models_of_any_kind() -> None:
    """A function of model, features and truth; ``predict`` gives the scores of the examples."""
    data = Holdout("h", [[1.0], [0.0]], [1, 0], ids=[10, 11])
    scoring = evaluate_on(data, {"hits": lambda m, x, y: sum(m(x) == y)}, predict=lambda m, x: m(numpy.asarray(x)))

    scored = scoring(lambda x: x[:, 0])

    assert scored.metrics == {"n": 2, "hits": 2.0}
    assert scored.examples is not None
    assert scored.examples["score"].tolist() == [1.0, 0.0]
    assert evaluate_on(data, {"hits": lambda m, x, y: 0.0})(object()).examples is None


def test_the_digest_is_that_of_the_content() -> None:
    """Any change of features, truth, ids or slices is another dataset; the same again, also as a data frame of the same, is not."""
    pandas = pytest.importorskip("pandas")
    data = holdout()
    frame = pandas.DataFrame({"x": data.features[:, 0], "kind": ["a"] * 400})
    others = [
        Holdout("holdout", data.features + 1e-9, data.target, columns=data.columns),
        Holdout("holdout", data.features, 1 - data.target, columns=data.columns),
        Holdout("holdout", data.features, data.target, columns=data.columns, ids=list(range(1, 401))),
        Holdout("holdout", data.features, data.target),
        Holdout("holdout", frame, data.target),
        Holdout("holdout", frame.assign(kind="b"), data.target),
    ]

    digests = [each.dataset.digest for each in (data, *others)]

    assert len(set(digests)) == len(digests)
    assert holdout().dataset == data.dataset
    assert Holdout("holdout", frame.copy(), data.target).dataset.digest == digests[5]


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (lambda: evaluate_on(holdout(), "auc"), "no scorer 'auc'"),
        (lambda: evaluate_on(holdout(), 3), "3 is no scorer"),  # type: ignore[arg-type]
        (lambda: evaluate_on("holdout", "roc_auc"), "no Holdout"),  # type: ignore[arg-type]
        (lambda: evaluate_on(holdout(), "roc_auc", slices=["age"])(model()), "no column 'age'"),
        (lambda: evaluate_on(Holdout("h", [[0]], [0], columns={"c": ["x"]}), "accuracy", slices=["d"])(model()), "it has c"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked: Any, what: str) -> None:
    """With what there is."""
    with pytest.raises(BadInput, match=what):
        asked()


def test_both_sides_are_measured_on_the_same_data(tmp_path: Path) -> None:
    """The gate that compares had nothing to compare with before, and passes then; examples and slices are recorded for both."""
    registry = Registry(tmp_path / "r")
    registry.register("churn", model(1), trust="pickle")
    registry.promote("churn@1", to="champion")
    registry.register("churn", model(0), trust="pickle")
    registry.set_policy(Policy.parse("{policy: p, models: [churn], alias: champion, gates: [roc_auc > champion.roc_auc]}"))
    scoring = evaluate_on(holdout(), "roc_auc", slices=["region"])

    with pytest.raises(Refused):
        registry.evaluate_on("churn@2", scoring, also="champion")  # a pickle that nobody trusts
    assert registry.get("churn@2").evaluations == ()
    candidate, champion = registry.evaluate_on("churn@2", scoring, also="champion", trust=True)

    assert (candidate.ref, champion.ref) == ("churn@2", "churn@1")
    assert candidate.dataset_digest == champion.dataset_digest == holdout().dataset.digest
    assert candidate.examples
    assert [row["slice"] for row in registry.slices(champion)] == [{"region": "north"}, {"region": "south"}]
    assert registry.promote("churn@2", to="champion").how == "promotion"
    assert len(registry.evaluate_on("churn@2", scoring, also="champion", trust=True)) == 1
