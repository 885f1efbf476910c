"""flowreg.formats.xgboost: boosters and their scikit-learn wrappers."""

from __future__ import annotations

import json
import sys

import numpy
import pytest

from flowreg.errors import BadInput, Corrupt
from flowreg.formats.xgboost import XGBoost


@pytest.fixture
def xgboost(needs):
    needs("sklearn", extra="sklearn")
    return needs("xgboost", extra="xgboost")


@pytest.fixture
def table(needs, breast_cancer):
    """The patients with named columns, one of them categories."""
    pandas = needs("pandas", extra="demo")
    columns, target = breast_cancer
    table = pandas.DataFrame(columns[:, :4], columns=["radius", "texture", "perimeter", "area"])
    table["size"] = pandas.Categorical(numpy.where(columns[:, 0] > 14, "large", "small"))
    return table, target


WRAPPERS = {
    "XGBClassifier": {"n_estimators": 5},
    "XGBRegressor": {"n_estimators": 5, "missing": 0.0, "learning_rate": numpy.float32(0.25)},
    "XGBRFClassifier": {"n_estimators": 5, "missing": float("inf")},
    "XGBRFRegressor": {"n_estimators": 5},
    "XGBRanker": {"n_estimators": 5},
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapper_comes_back_as_its_own_class_with_the_same_predictions(name, xgboost, breast_cancer, folder):
    """Class, parameters that matter for predictions, and predictions to the last bit."""
    columns, target = breast_cancer
    columns = numpy.where(columns < 0.02, 0.0, columns)  # zeros, so that missing=0.0 makes a difference
    model = getattr(xgboost, name)(**WRAPPERS[name])
    model.fit(columns, target, **({"qid": numpy.zeros(len(target))} if name == "XGBRanker" else {}))

    XGBoost().save(model, folder)
    loaded = XGBoost().load(folder, trust=False)

    assert type(loaded) is type(model)
    assert numpy.array_equal(loaded.predict(columns), model.predict(columns))
    assert numpy.array_equal(loaded.get_params()["missing"], model.get_params()["missing"], equal_nan=True)


def test_columns_categories_and_classes_survive(xgboost, table, folder):
    """The names of the columns, the categories, the classes and the probabilities."""
    columns, target = table
    model = xgboost.XGBClassifier(n_estimators=5, enable_categorical=True).fit(columns, target)

    XGBoost().save(model, folder)
    loaded = XGBoost().load(folder, trust=False)

    assert loaded.get_booster().feature_names == list(columns.columns)
    assert loaded.classes_.tolist() == [0, 1]
    assert numpy.array_equal(loaded.predict_proba(columns), model.predict_proba(columns))
    with pytest.raises(ValueError, match="feature_names mismatch"):
        loaded.predict(columns[["texture", "radius", "perimeter", "area", "size"]])


def test_early_stopping_is_remembered(xgboost, breast_cancer, folder):
    """Predictions stop at the best iteration, as before."""
    columns, target = breast_cancer
    model = xgboost.XGBClassifier(n_estimators=200, early_stopping_rounds=2)
    model.fit(columns[:300], target[:300], eval_set=[(columns[300:], target[300:])], verbose=False)

    XGBoost().save(model, folder)
    loaded = XGBoost().load(folder, trust=False)

    assert model.best_iteration < model.get_booster().num_boosted_rounds() - 1
    assert loaded.best_iteration == model.best_iteration
    assert numpy.array_equal(loaded.predict_proba(columns), model.predict_proba(columns))


def test_a_booster_comes_back_as_a_booster(xgboost, breast_cancer, folder):
    """One file, no wrapper, its attributes and predictions."""
    matrix = xgboost.DMatrix(*breast_cancer)
    booster = xgboost.train({"objective": "binary:logistic"}, matrix, 5)
    booster.set_attr(note="mine")

    XGBoost().save(booster, folder)
    loaded = XGBoost().load(folder, trust=False)

    assert [path.name for path in folder.iterdir()] == ["model.ubj"]
    assert loaded.attr("note") == "mine"
    assert numpy.array_equal(loaded.predict(matrix), booster.predict(matrix))


def test_one_model_has_one_digest_and_is_left_as_it_was(xgboost, table, saved_bytes, folder):
    """Saved twice, fitted again, loaded and saved again: the same bytes; the model itself gains nothing."""
    columns, target = table

    def fit():
        return xgboost.XGBClassifier(n_estimators=5, enable_categorical=True, random_state=0, n_jobs=1).fit(columns, target)

    model = fit()
    XGBoost().save(model, folder)
    loaded = XGBoost().load(folder, trust=False)

    first, *others = (saved_bytes(XGBoost(), each) for each in (model, model, fit(), loaded))

    assert others == [first] * 3
    assert model.get_booster().attributes() == {}


def test_what_json_cannot_hold_does_not_stop_the_save(xgboost, breast_cancer, folder):
    """A function given as objective is for training; predictions need none."""
    columns, target = breast_cancer
    model = xgboost.XGBRegressor(n_estimators=3, objective=lambda true, guess: (guess - true, numpy.ones_like(guess))).fit(columns, target)

    XGBoost().save(model, folder)

    assert json.loads((folder / "wrapper.json").read_text()) == {"class": "XGBRegressor", "params": {"n_estimators": 3}}
    assert numpy.array_equal(XGBoost().load(folder, trust=False).predict(columns), model.predict(columns))


def test_an_unfitted_or_foreign_model_is_refused(xgboost, folder):
    """There is nothing to save in the one, and no class to give back for the other."""
    mine = type("Mine", (xgboost.XGBClassifier,), {"__module__": "mine"})

    with pytest.raises(BadInput, match="not fitted"):
        XGBoost().save(xgboost.XGBClassifier(), folder)
    assert XGBoost().can_save(mine()) == 0
    with pytest.raises(BadInput, match=r"mine\.Mine is no XGBoost model"):
        XGBoost().save(mine(), folder)
    assert not list(folder.iterdir())


def test_damaged_bytes_are_corrupt(xgboost, breast_cancer, folder):
    """Wherever they are cut off: there XGBoost itself would read on behind the end, and now and then end the process."""
    booster = xgboost.train({}, xgboost.DMatrix(*breast_cancer), 2)
    XGBoost().save(booster, folder)
    raw = (folder / "model.ubj").read_bytes()

    for damaged in (b"", b"x", b"{}", raw + b"}", *(raw[:size] for size in range(1, len(raw), 7))):
        (folder / "model.ubj").write_bytes(damaged)
        with pytest.raises(Corrupt, match=r"model\.ubj cannot be read by xgboost") as failed:
            XGBoost().load(folder, trust=False)
        assert "Stack trace" not in str(failed.value)


@pytest.mark.parametrize("name", ["Booster", "DMatrix", "os", "XGBModel", 3])
def test_only_known_classes_are_looked_up(name, xgboost, breast_cancer, folder):
    """A crafted wrapper.json names no other attribute of the library."""
    XGBoost().save(xgboost.train({}, xgboost.DMatrix(*breast_cancer), 2), folder)
    (folder / "wrapper.json").write_text(json.dumps({"class": name, "params": {}}))

    with pytest.raises(Corrupt, match=r"wrapper\.json names"):
        XGBoost().load(folder, trust=True)


def test_without_xgboost_the_error_says_what_to_install(folder, monkeypatch):
    """A missing extra is a line to copy."""
    (folder / "model.ubj").write_bytes(b"{")
    monkeypatch.setitem(sys.modules, "xgboost", None)

    with pytest.raises(BadInput, match=r'(?s)needs xgboost.*pip install "flowreg\[xgboost\]"'):
        XGBoost().load(folder, trust=False)
