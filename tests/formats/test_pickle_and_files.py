"""flowreg.formats.pickle, files and refusals: what runs code, and what is no object at all."""

from __future__ import annotations

import pickle
import sys

import numpy
import pytest

from flowreg.errors import BadInput, Corrupt, Refused
from flowreg.formats.files import Files
from flowreg.formats.pickle import Joblib, Pickle
from flowreg.formats.refusals import refuse_plain_files, refuse_untrusted

BOTH = pytest.mark.parametrize(("found", "file"), [(Pickle(), "model.pkl"), (Joblib(), "model.joblib")])


class Bomb:
    """An object whose pickle opens a file for writing when it is loaded."""

    def __init__(self, canary: str) -> None:
        self.canary = canary

    def __reduce__(self):
        return open, (self.canary, "w")


@pytest.fixture(autouse=True)
def _joblib(needs):
    needs("joblib", extra="joblib")


@BOTH
def test_a_malicious_file_runs_nothing_without_trust(found, file, folder, tmp_path):
    """The canary appears only when the load was asked for with trust=True."""
    canary = tmp_path / "canary"
    (folder / file).write_bytes(pickle.dumps(Bomb(str(canary))))

    with pytest.raises(Refused, match=r"(?s)runs code from whoever wrote it.*trust=True"):
        found.load(folder, trust=False)
    assert not canary.exists()

    found.load(folder, trust=True).close()
    assert canary.exists()


@BOTH
def test_an_object_comes_back_when_trusted(found, file, folder):
    """Anything that pickles goes in and out, in one file of a fixed name."""
    thing = {"weights": numpy.arange(1000.0), "names": ["a", "b"]}

    found.save(thing, folder)
    loaded = found.load(folder, trust=True)

    assert [path.name for path in folder.iterdir()] == [file]
    assert loaded["names"] == thing["names"]
    assert numpy.array_equal(loaded["weights"], thing["weights"])


@BOTH
def test_the_same_object_gives_the_same_bytes(found, file, saved_bytes):
    """Two saves, one digest."""
    thing = {"weights": numpy.arange(1000.0), "names": ["a", "b"], "deep": [(1, 2.5), None]}

    assert saved_bytes(found, thing) == saved_bytes(found, thing)


@BOTH
def test_what_cannot_be_pickled_says_why(found, file, folder):
    """A lambda belongs in a module."""
    with pytest.raises(BadInput, match="cannot be pickled"):
        found.save({"call": lambda: 1}, folder)


@BOTH
def test_damaged_bytes_are_corrupt(found, file, folder):
    """Not an UnpicklingError, an EOFError or a ValueError, but one error with the cause attached."""
    found.save({"weights": numpy.arange(1000.0)}, folder)
    raw = (folder / file).read_bytes()

    for damaged in (b"", b"\x80", raw[: len(raw) // 2]):
        (folder / file).write_bytes(damaged)
        with pytest.raises(Corrupt, match=f"{file} cannot be read by") as failed:
            found.load(folder, trust=True)
        assert failed.value.__cause__ is not None


@BOTH
@pytest.mark.parametrize("name", ["no_such_module_here Model", "math Modell"])
def test_code_that_is_missing_here_is_named(found, file, name, folder):
    """A pickle from elsewhere needs its classes: that is said as such, not called corrupt."""
    (folder / file).write_bytes(b"c" + name.replace(" ", "\n").encode() + b"\n.")

    with pytest.raises(BadInput, match=f"needs code that is not here.*{name.split()[0]}"):
        found.load(folder, trust=True)


def test_without_joblib_the_error_says_what_to_install(folder, monkeypatch):
    """A missing extra is a line to copy."""
    monkeypatch.setitem(sys.modules, "joblib", None)

    with pytest.raises(BadInput, match=r'(?s)needs joblib.*pip install "flowreg\[joblib\]"'):
        Joblib().save({}, folder)
    with pytest.raises(BadInput, match=r'pip install "flowreg\[joblib\]"'):
        Joblib().load(folder, trust=True)


def test_the_refusal_says_who_and_when():
    """The text a person needs to decide."""
    assert str(refuse_untrusted("churn@12", "pickle", "ana", "2 h ago")) == (
        "churn@12 is a pickle: loading it runs code from whoever wrote it (ana, 2 h ago)\n"
        "  where: nothing was loaded\n"
        "  do:    if you trust that: load(..., trust=True)"
    )
    assert refuse_untrusted("churn@12", "joblib").what == "churn@12 is in the format 'joblib': loading it runs code from whoever wrote it"


def test_plain_files_are_fetched_not_loaded(folder):
    """There is no object in them, and an object is no path."""
    with pytest.raises(BadInput, match="flowreg fetch"):
        Files().load(folder, trust=True)
    with pytest.raises(BadInput, match="by their path"):
        Files().save({"a": 1}, folder)
    assert str(refuse_plain_files("churn@3")) == (
        "churn@3 is plain files: there is no object to load\n  do:    take the files: flowreg fetch churn@3"
    )
