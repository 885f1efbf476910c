"""What files are by their bytes: real ones of every library at hand, and planted ones that would run code if they were loaded."""

import bz2
import collections
import gzip
import io
import json
import lzma
import os
import pickle
import pickletools
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowreg.gates.contents import contents_of, packed
from flowreg.gates.contents.machine import read_pickles


class Planted:
    """Runs a command if it is unpickled: makes a folder."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


def one(folder: Path, name: str, data: bytes, scanner: str | None = None):
    (folder / name).write_bytes(data)
    (found,) = contents_of(folder, scanner)
    return found


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def tarred(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("m.bin")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def safetensors() -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + b"\x00" * 4


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (b"", "empty"),
        (b'{"a": [1, 2.5, NaN]}', "json"),
        (b"[1, 2", "text"),
        ("# Modell für Bäume\n".encode(), "text"),
        (b"customer\nana\nben\n", "text"),
        (b"Version 2.0, January 2004\nNo warranty\n", "text"),
        (b"x^2 + y", "text"),
        (safetensors(), "safetensors"),
        (safetensors() + b"1", "unknown"),
        (safetensors()[:-1], "unknown"),
        (b"\x00\x01\x02\xff" * 9, "unknown"),
        (b"\x89HDF\r\n\x1a\n" + b"\x00" * 99, "hdf5"),
        (b"PAR1....PAR1", "parquet"),
        (b"PAR1....", "unknown"),
    ],
)  # fmt: skip
def test_a_format_is_told_by_its_bytes(tmp_path, data, format):
    """Never by its name, here that of a pickle; what is not whole is not that format."""
    found = one(tmp_path, "model.pkl", data)

    assert (found.format, found.pickles, found.trouble) == (format, (), None)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "wrap",
    [
        bytes, zlib.compress, gzip.compress, bz2.compress, lzma.compress, tarred,
        lambda data: zipped(archive__data__pkl=data), lambda data: gzip.compress(zipped(x=data)),
        lambda data: safetensors() + zipped(x=data), lambda data: b"junk" + zipped(x=data),
    ],
)  # fmt: skip
def test_a_pickle_is_found_wherever_it_is(tmp_path, protocol, wrap):
    """In every protocol, bare or compressed or packed, also behind the bytes of another format. It is not run."""
    place = tmp_path.parent / f"{tmp_path.name}-ran"
    found = one(tmp_path, "model.safetensors", wrap(pickle.dumps(Planted(place), protocol)))

    assert [seen.names for seen in found.pickles] == [(f"{os.mkdir.__module__}.mkdir",)]
    assert not place.exists()


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"cos\nsystem\n(S'true'\ntR\xff never comes to its end",
        b"I0x10\n0cos\nsystem\n(S'true'\ntR.",
        b"(S'true'\nios\nsystem\n.",
        b"(cos\nsystem\nS'true'\no.",
        b"N.cos\nsystem\n(S'true'\ntR.",
        b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x85R.",
        b"\x80\x04\x8c\x02osq\x05\x8c\x06systemq\x0700h\x05h\x07\x93\x8c\x04true\x85R.",
    ],
)
def test_odd_programs_are_followed(tmp_path, program):
    """Without a regular end, with numbers as only pickle reads them, by other opcodes, by the memo: the name is found."""
    found = one(tmp_path, "notes.txt", program)

    assert [seen for seen in found.pickles if "os.system" in seen.names or seen.trouble], found


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x02\x82\x01.",
        b"\x80\x04N\x8c\x06system\x93.",
        b"\x80\x04\x8c\x02os\x8c\x01a\x85\x93.",
        pickle.dumps(collections.OrderedDict(a=1))[:-1],
        pickle.dumps(collections.OrderedDict(a=1)) + b"more",
    ],
)
def test_what_cannot_be_followed_is_trouble(tmp_path, program):
    """A number for a name, a name that is computed, a missing end, bytes after it."""
    (seen,) = one(tmp_path, "m", program).pickles

    assert seen.trouble


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_can_be_looked_at(data):
    """Following a program ends for all bytes, and never raises."""
    for start in (b"", b"\x80\x04"):
        read_pickles(io.BytesIO(start + data))


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.binary(max_size=9)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4), st.tuples(inner, inner)),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(VALUES, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_every_real_pickle_is_followed_to_its_end(value, protocol):
    """What the library wrote is read without trouble, and its names are those that pickletools sees."""
    raw = pickle.dumps([value, collections.OrderedDict(a=value)], protocol)
    read = read_pickles(io.BytesIO(raw))

    assert read.trouble is None
    assert "collections.OrderedDict" in read.names
    assert read.steps == sum(1 for _ in pickletools.genops(raw))


@pytest.mark.slow  # imports torch
def test_files_of_the_libraries_are_what_they_are(tmp_path):
    """numpy, joblib, torch, ONNX, XGBoost, skops, pandas: by what they write."""
    np, joblib, torch, onnx = (pytest.importorskip(name) for name in ("numpy", "joblib", "torch", "onnx"))
    np.save(tmp_path / "a", np.arange(3))
    np.savez(tmp_path / "b", a=np.arange(3))
    np.save(tmp_path / "c", np.array([{}], dtype=object))
    np.save(tmp_path / "d", np.array([(1, None)], dtype=[("x", "i4"), ("y", "O")]))
    joblib.dump({"a": 1, "b": collections.OrderedDict()}, tmp_path / "e", compress=3)
    torch.save({"w": torch.zeros(9)}, tmp_path / "f")
    graph = onnx.helper.make_graph([], "g", [], [])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "g")
    found = {Path(content.path).stem: content for content in contents_of(tmp_path)}

    assert [found[name].format for name in "abcdefg"] == ["npy", "npz", "npy", "npy", "zlib", "torch", "onnx"]
    assert [bool(found[name].pickles) for name in "abcdefg"] == [False, False, True, True, True, True, False]
    assert found["f"].pickles[0].names == ("collections.OrderedDict", "torch.FloatStorage", "torch._utils._rebuild_tensor_v2")


@pytest.mark.slow  # imports two learners
def test_boosters_and_skops_are_plain(tmp_path):
    """XGBoost's two formats, and a file of skops."""
    xgboost, np, skops = (pytest.importorskip(name) for name in ("xgboost", "numpy", "skops.io"))
    from sklearn.linear_model import LogisticRegression

    features, target = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    booster = xgboost.train({}, xgboost.DMatrix(features, target), 2)
    booster.save_model(tmp_path / "a.ubj")
    booster.save_model(tmp_path / "b.json")
    skops.dump(LogisticRegression().fit(features, target), tmp_path / "c")

    assert [content.format for content in contents_of(tmp_path)] == ["ubj", "json", "skops"]


