"""The published JSON Schema is the language: what it takes and refuses is what policies take and refuse."""

import json

import jsonschema
import pytest

from flowreg.gates.published import FILE, json_schema, text

from .test_policy import YAML, Policy


@pytest.fixture(scope="module")
def validator():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


def test_the_published_file_is_current():
    """It is what the classes say; else run ``python -m flowreg.gates.published``."""
    assert FILE.read_text(encoding="utf-8") == text()


@pytest.mark.parametrize("name", YAML)
def test_policies_are_valid(validator, name):
    """Every golden policy, as it is stored."""
    validator.validate(Policy.parse(YAML[name]).to_json())


@pytest.mark.parametrize("extends", ["base", ["a", "b"], [{"policy": "base", "digest": "sha256:" + "0" * 64}]])
def test_parents_and_kinds_of_others_are_valid(validator, extends):
    """Every form of ``extends``, and a gate that an installed package brings."""
    gates = ["auc > 1", {"check": "carbon", "kg": 5}]
    validator.validate({"policy": "x", "models": ["churn"], "alias": "champion", "extends": extends, "gates": gates})


@pytest.mark.parametrize(
    "gate",
    [
        {"expr": "auc > 1", "sevrity": "warn"},
        {"check": "scan", "pickle": "ok"},
        {"check": "approval"},
        {"check": 5},
        0.85,
        {"any_of": ["a > 1"]},
    ],
)
def test_slips_are_seen_by_an_editor(validator, gate):
    """An unknown key, a wrong value, a missing key, no gate at all."""
    assert not validator.is_valid({"policy": "x", "models": ["churn"], "alias": "champion", "gates": [gate]})


def test_the_file_is_part_of_the_package_and_small():
    """It lies beside the modules, and an editor reads it at once."""
    assert FILE.parent.name == "gates"
    assert len(json.dumps(json_schema())) < 20_000
