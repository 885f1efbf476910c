"""flowreg.formats.choose: which format saves an object, a name, a path; and what importing it all costs."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy
import pytest

from flowreg.errors import BadInput, NotFound, Refused
from flowreg.formats import choose
from flowreg.formats.choose import BUILT_IN, loader_for_path, loader_named, saver_for


class Fitting:
    """A format as another package may bring it; it fits whatever has a ``score``."""

    extensions = (".fit", ".skops")
    executes_code = False
    name = "fitting"

    def can_save(self, obj):
        return getattr(obj, "score", 0)

    def save(self, obj, folder):
        (folder / "model.fit").write_text("fit")

    def load(self, folder, *, trust):
        return "fit"


class Rival(Fitting):
    name = "rival"
    extensions = (".rival",)


class Runs(Fitting):
    name = "runs"
    extensions = (".runs",)
    executes_code = True


class Scored:
    score = 5


@pytest.fixture
def bring(monkeypatch):
    """``bring(Fitting)``: as if packages with these formats were installed, on top of what is."""

    def install(*formats):
        for found in formats:
            monkeypatch.setattr(choose, f"_test_{found.name}", found, raising=False)
        brought = [EntryPoint(found.name, f"flowreg.formats.choose:_test_{found.name}", choose.GROUP) for found in formats]
        monkeypatch.setattr(choose, "brought", lambda: [*importlib.metadata.entry_points(group=choose.GROUP), *brought])

    return install


def test_importing_and_choosing_bring_no_heavy_library():
    """Formats, names and paths resolve without numpy, sklearn and the rest; so does asking every format about an object."""
    heavy = "numpy sklearn skops xgboost torch onnx joblib safetensors scipy pandas"
    program = (
        "import sys, pathlib, flowreg.formats\n"
        "from flowreg.formats.choose import *\n"
        "for name in BUILT_IN: loader_named(name)\n"
        "loader_for_path(pathlib.Path('a.onnx')); saver_for(object(), trust='pickle')\n"
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )
    here = str(Path(__file__).parents[2])

    told = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": here}, capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"


def test_the_built_in_names_are_those_of_the_entry_points():
    """pyproject.toml and the table say the same, so another package's view of the group is ours."""
    ours = {entry.name: entry.value for entry in importlib.metadata.entry_points(group=choose.GROUP) if entry.value.startswith("flowreg.")}

    assert ours == dict(BUILT_IN)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_name_gives_its_format(name):
    """Every built-in format answers to its own name, and recognises endings with a dot, in lower case."""
    found = loader_named(name)

    assert found.name == name
    assert all(ending.startswith(".") and ending == ending.lower() for ending in found.extensions)


def test_no_installed_package_takes_over_a_built_in_name(bring):
    """A package that brings a format called skops changes nothing."""
    impostor = type("Impostor", (Fitting,), {"name": "skops"})
    bring(impostor)

    assert type(loader_named("skops")).__name__ == "Skops"
    with pytest.raises(BadInput, match="no installed format"):
        saver_for(Scored())


def test_an_unknown_name_says_which_there_are():
    """NotFound lists what is installed and where formats come from."""
    with pytest.raises(NotFound, match=r"(?s)no format 'dill' is installed.*files, joblib, onnx.*flowreg\.formats"):
        loader_named("dill")


def test_objects_go_to_the_format_made_for_them(needs):
    """A pipeline to skops, an XGBoost wrapper to XGBoost though it is a scikit-learn estimator too, arrays to safetensors."""
    sklearn = needs("sklearn.linear_model", extra="sklearn")
    xgboost = needs("xgboost", extra="xgboost")

    names = [saver_for(each).name for each in (sklearn.Ridge(), xgboost.XGBRegressor(), {"a": numpy.ones(2)})]

    assert names == ["skops", "xgboost", "safetensors"]


def test_trusting_pickle_is_a_permission_not_a_wish(needs):
    """With trust="pickle" a better format still wins; only what nothing else saves becomes a pickle."""
    sklearn = needs("sklearn.linear_model", extra="sklearn")

    assert saver_for(sklearn.Ridge(), trust="pickle").name == "skops"
    assert saver_for({"a": 1}, trust="pickle").name == "pickle"
    assert saver_for(sklearn.Ridge(), trust="pickle", loader="joblib").name == "joblib"


