"""What data was: the digest of all of it, its rows and its columns."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import flowreg
from flowreg import BadInput, Dataset, Registry
from flowreg.lineage import data as data_module
from flowreg.lineage.attempts import Attempts
from flowreg.lineage.data import described, local_path

FRAME = pd.DataFrame(
    {
        "age": [31, 44, 27],
        "income": [1.5, np.nan, -0.0],
        "city": ["Ulm", None, "Köln"],
        "since": pd.to_datetime(["2026-01-01", "2026-02-01", "2026-03-01"]),
        "active": [True, False, True],
    }
)


def test_the_same_table_has_one_digest_in_every_library() -> None:
    """pandas, polars and pyarrow agree on every kind of column, and on rows and types."""
    several = [flowreg.dataset(frame) for frame in (FRAME, pl.from_pandas(FRAME), pa.Table.from_pandas(FRAME, preserve_index=False))]

    assert len({said.digest for said in several}) == 1
    assert several[0].digest is not None
    assert several[0].digest.startswith("frame-sha256:v1:")
    assert several[0].rows == 3
    assert several[0].columns == {"age": "int64", "income": "float64", "city": "string", "since": "datetime", "active": "bool"}


@pytest.mark.parametrize(
    "changed",
    [
        FRAME.assign(age=[31, 44, 28]),
        FRAME.assign(income=[1.5, np.nan, 0.1]),
        FRAME.assign(city=["Ulm", "", "Köln"]),
        FRAME.assign(since=FRAME.since + pd.Timedelta("1ns")),
        FRAME.assign(active=[True, True, True]),
        FRAME.rename(columns={"age": "ages"}),
        FRAME[["income", "age", "city", "since", "active"]],
        FRAME.iloc[::-1],
        FRAME.iloc[:2],
        FRAME.assign(age=FRAME.age.astype("float64")),
        FRAME.assign(city=["Ul", "m", "Köln"]),
    ],
    ids=lambda frame: None,
)
def test_whatever_differs_changes_the_digest(changed: pd.DataFrame) -> None:
    """A value anywhere, a name, a type, the order of rows or columns."""
    assert flowreg.dataset(changed).digest != flowreg.dataset(FRAME).digest


def test_the_last_row_of_a_million_counts() -> None:
    """All rows, never a prefix."""
    rows = np.zeros((1_000_000, 2))
    before = flowreg.dataset(rows).digest
    rows[-1, -1] = 1

    assert flowreg.dataset(rows).digest != before


def test_a_file_is_read_whole_and_parquet_tells_its_table(tmp_path: Path) -> None:
    """The digest is that of sha256sum."""
    path = tmp_path / "train.parquet"
    pq.write_table(pa.Table.from_pandas(FRAME, preserve_index=False), path)

    said = flowreg.dataset(path, name="people", role="train")

    assert said.digest == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert (said.name, said.role, said.uri, said.rows, said.size_bytes) == ("people", "train", str(path), 3, path.stat().st_size)
    assert said.columns is not None
    assert said.columns["income"] == "float64"


@pytest.mark.parametrize("source", ["/nowhere/x.csv", "memory://nowhere/x.csv", "nosuch://lake/x.csv", 7, "/dev/null"])
def test_what_is_no_data_is_refused(source: object) -> None:
    """Here somebody asked for the digest."""
    with pytest.raises(BadInput) as refused:
        flowreg.dataset(source)

    assert refused.value.code == "bad-data"


def test_registering_works_out_what_lies_here(tmp_path: Path) -> None:
    """Paths, file URLs and frames get a digest; a URL elsewhere stays as it is, without its password."""
    path = tmp_path / "train.csv"
    path.write_bytes(b"a,b\n1,2\n")
    registry = Registry(tmp_path / "models")

    version = registry.register(
        "churn", path, data=[str(path), path, f"file://{path}", FRAME, Dataset("s3://lake/y"), Dataset(str(path), digest="sha256:mine")]
    )

    digest = f"sha256:{hashlib.sha256(b'a,b' + bytes([10]) + b'1,2' + bytes([10])).hexdigest()}"
    assert [said.digest for said in version.data] == [digest, digest, digest, flowreg.dataset(FRAME).digest, None, "sha256:mine"]
    assert version.data[0].size_bytes == 8
    assert version.run is not None
    (warning,) = version.run.warnings
    assert "data s3://lake/y: no digest, since it is not on this machine" in warning


def test_data_that_vanished_is_a_warning_in_the_record(tmp_path: Path) -> None:
    """The version is registered all the same."""
    registry = Registry(tmp_path / "models")
    (tmp_path / "model").write_text("x")
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")

    version = registry.register(
        "churn", tmp_path / "model", data=[str(tmp_path / "gone.csv"), str(tmp_path / "empty"), str(tmp_path / "pipe")]
    )

    assert [said.digest for said in version.data] == [None, None, None]
    assert version.run is not None
    assert len(version.run.warnings) == 3
    assert "gone.csv: could not be read (FileNotFoundError)" in version.run.warnings[0]
    assert registry.get("churn@1").run == version.run


def test_too_much_data_has_no_digest_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Larger than the limit, or slower than the budget."""
    path = tmp_path / "x.bin"
    path.write_bytes(b"x" * 100)
    monkeypatch.setattr(data_module, "SIZE_LIMIT", 99)
    large, late = Attempts(time.monotonic() + 60), Attempts(time.monotonic() - 1)

    (said,) = described(str(path), large)
    assert (said.digest, said.size_bytes) == (None, 100)
    assert "no digest" in large.warnings[0]

    monkeypatch.setattr(data_module, "SIZE_LIMIT", 200)
    (said,) = described(str(path), late)
    assert said.digest is None
    assert late.warnings


