"""Policies: one meaning in YAML, JSON and Python; whatever cannot be meant is refused with its place."""

import io
import json
import pickle
import subprocess
import sys

import pytest
from pydantic import ValidationError

from flowreg.core.policies import PolicyRecord
from flowreg.errors import BadInput, NotFound
from flowreg.gates import AnyOf, Approval, Compare, Drift, Expr, Metadata, Policy, PyGate, Scan, Schema

YAML = {
    "churn-basic": """
policy: churn-basic                 # a small team's first policy
models: [churn]
alias: champion
dataset: holdout-2026q4
no_baseline: skip                   # the first promotion has no champion
gates:
  - auc >= 0.85
  - auc >= champion.auc - 0.005
  - brier <= 0.12
""",
    "credit-sr11-7": """
policy: credit-sr11-7               # regulated credit scoring
models: ["credit-*"]
alias: champion
dataset: oot-2026h1
decision_ttl: 14 d
override: {by: [model-risk-*]}
gates:
  - {expr: "auc >= 0.78", why: "Model Risk Policy 4.2"}
  - {expr: "recall[region=*] >= 0.70", min_n: 300, slices_min: 4, why: "Policy 4.5 regional fairness"}
  - {expr: "abs(approval_rate[sex=F] - approval_rate[sex=M]) <= 3%", why: "adverse impact review"}
  - check: metadata
    require: [card.intended_use, card.limitations, owner, dataset.digest, signature, git.commit, run.id]
  - {check: scan, pickle: forbid}
  - {check: approval, by: [model-risk], count: 2, not_author: true, valid_days: 14}
""",
    "fraud-noninferior": """
policy: fraud-noninferior           # not worse, and better at something
models: [fraud]
alias: champion
dataset: labelled-last-60d
gates:
  - {check: compare, metric: roc_auc, test: non_inferiority, margin: 0.004}
  - any_of:
      - {check: compare, metric: roc_auc, test: superiority}
      - latency_p95 <= current.latency_p95 * 80%
      - artifact.size <= current.artifact.size * 80%
    id: better-somewhere
  - {check: compare, metric: recall, test: no_harm, severity: warn}
  - data.age <= 60 d
""",
    "vision-edge": """
policy: vision-edge                 # size and latency budget on a device
models: [defect-detector]
alias: edge
dataset: line3-golden
gates:
  - map50 >= current.map50 * 99%
  - latency_p95 <= 40 ms
  - artifact.size <= 50 MB
  - {expr: "artifact.size <= current.artifact.size * 1.1", severity: warn}
  - {check: scan, pickle: forbid, formats: [onnx]}
""",
    "demand-autopromote": """
policy: demand-autopromote          # nightly retraining, no person
models: ["demand-*"]
alias: champion
dataset: last-28d
gates:
  - wape <= champion.wape * 1.00
  - {expr: "wape[store=*] <= champion.wape[store=*] * 1.10", min_n: 50, severity: warn}
  - abs(bias) <= 2%
  - data.age <= 2 d
  - {check: schema, compatible_with: champion, mode: backward}
  - {check: drift, window: 7d, max_features: 2, psi: 0.2, severity: warn}
""",
    "ranker-canary-to-champion": """
policy: ranker-canary-to-champion   # from canary to everyone
models: [ranker]
alias: champion
dataset: live-traffic
gates:
  - shadow.hours >= 24
  - live.requests >= 5000
  - live.error_rate <= 0.5%
  - live.latency_p99 <= current.live.latency_p99 + 20 ms
  - {expr: "live.srm_p > 0.001", why: "sample ratio mismatch: the split itself is broken"}
  - {check: python, call: "mygates:no_open_incident", args: {service: ranker}}
  - {check: approval, by: [ml-leads]}
""",
}
PYTHON = {
    "churn-basic": lambda: Policy(
        policy="churn-basic",
        models=["churn"],
        alias="champion",
        dataset="holdout-2026q4",
        no_baseline="skip",
        gates=["auc >= 0.85", "auc >= champion.auc - 0.005", "brier <= 0.12"],
    ),
    "credit-sr11-7": lambda: Policy(
        policy="credit-sr11-7",
        models=["credit-*"],
        alias="champion",
        dataset="oot-2026h1",
        decision_ttl="14d",
        override={"by": ["model-risk-*"]},
        gates=[
            Expr(expr="auc >= 0.78", why="Model Risk Policy 4.2"),
            Expr(expr="recall[region=*] >= 0.70", min_n=300, slices_min=4, why="Policy 4.5 regional fairness"),
            Expr(expr="abs(approval_rate[sex=F] - approval_rate[sex=M]) <= 3%", why="adverse impact review"),
            Metadata(require=["card.intended_use", "card.limitations", "owner", "dataset.digest", "signature", "git.commit", "run.id"]),
            Scan(pickle="forbid"),
            Approval(by=["model-risk"], count=2, not_author=True, valid_days=14),
        ],
    ),
    "fraud-noninferior": lambda: Policy(
        policy="fraud-noninferior",
        models=["fraud"],
        alias="champion",
        dataset="labelled-last-60d",
        gates=[
            Compare(metric="roc_auc", test="non_inferiority", margin=0.004),
            AnyOf(
                id="better-somewhere",
                any_of=[
                    Compare(metric="roc_auc", test="superiority"),
                    "latency_p95 <= current.latency_p95 * 80%",
                    "artifact.size <= current.artifact.size * 80%",
                ],
            ),
            Compare(metric="recall", test="no_harm", severity="warn"),
            "data.age <= 60 d",
        ],
    ),
    "vision-edge": lambda: Policy(
        policy="vision-edge",
        models=["defect-detector"],
        alias="edge",
        dataset="line3-golden",
        gates=[
            "map50 >= current.map50 * 99%",
            "latency_p95 <= 40 ms",
            "artifact.size <= 50 MB",
            Expr(expr="artifact.size <= current.artifact.size * 1.1", severity="warn"),
            Scan(pickle="forbid", formats=["onnx"]),
        ],
    ),
    "demand-autopromote": lambda: Policy(
        policy="demand-autopromote",
        models=["demand-*"],
        alias="champion",
        dataset="last-28d",
        gates=[
            "wape <= champion.wape * 1.00",
            Expr(expr="wape[store=*] <= champion.wape[store=*] * 1.10", min_n=50, severity="warn"),
            "abs(bias) <= 2%",
            "data.age <= 2 d",
            Schema(compatible_with="champion", mode="backward"),
            Drift(window="7d", max_features=2, psi=0.2, severity="warn"),
        ],
    ),
    "ranker-canary-to-champion": lambda: Policy(
        policy="ranker-canary-to-champion",
        models=["ranker"],
        alias="champion",
        dataset="live-traffic",
        gates=[
            "shadow.hours >= 24",
            "live.requests >= 5000",
            "live.error_rate <= 0.5%",
            "live.latency_p99 <= current.live.latency_p99 + 20 ms",
            Expr(expr="live.srm_p > 0.001", why="sample ratio mismatch: the split itself is broken"),
            PyGate(call="mygates:no_open_incident", args={"service": "ranker"}),
            Approval(by=["ml-leads"]),
        ],
    ),
}


