"""flowreg.formats.skops, harmless, trees and canonical: scikit-learn models."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy
import pytest

from flowreg.errors import BadInput, Corrupt, Refused
from flowreg.formats.harmless import not_harmless
from flowreg.formats.skops import Skops
from flowreg.formats.trees import check_trees

MODELS = [
    "make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))",
    "make_pipeline(SimpleImputer(), KBinsDiscretizer(quantile_method='averaged_inverted_cdf'), RidgeClassifier())",
    "DecisionTreeClassifier(random_state=0)",
    "RandomForestClassifier(20, random_state=0)",
    "ExtraTreesClassifier(5, random_state=0)",
    "IsolationForest(n_estimators=5, max_features=0.5, random_state=0)",
    "GradientBoostingClassifier(n_estimators=5, random_state=0)",
    "HistGradientBoostingClassifier(max_iter=5, categorical_features=[0], max_bins=40, random_state=0)",
    "BaggingClassifier(max_features=0.5, random_state=0)",
    "make_pipeline(PolynomialFeatures(2), PCA(5), RandomForestClassifier(5, random_state=0))",
    "StackingClassifier([('a', ExtraTreesClassifier(5, random_state=0)), ('b', LogisticRegression(max_iter=50))])",
    "CalibratedClassifierCV(RandomForestClassifier(5, random_state=0))",
    "GridSearchCV(Ridge(), {'alpha': [1, 2]}, scoring='r2', cv=KFold(3))",
    "make_pipeline(FunctionTransformer(numpy.log1p), SVC())",
]


@pytest.fixture
def fitted(needs, breast_cancer):
    """``fitted("RandomForestClassifier(20)")``, on the real patients, with columns that suit every model."""
    for module in ("sklearn", "skops"):
        needs(module, extra="sklearn")

    def fit(source: str):
        columns, target = breast_cancer
        columns = columns.copy()
        columns[:, 0] = numpy.round(columns[:, 0])
        return eval(source, _names()).fit(columns, target), columns

    return fit


def _names() -> dict[str, object]:
    names: dict[str, object] = {"numpy": numpy}
    packages = "calibration decomposition ensemble impute linear_model pipeline preprocessing svm tree"
    for package in packages.split():
        exec(f"from sklearn.{package} import *", names)
    exec("from sklearn.model_selection import GridSearchCV, KFold", names)
    return names


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("source", MODELS)
def test_a_fitted_model_comes_back_by_default_with_the_same_predictions(source, fitted, folder):
    """Pipelines, forests and boosting need no trust, and predict what they predicted."""
    model, columns = fitted(source)

    Skops().save(model, folder)
    loaded = Skops().load(folder, trust=False)

    assert type(loaded) is type(model)
    assert numpy.array_equal(loaded.predict(columns), model.predict(columns))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("source", MODELS)
def test_one_model_has_one_digest(source, fitted, saved_bytes, folder):
    """Saved, saved again, loaded and saved: the same bytes each time, so registering it twice is no twin."""
    model, _ = fitted(source)
    Skops().save(model, folder)
    loaded = Skops().load(folder, trust=False)

    first, *others = (saved_bytes(Skops(), each) for each in (model, model, loaded))

    assert others == [first] * 2


@pytest.mark.parametrize("source", [source for source in MODELS if re.match("Decision|RandomForest|Extra|Isolation|Gradient|Hist", source)])
def test_the_same_training_of_trees_gives_the_same_bytes(source, fitted, saved_bytes):
    """What happened to lie in memory before the fit does not reach the file. (Linear algebra is not repeatable to the bit anyway.)"""
    first, _ = fitted(source)
    noise = [numpy.random.default_rng(size).bytes(64 * size) for size in range(1, 500)]
    del noise
    second, _ = fitted(source)

    assert saved_bytes(Skops(), first) == saved_bytes(Skops(), second)


def test_another_process_with_other_hashes_writes_the_same_bytes(needs, tmp_path):
    """Sets and addresses in memory do not reach the file: stop words are a set, and sklearn keeps their address."""
    needs("skops", extra="sklearn")
    program = (
        "import hashlib, pathlib, sys\n"
        "from sklearn.feature_extraction.text import CountVectorizer\n"
        "from flowreg.formats.skops import Skops\n"
        "model = CountVectorizer(stop_words=['the', 'a']).fit(['the cat', 'a dog'])\n"
        "model.seen_ = {str(n) for n in range(20)}; model.frozen_ = frozenset(model.seen_)\n"
        "into = pathlib.Path(sys.argv[1]); into.mkdir(); Skops().save(model, into)\n"
        "print(hashlib.sha256((into / 'model.skops').read_bytes()).hexdigest())\n"
    )

    def digest_with(seed: str) -> str:
        command = [sys.executable, "-c", program, str(tmp_path / seed)]
        here = str(Path(__file__).parents[2])
        return subprocess.run(command, env={"PYTHONHASHSEED": seed, "PYTHONPATH": here}, capture_output=True, text=True, check=True).stdout

    assert len({digest_with(seed) for seed in ("1", "2")}) == 1


def test_shared_parts_are_shared_again(fitted, folder):
    """Ids that carry meaning survive the rewriting: one object in two places stays one object."""
    model, _ = fitted("make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))")
    model.notes_ = [shared := {"a": 1}, shared, numpy.arange(3)]
    model.again_ = model.notes_[2]

    Skops().save(model, folder)
    loaded = Skops().load(folder, trust=False)

    assert loaded.notes_[0] is loaded.notes_[1]
    assert loaded.again_ is loaded.notes_[2]


def test_awkward_keys_of_a_users_dict_survive(fitted, folder):
    """A dict with the keys that the file format itself uses comes back as it was."""
    model, _ = fitted("Ridge()")
    model.notes_ = {"__loader__": 1, "__id__": 2, "file": "x.npy", "__class__": "y", "content": [1], "key_types": {"z": None}}

    Skops().save(model, folder)

    assert Skops().load(folder, trust=False).notes_ == model.notes_


class Doubler:
    """A user's own part of a model: its type is not known to be harmless."""

    def __init__(self) -> None:
        self.factor = 2


