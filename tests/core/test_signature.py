"""Signatures: captured from frames of every library, recorded, compared, and held against rows."""

import datetime

import pytest

from flowreg.core.frames import signature_of
from flowreg.core.signature import TYPES, Field, Signature, read_signature, takes
from flowreg.errors import BadInput

COLUMNS = {
    "age": [41, 52], "income": [1.5, float("nan")], "city": ["Ulm", None], "member": [True, False],
    "since": [datetime.datetime(2026, 1, 1), datetime.datetime(2026, 1, 2)],
}  # fmt: skip
EXPECTED = (
    Field("age", "int64"), Field("income", "float64", nullable=True), Field("city", "string", nullable=True), Field("member", "bool"),
    Field("since", "datetime"),
)  # fmt: skip


def frame_of(library):
    module = pytest.importorskip(library)
    if library == "pyarrow":
        return module.table(COLUMNS)
    return module.DataFrame(COLUMNS, **({"strict": False} if library == "polars" else {}))


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_frame_says_its_signature(library):
    """The same columns give the same signature, whoever holds them."""
    assert signature_of(frame_of(library)).inputs == EXPECTED


def test_columns_by_name_say_their_signature():
    """A mapping of plain lists, or of arrays."""
    np = pytest.importorskip("numpy")
    arrays = {"a": np.arange(2, dtype="int8"), "b": np.array([1.0, np.nan], dtype="float32"), "c": np.array(["x", None], dtype=object)}

    assert signature_of(COLUMNS).inputs == EXPECTED
    assert signature_of(arrays).inputs == (
        Field("a", "int8"), Field("b", "float32", nullable=True), Field("c", "string", nullable=True),
    )  # fmt: skip


def test_arrays_of_numpy_say_their_signature():
    """Columns of a matrix have no names but x0, x1; a structured array has."""
    np = pytest.importorskip("numpy")

    assert signature_of(np.zeros((3, 2), dtype="float32")).inputs == (Field("x0", "float32"), Field("x1", "float32"))
    assert signature_of(np.zeros(3, dtype=[("a", "u1"), ("b", "U5")])).inputs == (Field("a", "uint8"), Field("b", "string"))


@pytest.mark.parametrize(
    ("dtype", "type_"),
    [
        ("Int64", "int64"), ("UInt8", "uint8"), ("Float32", "float32"), ("boolean", "bool"), ("string", "string"), ("category", "string"),
        ("datetime64[ns, UTC]", "datetime"), ("timedelta64[ns]", "duration"), ("complex128", "any"),
    ],
)  # fmt: skip
def test_types_of_pandas_have_one_name(dtype, type_):
    """Nullable integers are integers, categories are their texts; what has no name here is ``any``."""
    pandas = pytest.importorskip("pandas")

    assert signature_of(pandas.DataFrame({"a": pandas.Series([], dtype=dtype)})).inputs == (Field("a", type_),)


def test_ranges_are_recorded_where_they_are_asked_for():
    """The least and greatest finite number of numeric columns only."""
    signature = signature_of({"a": [3, 1, 2], "b": [1.5, float("nan"), float("inf")], "c": ["x", "y", "z"]}, ranges=True)

    assert signature.inputs == (Field("a", "int64", low=1.0, high=3.0), Field("b", "float64", True, 1.5, 1.5), Field("c", "string"))


@pytest.mark.parametrize("frame", [5, "text", [1, 2], {}, {"a": []}.keys()])
def test_what_is_no_frame_is_refused(frame):
    """A number, a text, a list, nothing."""
    with pytest.raises(BadInput):
        signature_of(frame)