def basic(**fields):
    return Policy(**{"policy": "basic", "models": ["churn"], "alias": "champion", "gates": ["auc >= 0.85"], **fields})


@pytest.mark.parametrize("name", YAML)
def test_yaml_json_and_python_say_the_same(name):
    """A policy is equal field for field, however it is written, and so is what it is stored as."""
    from_yaml, from_python = Policy.parse(YAML[name]), PYTHON[name]()

    assert from_yaml == from_python
    assert from_yaml.to_json() == from_python.to_json()
    assert Policy.parse(json.dumps(from_yaml.to_json(), indent="\t")) == from_yaml
    assert Policy.parse(from_yaml.to_json()) == from_yaml
    assert pickle.loads(pickle.dumps(from_yaml)) == from_yaml


def test_what_is_stored_leaves_defaults_out():
    """The stored form says what was said and nothing more, so that writing a default out changes no digest."""
    spelled_out = basic(no_baseline="fail", decision_ttl="24 h", gates=[{"expr": " auc >= 0.85 ", "severity": "fail", "why": None}])

    assert spelled_out.to_json() == {"policy": "basic", "models": ["churn"], "alias": "champion", "gates": [{"expr": "auc >= 0.85"}]}
    assert spelled_out == basic()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"gates": [{"expr": "auc > 1", "sevrity": "warn"}]}, ["'sevrity' is not a key", "gates[0].sevrity", "did you mean severity?"]),
        ({"gats": ["auc > 1"]}, ["'gats' is not a key of a policy", "did you mean gates?"]),
        ({"gates": []}, ["a policy needs 1 or more under gates"]),
        ({"models": []}, ["a policy needs 1 or more under models"]),
        ({"models": "churn"}, ["models is a list, not 'churn'"]),
        ({"gates": "auc > 1"}, ["gates is a list"]),
        ({"gates": [{"check": "scam", "pickle": "forbid"}]}, ["no gate of the kind 'scam'", "'expr', 'any_of', 'metadata'"]),
        ({"gates": [{"check": ["metadata"]}]}, ["no gate of the kind"]),
        ({"gates": [{"auc": 0.85}]}, ["{'auc': 0.85} is not a gate"]),
        ({"gates": [0.85]}, ["0.85 is not a gate"]),
        ({"gates": [None]}, ["None is not a gate"]),
        ({"gates": [{"expr": 5}]}, ["expr is text, not 5", "put it in quotes"]),
        ({"gates": [{1: 2, "expr": "auc > 1"}]}, ["a key is text, not 1", "gates[0]"]),
        ({"override": {1: 2, "by": ["ana"]}}, ["a key is text, not 1", "override"]),
        ({"gates": [{"any_of": ["auc > 1", {None: 2, "expr": "auc > 1"}]}]}, ["a key is text, not None"]),
        ({"gates": [{"expr": "auc > 1", "any_of": ["auc > 1", "f1 > 1"]}]}, ["'expr' is not a key of an any_of gate"]),
        ({"gates": [{"expr": "auc > 1", "severity": "error"}]}, ["severity cannot be 'error'"]),
        ({"gates": [{"expr": "auc > 1", "min_n": "300"}]}, ["min_n cannot be '300'"]),
        ({"gates": [{"expr": "auc > 1", "min_n": True}]}, ["min_n cannot be True"]),
        ({"gates": [{"expr": "auc > 1", "min_n": 0}]}, ["min_n cannot be 0"]),
        ({"gates": [{"expr": "auc > 1", "slices_min": 3}]}, ["auc > 1 has no [key=*]"]),
        ({"gates": [{"expr": "auc > 1"}, {"expr": "artifact.size < 1", "min_n": 3}]}, ["artifact.size < 1 has no metric", "gates[1]"]),
        ({"gates": [{"any_of": ["auc > 1"]}]}, ["an any_of gate needs 2 or more under any_of"]),
        ({"gates": [{"any_of": ["auc > 1", {"any_of": ["auc > 1", "f1 > 1"]}]}]}, ["any_of stands inside any_of"]),
        ({"gates": [{"any_of": ["auc > 1", {"expr": "f1 > 1", "severity": "warn"}]}]}, ["no severity of its own"]),
        ({"gates": [{"any_of": ["auc > 1", {"expr": "f1 > 1", "xx": 1}]}]}, ["'xx' is not a key", "gates[0].any_of[1].xx"]),
        ({"gates": [{"check": "metadata", "require": []}]}, ["a metadata gate needs 1 or more under require"]),
        ({"gates": [{"check": "metadata", "require": ["a..b"]}]}, ["require[0] cannot be 'a..b'"]),
        ({"gates": [{"check": "metadata"}]}, ["a metadata gate needs require"]),
        ({"gates": ["auc => 1"]}, ["cannot read gate at column 5", "gates[0]"]),
        ({"gates": [{"any_of": ["auc > 1", "auc => 1"]}]}, ["cannot read gate at column 5", "gates[0].any_of[1]"]),
        ({"gates": ["champion.auc >= 0.85"]}, ["no gate of this policy looks at the candidate"]),
        ({"gates": [{"expr": "auc > 1", "id": "a"}, {"expr": "f1 > 1", "id": "a"}]}, ["two gates have the id a"]),
        ({"gates": [{"check": "scan", "pickle": "ok"}]}, ["pickle cannot be 'ok'", "gates[0].pickle"]),
        ({"gates": [{"check": "scan", "formats": ["exe"]}]}, ["formats[0] cannot be 'exe'"]),
        ({"gates": [{"check": "scan", "names": ["os.system"]}]}, ["names is for pickle: scan"]),
        ({"gates": [{"check": "approval"}]}, ["an approval gate needs by"]),
        ({"gates": [{"check": "approval", "by": ["a"], "count": 0}]}, ["count cannot be 0"]),
        ({"gates": [{"check": "drift", "window": "soon"}]}, ["'soon' is not a time"]),
        ({"gates": [{"check": "python", "call": "os.system('x')"}]}, ["call cannot be"]),
        ({"gates": [{"check": "python", "call": "a:b", "args": {"x": [float("inf")]}}]}, ["args cannot be handed over"]),
        ({"gates": [{"check": "python", "call": "a:b", "timeout_s": 0}]}, ["timeout_s cannot be 0"]),
        ({"gates": [{"check": "schema", "mode": "forward"}]}, ["mode cannot be 'forward'"]),
        ({"extends": [5]}, ["extends"]),
        ({"extends": "a b"}, ["policy cannot be 'a b'", "extends[0].policy"]),
        ({"alias": "latest"}, ["'latest' cannot name an alias"]),
        ({"alias": None}, ["alias is text, not None"]),
        ({"models": ["../etc"]}, ["'../etc' cannot name models", "models[0]"]),
        ({"models": ["a[bc]"]}, ["'a[bc]' cannot name models"]),
        ({"models": [""]}, ["'' cannot name models"]),
        ({"policy": "a b"}, ["policy cannot be 'a b'"]),
        ({"dataset": ""}, ["is empty"]),
        ({"dataset": "a\x1b[31m"}, ["control characters"]),
        ({"dataset": "\ud800"}, ["dataset cannot be"]),
        ({"no_baseline": "ignore"}, ["no_baseline cannot be 'ignore'"]),
        ({"decision_ttl": "soon"}, ["'soon' is not a time", "24h"]),
        ({"decision_ttl": "0h"}, ["'0h' is not a time"]),
        ({"decision_ttl": "9999d"}, ["at most 366d"]),
        ({"override": {"by": []}}, ["override needs 1 or more under by"]),
        ({"override": True}, ["override cannot be True"]),
        ({"override": {"by": ["ana"], "unless": "x"}}, ["'unless' is not a key of override"]),
    ],
)
def test_what_cannot_be_meant_is_refused(fields, said):
    """Each slip in a policy is a ``BadInput`` that names the key and the allowed form, in Python as in YAML and JSON."""
    with pytest.raises(BadInput) as in_python:
        basic(**fields)
    with pytest.raises(BadInput) as parsed:
        Policy.parse(basic().to_json() | fields)

    for words in said:
        assert words in str(in_python.value)
    assert str(parsed.value) == str(in_python.value)
    assert "\x1b" not in str(in_python.value)