def test_a_type_of_the_users_own_is_refused_by_name_until_trusted(fitted, folder):
    """The refusal names the type; trust=True loads it; types.json said so at registration."""
    model, _ = fitted("Ridge()")
    model.extra_ = Doubler()
    name = f"{Doubler.__module__}.Doubler"
    Skops().save(model, folder)

    with pytest.raises(Refused, match="Doubler") as refused:
        Skops().load(folder, trust=False)

    assert refused.value.facts["types"] == (name,)
    assert "trust=True" in str(refused.value)
    assert json.loads((folder / "types.json").read_text())["need_trust"] == [name]
    assert Skops().load(folder, trust=True).extra_.factor == 2


CODE = {
    "a builtin that runs text": ("builtins", "eval", ["open({canary!r}, 'w').close()"]),
    "a numpy function that runs text": ("numpy.testing._private.utils", "runstring", ["open({canary!r}, 'w').close()", {}]),
    "a shell": ("os", "system", ["touch {canary}"]),
}


@pytest.mark.parametrize("case", CODE)
def test_a_crafted_file_that_calls_a_function_is_refused_and_runs_nothing(case, fitted, folder, tmp_path):
    """Functions of trusted packages are no more trusted than others: only exact harmless names load."""
    module, function, arguments = CODE[case]
    canary = tmp_path / "canary"
    model, _ = fitted("Ridge()")
    model.extra_ = tuple(part.format(canary=str(canary)) if isinstance(part, str) else part for part in arguments)
    Skops().save(model, folder)

    def plant(node):
        call = {"__class__": function, "__module__": module, "__loader__": "ConstructorFromReduceNode", "content": node["extra_"]}
        node["extra_"] = call

    _edit_attributes(folder / "model.skops", plant)

    with pytest.raises(Refused, match=function):
        Skops().load(folder, trust=False)
    assert not canary.exists()
    Skops().load(folder, trust=True)
    assert canary.exists()  # the file is live: only the refusal stood in its way


def test_no_function_that_runs_code_is_on_the_list():
    """The list is of exact names: a package, a prefix or a look-alike is not on it."""
    dangerous = [
        "builtins.eval",
        "builtins.getattr",
        "numpy.load",
        "numpy.testing._private.utils.runstring",
        "sklearn.utils._testing.exec",
        "sklearn.metrics._classification.accuracy_score.__globals__",
        "sklearn.model_selection._split.os",
        "sklearn.datasets._base.load_files",
        "xgboost.core.ctypes",
    ]

    assert not_harmless(dangerous) == tuple(sorted(dangerous))