def test_a_lambda_layer_is_code(tmp_path):
    """Keras keeps functions in its configuration, in a file of its own or within HDF5."""
    config = json.dumps({"config": {"layers": [{"class_name": "Lambda"}]}}).encode()

    assert one(tmp_path, "m", b"\x89HDF\r\n\x1a\n" + b"\x00" * (1 << 20) + config).runs_code
    assert one(tmp_path, "m", zipped(config=config, model__weights=b"x")).runs_code
    assert one(tmp_path, "m", json.dumps({"class_name": "Dense", "name": "Lambda"}).encode()).runs_code is None


def test_archives_that_break_or_burst_are_trouble(tmp_path, monkeypatch):
    """A damaged member, packing without end, an unknown compression, more bytes than there is room for."""
    good = zipped(a=b"1" * 1000)
    nested = b"1"
    for _ in range(6):
        nested = zipped(a=nested)
    assert one(tmp_path, "m", good.replace(b"1" * 1000, b"1" * 999 + b"2")).trouble
    assert one(tmp_path, "m", gzip.compress(b"12345678" * 999)[:-20]).trouble
    assert one(tmp_path, "m", b"PK\x03\x04 and no more").trouble
    assert one(tmp_path, "m", b"\x28\xb5\x2f\xfd....").trouble
    assert "deep" in one(tmp_path, "m", nested).trouble
    monkeypatch.setattr(packed.Room, "__init__", lambda self: setattr(self, "left", 1000))
    assert "unpacks to more" in one(tmp_path, "m", gzip.compress(b"\x00" * 100_000)).trouble


def test_picklescan_is_heard(tmp_path):
    """The optional scanner reports bad calls it knows by name, and what it could not read."""
    pytest.importorskip("picklescan")
    (seen,) = one(tmp_path, "m", pickle.dumps(Planted(tmp_path / "never")), "picklescan").pickles
    (cut,) = one(tmp_path, "m", pickle.dumps(collections.OrderedDict())[:-1], "picklescan").pickles

    assert seen.alarms == (f"{os.mkdir.__module__}.mkdir",)
    assert cut.alarms == ("it could not read all of it",)


def test_a_registered_artifact_is_looked_at(tmp_path):
    """From the file on disk to the sentence of the gate: a pickle under another name blocks, weights pass."""
    from flowreg import Policy, Registry

    registry = Registry(tmp_path / "registry")
    registry.set_policy(Policy(policy="p", models=["churn"], alias="champion", gates=[{"check": "scan"}]))
    for name, data in (("bad.safetensors", pickle.dumps(collections.OrderedDict())), ("good.bin", safetensors())):
        (tmp_path / name).write_bytes(data)
        registry.register("churn", tmp_path / name)

    assert "bad.safetensors is a pickle" in registry.judge("churn@1", to="champion").results[0].sentence
    assert registry.promote("churn@2", to="champion").version.number == 2