def test_a_policy_without_gates_does_not_load():
    """No gates is not a permission."""
    with pytest.raises(BadInput, match="a policy needs gates"):
        Policy(policy="basic", models=["churn"], alias="champion")


def test_a_policy_is_frozen():
    """What was judged by cannot be changed afterwards."""
    with pytest.raises(ValidationError):
        basic().alias = "other"


@pytest.mark.parametrize(
    ("models", "model", "covered"),
    [
        (["churn"], "churn", True),
        (["churn"], "Churn", False),
        (["churn"], "churn2", False),
        (["credit-*"], "credit-eu", True),
        (["*"], "risk/churn", True),
        (["risk/*"], "risk/churn", True),
        (["risk/*"], "churn", False),
        (["a?c", "x"], "abc", True),
        (["a.c"], "abc", False),
    ],
)
def test_globs_say_which_models_are_covered(models, model, covered):
    """A pattern covers exact names, with * for any text; and only the policy's own alias is covered."""
    policy = basic(models=models)

    assert policy.covers(model, "champion") is covered
    assert not policy.covers(model, "challenger")


def test_mentions_are_what_the_expressions_compare_with():
    """Aliases and versions are found in every gate, also inside any_of; ``current`` is always there and not listed."""
    policy = basic(
        gates=["auc >= champion.auc", {"any_of": ["f1 > v7.f1", "f1 > canary.f1[a=*]"]}, "artifact.size < current.artifact.size"]
    )

    assert policy.mentions() == (frozenset({"champion", "canary"}), frozenset({7}))