@pytest.mark.parametrize("loader", ["pickle", "joblib"])
def test_a_format_that_runs_code_needs_to_be_asked_for(loader):
    """Naming the loader is not enough."""
    with pytest.raises(Refused, match=r'(?s)runs code.*nothing was written.*trust="pickle"'):
        saver_for({"a": 1}, loader=loader)


def test_what_nothing_fits_says_what_would_do():
    """The error names the class and the ways out."""
    with pytest.raises(BadInput, match=r'(?s)can save a .*Scored.*scikit-learn estimator.*register the path.*trust="pickle"'):
        saver_for(Scored())


def test_a_torch_module_is_told_to_give_its_weights(needs):
    """A module is code; its state dict is not."""
    torch = needs("torch", extra="torch")

    with pytest.raises(BadInput, match=r"(?s)torch\.nn\.modules\.linear\.Linear.*model\.state_dict\(\)"):
        saver_for(torch.nn.Linear(2, 2))


def test_two_formats_that_fit_equally_well_are_an_error_that_names_both(bring):
    """Nothing is guessed; loader= decides."""
    bring(Fitting, Rival)

    with pytest.raises(BadInput, match="'fitting' and 'rival'"):
        saver_for(Scored())
    assert saver_for(Scored(), loader="rival").name == "rival"


def test_a_brought_format_that_runs_code_needs_to_be_asked_for(bring):
    """Rule 2 holds for every format, by what it says of itself."""
    bring(Runs)

    with pytest.raises(BadInput, match="no installed format"):
        saver_for(Scored())
    with pytest.raises(Refused):
        saver_for(Scored(), loader="runs")
    assert saver_for(Scored(), trust="pickle").name == "runs"
    assert loader_for_path(Path("m.runs")) == "files"
    assert loader_for_path(Path("m.runs"), trust="pickle") == "runs"


def test_a_broken_package_stops_nothing_but_itself(bring, monkeypatch):
    """It is left out with a warning, and an error only when named."""
    bring(Fitting)
    there = choose.brought()
    broken = EntryPoint("broken", "no_such_module_at_all:Format", choose.GROUP)
    monkeypatch.setattr(choose, "brought", lambda: [*there, broken])

    with pytest.warns(RuntimeWarning, match="no_such_module_at_all"):
        assert saver_for(Scored()).name == "fitting"
    with pytest.raises(BadInput, match="'broken' cannot be used"):
        loader_named("broken")


def test_an_unknown_kind_of_trust_is_refused():
    """trust=True belongs to loading; on saving it is a mistake worth telling."""
    with pytest.raises(BadInput, match=r'trust=True.*(?s:.*)trust="pickle"'):
        saver_for({"a": 1}, trust=True)
    with pytest.raises(BadInput, match="trust"):
        loader_for_path(Path("a.onnx"), trust="yes")


PATHS = {
    "m.skops": "skops",
    "m.UBJ": "xgboost",
    "m.safetensors": "safetensors",
    "a/b/m.onnx": "onnx",
    "m.pkl": "files",
    "m.joblib": "files",
    "m.json": "files",
    "m": "files",
    ".onnx": "files",
    "m.onnx.gz": "files",
}


@pytest.mark.parametrize("path", PATHS)
def test_a_file_is_recognised_by_its_ending(path):
    """One format, one ending; what runs code or is unknown is plain files."""
    assert loader_for_path(Path(path)) == PATHS[path]


def test_pickles_are_recognised_only_when_trusted():
    """The permission to write them is the permission to call them so."""
    assert [loader_for_path(Path(name), trust="pickle") for name in ("m.pkl", "m.pickle", "m.joblib", "m.onnx")] == [
        "pickle",
        "pickle",
        "joblib",
        "onnx",
    ]


def test_a_folder_is_files_whatever_it_is_called(tmp_path):
    """A folder's ending says nothing."""
    (tmp_path / "saved.onnx").mkdir()

    assert loader_for_path(tmp_path / "saved.onnx") == "files"


def test_an_ending_claimed_twice_is_files(bring):
    """Nothing is guessed for paths either."""
    bring(Fitting)

    assert loader_for_path(Path("m.skops")) == "files"
    assert loader_for_path(Path("m.fit")) == "fitting"
