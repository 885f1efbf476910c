"""Per-example tables: what is read from NPZ and Parquet, what is refused, and how two are paired."""

import io
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest

from flowreg.errors import BadInput
from flowreg.gates.evidence import Unmeasurable
from flowreg.gates.examples import Table, read, table
from flowreg.gates.examples.pairing import Side, paired

GOOD = {"id": [3, 1, 2], "y": [0, 1, 1], "score": [0.2, 0.9, 0.4], "region": ["north", "süd", "north"]}


def npz(columns, save=np.savez_compressed):
    file = io.BytesIO()
    save(file, **columns)
    return file.getvalue()


def parquet(columns):
    return pd.DataFrame(columns).to_parquet(index=False)


def member(name, data):
    """A zip with one array whose bytes are given."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(f"{name}.npy", data)
    return file.getvalue()


def header(shape, descr="<f8"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue()


@pytest.mark.parametrize("write", [npz, parquet, lambda columns: npz(columns, np.savez)], ids=["npz", "parquet", "npz-stored"])
def test_a_table_is_read_as_it_was_written(write):
    """Numbers, text and booleans, whatever the kind of file."""
    found = read(write({**GOOD, "vip": [True, False, True], "small": np.array([1, 2, 3], dtype=np.float32)}))

    assert len(found) == 3
    assert {name: column.tolist() for name, column in found.columns.items()} == {
        **GOOD,
        "vip": [True, False, True],
        "small": [1.0, 2.0, 3.0],
    }
    assert found.columns["small"].dtype == np.float64


def test_categories_are_read_as_text():
    """As pandas writes a column with few values."""
    assert read(parquet({**GOOD, "region": pd.Categorical(GOOD["region"])})).columns["region"].tolist() == GOOD["region"]


@pytest.mark.parametrize("write", [npz, parquet])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "there is no column id"),
        ({"y": None}, "there is no column y"),
        ({"id": [1.0, 2.0, 3.0]}, "neither whole numbers nor text"),
        ({"id": [True, False, True]}, "neither whole numbers nor text"),
        ({"score": [0.2, np.inf, 0.4]}, "'score' has 1 values that are NaN or infinite, first for id 1"),
        ({"region": ["x" * 300, "", ""]}, "too long, 200 characters"),
    ],
)
def test_what_is_no_table_is_refused(write, change, reason):
    """The reason names the column, and the example."""
    columns = {name: values for name, values in (GOOD | change).items() if values is not None}

    with pytest.raises(BadInput, match=reason):
        read(write(columns))


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({**GOOD, "score": [0.2, np.nan, 0.4]}, "1 values that are NaN"),
        ({**GOOD, "score": [0.2]}, "'score' has 1 values, and id has 3"),
        ({"id": np.array([], dtype=int), "y": np.array([])}, "no example in it"),
        ({**GOOD, "score": np.zeros((3, 2))}, "has 2 dimensions"),
        ({**GOOD, "when": np.array(["2026-01-01"] * 3, dtype="datetime64[s]")}, "whole numbers, floats, booleans or text"),
        ({**GOOD, "z": np.array([1j, 2, 3])}, "complex128"),
        ({**GOOD, "region": np.array(["a", "b", None], dtype=object)}, "an array of objects"),
    ],
)
def test_arrays_that_are_no_columns_are_refused(columns, reason):
    """NPZ can hold more than a table can."""
    with pytest.raises(BadInput, match=reason) as caught:
        read(npz(columns))

    assert caught.value.code == "bad-examples"


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({**GOOD, "score": [0.2, None, 0.4]}, "'score' has 1 empty values"),
        ({**GOOD, "region": ["a", None, "b"]}, "'region' has 1 empty values"),
        ({**GOOD, "tags": [["a"], [], []]}, "'tags' is list"),
        ({**GOOD, "when": pd.to_datetime(["2026-01-01"] * 3)}, "'when' is timestamp"),
    ],
)
def test_parquet_columns_that_are_no_columns_are_refused(columns, reason):
    """Parquet can hold more than a table can."""
    with pytest.raises(BadInput, match=reason):
        read(parquet(columns))


class Explodes:
    def __reduce__(self):
        return print, ("this was run",)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "neither NPZ nor Parquet"),
        (b"id,y\n1,0\n", "neither NPZ nor Parquet"),
        (pickle.dumps(GOOD), "neither NPZ nor Parquet"),
        (b"PK\x03\x04 and no more", "damaged"),
        (b"PAR1 and no more", "damaged"),
        (npz(GOOD)[:-30], "damaged"),
        (npz(GOOD).replace(b"score.npy", b"scare.npy", 1), "damaged"),
        (parquet(GOOD)[:-30], "damaged"),
        (member("id", b"no array"), "the header of the column 'id' cannot be read"),
        (member("id", header((10**9,)) + b"\0" * 80), "1,000,000,000 examples"),
        (member("id", header((1000,)) + b"\0" * 80), "more or fewer bytes"),
        (member("id", header((1,)) + b"\0" * 80), "more or fewer bytes"),
        (member("id", header((3,), "<U2000") + b"\0" * 24000), "too long"),
        (member("id", header((3,), "|O") + pickle.dumps(Explodes())), "an array of objects"),
        (member("../id", header((3,))), "cannot be read|more or fewer|no column id"),
        (member("x" * 300, header((3,))), "is no column"),
    ],
)  # fmt: skip
def test_hostile_files_are_refused(raw, reason, capsys):
    """Nothing in them is run or unpacked beyond its limits, and every one is refused in words."""
    with pytest.raises(BadInput, match=reason):
        read(raw)

    assert capsys.readouterr().out == ""


def test_a_bomb_is_not_unpacked(monkeypatch):
    """What says that it unpacks beyond the limit is refused by its directory."""
    bomb = member("id", header((1_000_000,)) + bytes(8_000_000))
    monkeypatch.setattr(table, "BYTES_LIMIT", 1_000_000)

    assert len(bomb) < 20_000
    with pytest.raises(BadInput, match="unpacked it has 8,"):
        read(bomb)


def test_too_many_columns_are_refused():
    """A table has at most 200 columns."""
    with pytest.raises(BadInput, match="201 columns, and 200 is the most"):
        read(npz({f"c{i}": [1] for i in range(201)}))


# Pairing.


def side(called="churn@7", **columns):
    columns = {"id": [1, 2, 3, 4], "y": [0, 1, 0, 1], "score": [0.1, 0.2, 0.3, 0.4], **columns}
    return Side(called, Table({name: np.array(values) for name, values in columns.items()}))


@pytest.mark.parametrize("ids", [[1, 2, 3, 4], [30, 10, 40, 20], ["c", "a", "d", "b"]])
def test_examples_are_paired_by_id(ids):
    """Whatever order they stand in; the pairs stand in the candidate's."""
    order = [2, 0, 3, 1]
    pairs = paired(side(id=ids), side("champion", id=np.array(ids)[order], y=np.array([0, 1, 0, 1])[order], score=[30, 10, 40, 20]))

    assert pairs.candidate.column("score").tolist() == [0.1, 0.2, 0.3, 0.4]
    assert pairs.baseline.column("score").tolist() == [10, 20, 30, 40]
    assert pairs.where(pairs.truth == 1).baseline.column("score").tolist() == [20, 40]