def _edit_attributes(file: Path, edit) -> None:
    """Apply ``edit`` to the attributes of the outermost object of a skops file, with all members kept."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(members["schema.json"])
    edit(schema["content"]["content"])
    members["schema.json"] = json.dumps(schema).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)


def _damaged_tree(model, field: str, value: int):
    """The same fitted tree with one number of its second node changed, as a crafted file would have it."""
    from sklearn.tree._tree import Tree

    state = model.tree_.__getstate__()
    nodes = state["nodes"].copy()
    nodes[field][1] = value
    tree = Tree(model.tree_.n_features, numpy.array([2], dtype=numpy.intp), 1)
    tree.__setstate__({**state, "nodes": nodes})
    model.tree_ = tree
    return model


@pytest.mark.parametrize(
    ("field", "value"), [("left_child", 10**6), ("right_child", -7), ("left_child", 0), ("feature", 30), ("feature", -3)]
)
def test_a_tree_that_leads_outside_is_never_handed_out(field, value, fitted, folder):
    """A link out of the tree, a loop, or a column that is not there: Corrupt, and no crash at the first prediction."""
    model, _ = fitted("DecisionTreeClassifier(random_state=0)")
    Skops().save(_damaged_tree(model, field, value), folder)

    for trust in (False, True):
        with pytest.raises(Corrupt, match="outside its memory"):
            Skops().load(folder, trust=trust)


def test_a_tree_that_says_it_has_more_nodes_is_never_handed_out(fitted):
    """The count of nodes is a number of its own in the file; scikit-learn believes it."""
    model, _ = fitted("DecisionTreeClassifier(random_state=0)")
    state = model.tree_.__getstate__()
    model.tree_.__setstate__({**state, "node_count": state["node_count"] + 5})

    with pytest.raises(Corrupt, match="says it has"):
        check_trees(model)


def test_a_forest_whose_trees_expect_other_columns_is_never_handed_out(fitted):
    """A forest checks its input against one number only; every tree has to agree with it."""
    model, _ = fitted("RandomForestClassifier(3, random_state=0)")
    narrow, _ = fitted("DecisionTreeClassifier(random_state=0)")
    model.estimators_[1] = narrow.fit(numpy.eye(6)[:, :3], [0, 1, 0, 1, 0, 1])

    with pytest.raises(Corrupt, match="of 3 columns inside an ensemble of 30"):
        check_trees(model)


@pytest.mark.parametrize(("field", "value"), [("left", 10**6), ("right", 0), ("feature_idx", 31), ("bitset_idx", 4000)])
def test_a_boosted_tree_that_leads_outside_is_never_handed_out(field, value, fitted):
    """The same for the trees of HistGradientBoosting, with their sets of categories."""
    model, _ = fitted("HistGradientBoostingClassifier(max_iter=1, categorical_features=[0], max_bins=40, random_state=0)")
    nodes = model._predictors[0][0].nodes
    if field == "bitset_idx":
        nodes["is_categorical"][0] = 1
    nodes[field][0] = value

    with pytest.raises(Corrupt, match="outside its memory"):
        check_trees(model)


def test_bytes_of_no_skops_file_are_corrupt(fitted, folder):
    """Every way to be damaged is one error, with the cause attached, not a library's own."""
    model, _ = fitted("Ridge()")
    Skops().save(model, folder)
    raw = (folder / "model.skops").read_bytes()

    for damaged in (b"", b"PK", raw[: len(raw) // 2], raw.replace(b'"__loader__":"', b'"__loader__":"X'), raw.replace(b"NUMPY", b"NUMPX")):
        (folder / "model.skops").write_bytes(damaged)
        with pytest.raises(Corrupt, match=r"model\.skops cannot be read by skops") as failed:
            Skops().load(folder, trust=True)
        assert failed.value.__cause__ is not None


def test_a_model_of_a_class_that_is_gone_names_it(fitted, folder):
    """Another version of scikit-learn may lack the class: that is said, not called corrupt."""
    model, _ = fitted("Ridge()")
    Skops().save(model, folder)
    raw = (folder / "model.skops").read_bytes()
    with zipfile.ZipFile(folder / "model.skops") as archive:
        members = {name: archive.read(name).replace(b'"Ridge"', b'"Ridgy"') for name in archive.namelist()}
    with zipfile.ZipFile(folder / "model.skops", "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)

    assert b'"Ridge"' in raw
    with pytest.raises(BadInput, match="Ridgy"):
        Skops().load(folder, trust=True)


def test_a_registered_file_may_have_any_name(fitted, folder):
    """A .skops file registered by its path is found by its ending; two of them are ambiguous."""
    model, _ = fitted("Ridge()")
    Skops().save(model, folder)
    (folder / "model.skops").rename(folder / "churn-final.SKOPS")

    assert type(Skops().load(folder, trust=False)) is type(model)
    (folder / "other.skops").write_bytes(b"")
    with pytest.raises(BadInput, match="there are 2"):
        Skops().load(folder, trust=False)


def test_without_skops_the_error_says_what_to_install(fitted, folder, monkeypatch):
    """A missing extra is a line to copy, on save and on load."""
    model, _ = fitted("make_pipeline(StandardScaler(), Ridge())")
    Skops().save(model, folder)
    monkeypatch.setitem(sys.modules, "skops.io", None)

    with pytest.raises(BadInput, match=r'(?s)a sklearn Pipeline needs skops.*pip install "flowreg\[sklearn\]"'):
        Skops().save(model, folder)
    with pytest.raises(BadInput, match=r'pip install "flowreg\[sklearn\]"'):
        Skops().load(folder, trust=False)


def test_what_skops_cannot_save_says_so(fitted, folder):
    """An unsupported part is BadInput with skops' own reason."""
    model, _ = fitted("Ridge()")
    model.extra_ = (each for each in ())

    with pytest.raises(BadInput, match="skops cannot save this"):
        Skops().save(model, folder)
    assert not list(folder.iterdir())