def test_overriding_is_for_those_the_policy_names():
    """Nobody may go over the gates unless the policy says who."""

    def allowed(actor, **fields):
        text = basic(**fields).to_json()
        return PolicyRecord("basic", 1, ("churn",), "champion", "sha256:" + "0" * 64, text, 1, "", "").allows_override_by(actor)

    assert [allowed(actor, override={"by": ["ana", "risk-*"]}) for actor in ("ana", "risk-ben", "Ana", "eve")] == [True, True, False, False]
    assert not allowed("ana")


@pytest.mark.parametrize(("written", "seconds"), [("24h", 86400), ("90 min", 5400), ("7d", 604800), ("30s", 30)])
def test_a_decision_lives_for_a_duration(written, seconds):
    """The life of a decision is a number with a unit."""
    assert basic(decision_ttl=written).decision_ttl_s == seconds


def test_a_policy_is_loaded_from_a_file(tmp_path):
    """A path, an open file and a stream of bytes give the same policy."""
    path = tmp_path / "churn.yaml"
    path.write_text("\ufeff" + YAML["churn-basic"], encoding="utf-8")

    assert Policy.load(path) == Policy.load(str(path)) == Policy.parse(YAML["churn-basic"])
    assert Policy.load(io.StringIO(YAML["churn-basic"])) == Policy.load(io.BytesIO(YAML["churn-basic"].encode())) == Policy.load(path)