@pytest.mark.parametrize(
    ("mine", "theirs", "reason"),
    [
        ({}, {"id": [1, 2, 3, 5]}, r"1 of 4 \(first 4\) of the first are missing in the second, 1 of 4 \(first 5\) the other way"),
        (
            {},
            {"id": [1, 2], "y": [0, 1], "score": [1, 2]},
            r"2 of 4 \(first 3\) of the first are missing in the second, 0 of 2 the other way",
        ),
        ({"id": [1, 2, 2, 4]}, {}, "1 ids of churn@7 are there more than once, first 2"),
        ({"id": [1, 2, 2, 4]}, {"id": [1, 2, 2, 4]}, "1 ids of churn@7 are there more than once, first 2"),
        ({}, {"id": [2, 1, 2, 4]}, "1 ids of champion are there more than once, first 2"),
        ({"id": ["1", "2", "3", "4"]}, {}, "one has numbers, one text"),
        (
            {},
            {"y": [0, 1, 1, 1]},
            "y of churn@7 and of champion is not the same for 1 examples, first 3, so they are not from the same data",
        ),
        ({}, {"y": ["a", "b", "a", "b"]}, "not the same for 4 examples"),
    ],
)
def test_other_examples_are_not_compared(mine, theirs, reason):
    """The reason says how many differ, and which is the first."""
    with pytest.raises(Unmeasurable, match=reason):
        paired(side(**mine), side("champion", **theirs))


def test_slices_must_agree():
    """A column that says something about the example is the same on both sides, where both have it."""
    with_region = side(region=["a", "a", "b", "b"])

    assert paired(with_region, side("champion")).shared("region").tolist() == ["a", "a", "b", "b"]
    with pytest.raises(Unmeasurable, match="region of churn@7 and of champion is not the same for 1 examples, first 4"):
        paired(with_region, side("champion", region=["a", "a", "b", "c"])).shared("region")
    with pytest.raises(Unmeasurable, match="the examples of churn@7 have no column region; they have 'id', 'score', 'y'"):
        paired(side(), with_region).shared("region")