def test_frames_that_cannot_be_asked_are_refused():
    """Columns of two levels, one name twice, a frame that is not collected yet."""
    pandas = pytest.importorskip("pandas")
    with pytest.raises(BadInput):
        signature_of(pandas.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(BadInput):
        signature_of(pandas.DataFrame([[1, 2]], columns=pandas.MultiIndex.from_product([["a"], ["b", "c"]]))["a"].columns)
    polars = pytest.importorskip("polars")
    with pytest.raises(BadInput, match="this LazyFrame cannot be read as a frame"):
        signature_of(polars.LazyFrame({"a": [1]}))


def test_a_signature_is_read_as_it_was_written():
    """Plain JSON there and back."""
    signature = Signature((*EXPECTED, Field("score", "float32", low=0.0, high=1.0)))

    assert read_signature(signature.to_json()) == Signature.read(signature.to_json()) == signature
    assert Signature.of(COLUMNS) == Signature(EXPECTED)


@pytest.mark.parametrize(
    "recorded",
    [
        None, {}, {"inputs": []}, {"inputs": "age"}, {"inputs": [{"name": "a"}]}, {"inputs": [{"name": "a", "type": "int"}]},
        {"inputs": [{"name": "", "type": "int64"}]}, {"inputs": [{"name": "a", "type": "int64", "null": True}]},
        {"inputs": [{"name": "a", "type": "int64", "nullable": 1}]}, {"inputs": [{"name": "a", "type": "int64", "range": [2, 1]}]},
        {"inputs": [{"name": "a", "type": "string", "range": [1, 2]}]}, {"inputs": [{"name": "a", "type": "int64", "range": ["1", 2]}]},
        {"inputs": [{"name": "a", "type": "int64"}, {"name": "a", "type": "int64"}]},
    ],
)  # fmt: skip
def test_what_is_no_signature_is_refused(recorded):
    """Each slip is a ``BadInput`` that shows the form."""
    with pytest.raises(BadInput, match="this is not a signature"):
        read_signature(recorded)


def test_widening_is_an_order():
    """Every type takes itself; what takes what takes a third takes the third; 64 bits of integer fit no float."""
    for a in TYPES:
        assert takes(a, a)
        assert takes("any", a)
        for b in TYPES:
            assert not (a != b and takes(a, b) and takes(b, a))
            assert all(takes(a, c) for c in TYPES if takes(a, b) and takes(b, c))
    assert [takes("int64", "int32"), takes("float64", "float32"), takes("int16", "uint8"), takes("float64", "int32")] == [True] * 4
    assert [
        takes("int32", "int64"),
        takes("float32", "float64"),
        takes("uint8", "int8"),
        takes("int8", "uint8"),
        takes("float64", "int64"),
    ] == ([False] * 5)


SIGNATURE = Signature((Field("age", "int8", low=0), Field("city", "string", nullable=True), Field("score", "float64", high=1.0)))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"city": "Ulm", "score": 0.5}, "row 0: age is missing"),
        ({"age": None, "score": 0.5}, "row 0: age is missing"),
        ({"age": 200, "score": 0.5}, "row 0: age is 200, not int8"),
        ({"age": True, "score": 0.5}, "row 0: age is True, not int8"),
        ({"age": 4.0, "score": 0.5}, "row 0: age is 4.0, not int8"),
        ({"age": -1, "score": 0.5}, "row 0: age is -1, below 0"),
        ({"age": 1, "score": 1.5}, "row 0: score is 1.5, above 1"),
        ({"age": 1, "score": float("nan")}, "row 0: score is missing"),
        ({"age": 1, "score": "0.5"}, "row 0: score is '0.5', not float64"),
        ({"age": 1, "score": 0.5, "city": 5}, "row 0: city is 5, not string"),
    ],
)
def test_a_request_that_does_not_fit_is_told(row, said):
    """Missing, of another type, out of range: a sentence each."""
    assert SIGNATURE.violations([row]) == (said,)


def test_a_request_that_fits_is_not_told():
    """Nulls where they may be, numbers of numpy, inputs that the model does not know."""
    np = pytest.importorskip("numpy")
    rows = [{"age": 1, "score": 1}, {"age": np.int64(4), "score": np.float32(0.5), "city": None, "more": object()}]

    assert SIGNATURE.violations(rows) == ()
    assert len(SIGNATURE.violations([{}] * 1000)) == 100
    with pytest.raises(BadInput, match="row 0 is int"):
        SIGNATURE.violations([5])


def test_a_frame_is_recorded_when_a_version_is_registered(tmp_path):
    """``signature=`` takes a frame, a ``Signature``, or a mapping as before."""
    from flowreg import Registry

    registry = Registry(tmp_path / "registry")
    (tmp_path / "m").write_text("x")
    frame = frame_of("pandas")

    assert registry.register("a", tmp_path / "m", signature=frame).signature == signature_of(frame).to_json()
    assert registry.register("b", tmp_path / "m", signature=SIGNATURE).signature == SIGNATURE.to_json()
    assert registry.register("c", tmp_path / "m", signature={"inputs": []}).signature == {"inputs": []}
