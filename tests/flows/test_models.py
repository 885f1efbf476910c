"""The models: seeded, scored overall and by slice, and the same again after the registry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from flowreg import Registry
from flows.flights import FEATURES, TARGET, flights_before, flights_of
from flows.models import FAMILIES, SLICE_ROWS, score, train


@pytest.fixture(scope="module")
def window() -> pd.DataFrame:
    return flights_before("2013-06").sample(6000, random_state=1)


@pytest.fixture(scope="module")
def holdout() -> pd.DataFrame:
    return flights_of("2013-06")


class BySchedule:
    """Says that a flight is the likelier late the later it leaves: a model without training."""

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        late = 0.01 + 0.98 * frame["departs_minute"].to_numpy() / (24 * 60)
        return np.column_stack([1 - late, late])


def test_metrics_are_those_of_the_rows_they_name(holdout: pd.DataFrame) -> None:
    """Overall and for a slice, with the number of flights behind each."""
    metrics, slices = score(BySchedule(), holdout)

    assert metrics["n"] == len(holdout)
    assert metrics["auc"] == pytest.approx(roc_auc_score(holdout[TARGET], holdout["departs_minute"]))
    jfk = holdout[holdout["origin"] == "JFK"]
    assert slices["origin=JFK"]["n"] == len(jfk)
    assert slices["origin=JFK"]["auc"] == pytest.approx(roc_auc_score(jfk[TARGET], jfk["departs_minute"]))
    assert slices["origin=JFK"]["brier"] == pytest.approx(brier_score_loss(jfk[TARGET], BySchedule().predict_proba(jfk)[:, 1]))


def test_every_airport_and_every_larger_carrier_is_a_slice(holdout: pd.DataFrame) -> None:
    """Small carriers are left out: their AUC would say little."""
    _, slices = score(BySchedule(), holdout)
    sizes = holdout["carrier"].value_counts()

    assert {key for key in slices if key.startswith("origin=")} == {"origin=EWR", "origin=JFK", "origin=LGA"}
    assert {key for key in slices if key.startswith("carrier=")} == {f"carrier={name}" for name in sizes[sizes >= SLICE_ROWS].index}
    assert (sizes < SLICE_ROWS).any()


def test_a_slice_in_which_all_flights_fared_alike_is_left_out(holdout: pd.DataFrame) -> None:
    """It has no AUC."""
    lucky = holdout[(holdout["origin"] != "LGA") | (holdout[TARGET] == 0)]

    _, slices = score(BySchedule(), lucky)

    assert "origin=JFK" in slices
    assert "origin=LGA" not in slices


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_is_the_same_again_after_the_registry(family: str, window: pd.DataFrame, holdout: pd.DataFrame, tmp_path: Path) -> None:
    """It loads without trust, and gives every flight the probability it gave before."""
    model, registry = train(window, family=family), Registry(tmp_path / "registry")

    again = registry.load(registry.register("flight-delay", model))

    given = holdout[list(FEATURES)]
    np.testing.assert_array_equal(again.predict_proba(given), model.predict_proba(given))


@pytest.mark.parametrize("family", FAMILIES)
def test_training_twice_gives_the_same_version_content(family: str, window: pd.DataFrame, tmp_path: Path) -> None:
    """Training is seeded, so equal data are equal bytes."""
    registry = Registry(tmp_path / "registry")

    first, second = (registry.register("flight-delay", train(window, family=family)) for _ in range(2))

    assert first.number != second.number
    assert first.digest == second.digest


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_learns_something(family: str, window: pd.DataFrame, holdout: pd.DataFrame) -> None:
    """Six thousand flights are enough to do better than the timetable alone."""
    assert score(train(window, family=family), holdout)[0]["auc"] > score(BySchedule(), holdout)[0]["auc"] + 0.01


def test_an_unknown_family_is_named(window: pd.DataFrame) -> None:
    """The error says which there are."""
    with pytest.raises(ValueError, match="linear, boosted"):
        train(window, family="oracle")
