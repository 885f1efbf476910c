"""policy set, show, ls, check, remove."""

from __future__ import annotations

from pathlib import Path

from flowreg.core.policies import PolicyRecord
from flowreg.registry import Registry

from .conftest import POLICY, Cli, every_byte


def test_a_policy_comes_into_force_and_goes(cli: Cli, place: Path, policy_file: Path) -> None:
    """set, ls, show, remove: what is in force is shown."""
    assert "champion of churn is protected by 3 gates" in cli("policy", "set", str(policy_file), "--because", "rules").out
    assert "churn-prod" in cli("policy", "ls").out
    assert "recall[region=*] >= 0.70" in cli("policy", "show", "churn-prod").out
    assert cli("policy", "remove", "churn-prod").code == 2
    assert cli("policy", "remove", "churn-prod", "--because", "replaced").code == 0
    assert Registry(place).policies() == ()
    assert "every alias moves freely" in cli("policy", "ls").out


def test_policies_as_json_have_the_fields_of_the_record(cli: Cli, churn: Registry) -> None:
    """Field names are those of ``PolicyRecord``; the past is answered too."""
    for argv in (("policy", "ls", "--json"), ("policy", "show", "--json")):
        (record,) = cli(*argv).json
        assert set(record) == set(PolicyRecord.__dataclass_fields__)
    assert cli("policy", "show", "churn-prod", "--json").json["revision"] == 1
    assert cli("policy", "ls", "--as-of", "2020-01-01", "--json").json == []


def test_an_unknown_policy_is_not_found(cli: Cli, churn: Registry) -> None:
    """The error names those in force."""
    answer = cli("policy", "show", "nope")

    assert answer.code == 3
    assert "churn-prod" in answer.err
    assert cli("policy", "remove", "nope", "--because", "x").code == 3


def test_check_reads_a_file_and_writes_nothing(cli: Cli, place: Path, policy_file: Path) -> None:
    """A good file is explained, a bad one refused with the place of its mistake."""
    answer = cli("policy", "check", str(policy_file))

    assert answer.code == 0
    assert "3 gates for champion of churn" in answer.out
    assert cli("policy", "check", str(policy_file), "--json").json["gates"][0] == {"expr": POLICY["gates"][0]}
    policy_file.write_text("policy: x\nmodels: [churn]\nalias: champion\ngates: ['auc => 0.8']\n")
    wrong = cli("policy", "check", str(policy_file))
    assert wrong.code == 2
    assert "auc => 0.8" in wrong.err
    assert not place.exists()


def test_a_bad_policy_is_not_put_in_force(cli: Cli, churn: Registry, place: Path, policy_file: Path) -> None:
    """Exit code 2; what is in force stays."""
    policy_file.write_text("gates: !!python/object/apply:os.system ['echo hello']")
    before = every_byte(place)

    assert cli("policy", "set", str(policy_file)).code == 2
    assert every_byte(place) == before