def test_an_error_in_a_file_has_its_line(tmp_path):
    """The place of a slip is its path in the policy, its line and column, and the file."""
    path = tmp_path / "churn.yaml"
    path.write_text(YAML["churn-basic"].replace("brier <= 0.12", "brier =< 0.12"))
    with pytest.raises(BadInput) as caught:
        Policy.load(path)

    assert "cannot read gate at column 7" in caught.value.what
    assert caught.value.where == f"gates[2], line 10, column 5 of {str(path)!r}"


def test_an_error_in_a_json_file_has_its_line(tmp_path):
    """JSON is told its place too, also where it is indented with tabs."""
    path = tmp_path / "churn.json"
    head = '{\n\t"policy": "x", "models": ["churn"], "alias": "champion",\n\t"gates": ["auc > 1",\n'
    path.write_text(head + '\t\t{"expr": "f1 > 1", "sevrity": "warn"}]\n}')
    with pytest.raises(BadInput) as caught:
        Policy.load(path)

    assert caught.value.where == f"gates[1].sevrity, line 4, column 22 of {str(path)!r}"


def test_files_that_hold_no_policy_are_refused(tmp_path):
    """No file, a folder, bytes that are no text, and a file that is too long each say what they are."""
    binary, long = tmp_path / "binary", tmp_path / "long"
    binary.write_bytes(b"policy: \xff\xfe")
    long.write_bytes(b"#" * 1_000_000)

    with pytest.raises(NotFound, match="there is no policy file"):
        Policy.load(tmp_path / "missing.yaml")
    with pytest.raises(BadInput, match="cannot be read"):
        Policy.load(tmp_path)
    with pytest.raises(BadInput, match="not UTF-8"):
        Policy.load(binary)
    with pytest.raises(BadInput, match="too long for a policy"):
        Policy.load(long)
    with pytest.raises(BadInput, match="cannot be read"):
        Policy.load("a\x00b")


def test_importing_gates_is_light():
    """The package brings no parser and no numerics: those are imported when the first expression is read."""
    code = "import sys, flowreg.gates; print([m for m in ('lark', 'numpy', 'scipy', 'yaml', 'pandas', 'prefect') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"