def test_a_url_with_a_password_is_recorded_without_it(tmp_path: Path) -> None:
    """Nor what signs it; what tells which data it was stays."""
    registry = Registry(tmp_path / "models")
    (tmp_path / "model").write_text("x")

    version = registry.register(
        "churn",
        tmp_path / "model",
        data=["s3://key:hunter2@lake/x", Dataset("https://lake/y.csv?version=3&sig=hunter2&X-Amz-Credential=hunter2")],
    )

    assert [said.uri for said in version.data] == ["s3://lake/x", "https://lake/y.csv?version=3"]
    assert not [path for path in (tmp_path / "models").rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


@pytest.mark.parametrize("uri", ["s3://[red]x", "file://[x", "http://[::1"])
def test_a_uri_that_cannot_be_read_is_no_local_file(uri: str) -> None:
    """What may be a secret in it is hidden, and it costs no registration."""
    assert local_path(uri) is None
    assert described(Dataset(uri), Attempts(time.monotonic() + 9)) == [Dataset(f"{uri.partition('//')[0]}//********")]


def test_a_folder_is_one_dataset(tmp_path: Path) -> None:
    """Every file of it counts, with its path; what engines write beside the data does not."""
    parts = tmp_path / "flights"
    (parts / "month=06").mkdir(parents=True)
    (parts / "month=06" / "a.parquet").write_bytes(b"a")
    (parts / "b.parquet").write_bytes(b"b")
    first = flowreg.dataset(parts, role="train")
    (parts / "_SUCCESS").touch()
    (parts / ".b.parquet.crc").touch()
    again = flowreg.dataset(parts)
    (parts / "b.parquet").rename(parts / "c.parquet")
    moved = flowreg.dataset(parts)

    lines = "".join(
        f"sha256:{hashlib.sha256(raw).hexdigest()} {path}\n" for path, raw in (("b.parquet", b"b"), ("month=06/a.parquet", b"a"))
    )
    assert first.digest == f"files-sha256:v1:{hashlib.sha256(lines.encode()).hexdigest()}"
    assert (first.size_bytes, again.digest) == (2, first.digest)
    assert moved.digest != first.digest


def test_a_file_elsewhere_is_read_whole_when_asked() -> None:
    """Through any filesystem of fsspec; its digest is that of its bytes."""
    import fsspec

    fsspec.filesystem("memory").pipe_file("/lake/x.csv", b"a,b\n1,2\n")

    said = flowreg.dataset("memory://lake/x.csv", name="x")

    assert (said.uri, said.size_bytes) == ("memory://lake/x.csv", 8)
    assert said.digest == f"sha256:{hashlib.sha256(b'a,b' + bytes([10]) + b'1,2' + bytes([10])).hexdigest()}"


@pytest.mark.parametrize(
    ("uri", "kept"),
    [
        ("https://ana:hunter2@lake/x.csv?X-Amz-Signature=hunter2", "https://lake/x.csv"),
        ("https://lake/x.csv?hunter2", "https://lake/x.csv"),
        ("s3://AKIA:hunter2@lake/x.csv", "s3://lake/x.csv"),
        ("zip://in.csv::s3://AKIA:hunter2@lake/x.zip", "zip://in.csv::s3://lake/x.zip"),
        ("abfs://box@account/x?sv=1&sig=hunter2", "abfs://box@account/x"),
        ("s3://lake/x#1.csv", "s3://lake/x#1.csv"),
        ("s3://[red]x", "s3://********"),
        ("data/a@b.csv", "data/a@b.csv"),
    ],
)
def test_no_credential_of_a_uri_is_kept(tmp_path: Path, uri: str, kept: str) -> None:
    """Neither in the record nor in a warning of it."""
    (tmp_path / "model").write_text("x")

    version = Registry(tmp_path / "models").register("churn", tmp_path / "model", data=[uri, Dataset(uri, digest="sha256:mine")])

    assert [said.uri for said in version.data] == [kept, kept]
    assert "hunter2" not in version.run.model_dump_json() if version.run else True


def test_a_difference_tells_datasets_of_one_role_apart(tmp_path: Path) -> None:
    """Two files that a model was trained on are two things that may have changed."""
    registry = Registry(tmp_path / "models")
    (tmp_path / "model").write_text("x")
    for second in ("b", "c"):
        registry.register(
            "churn",
            tmp_path / "model",
            data=[Dataset("s3://lake/a", role="train", digest="1"), Dataset(f"s3://lake/{second}", role="train", digest=second)],
        )

    changed = registry.diff("churn@1", "churn@2").sections["data"]

    assert changed == {"train s3://lake/b": ("b", None), "train s3://lake/c": (None, "c")}
