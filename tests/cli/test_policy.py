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


def test_a_new_policy_is_tried_on_the_past(cli: Cli, churn: Registry, place: Path, policy_file: Path) -> None:
    """``set --dry-run`` says which past promotions it would have blocked, and by which gate; nothing is written."""
    policy_file.write_text("policy: strict\nmodels: [churn]\nalias: champion\ndataset: holdout\ngates: ['recall[region=*] >= 0.75']\n")
    churn.flush()
    before = every_byte(place)
    answer = cli("policy", "set", str(policy_file), "--dry-run")

    assert "Of 1 past promotion it would have blocked 1:" in answer.out
    assert "recall[region=*] >= 0.75: 1/2 pass; south: 0.71, short by 0.04" in answer.out
    (told,) = cli("policy", "set", str(policy_file), "--dry-run", "--json").json["rehearsed"]
    assert (told["model"], told["version"], told["decision"]["outcome"]) == ("churn", 1, "blocked")
    assert every_byte(place) == before


def test_revisions_are_listed_and_compared(cli: Cli, churn: Registry, place: Path, policy_file: Path) -> None:
    """history has them all; diff shows what the last one changed, and what a file would."""
    policy_file.write_text(policy_file.read_text().replace("0.70", "0.72"))
    assert cli("policy", "set", str(policy_file)).code == 0
    history = cli("policy", "history", "churn-prod").out

    assert history.index("churn-prod@2") < history.index("churn-prod@1")
    assert [record["revision"] for record in cli("policy", "history", "churn-prod", "--json").json] == [1, 2]
    assert "+  expr: recall[region=*] >= 0.72" in cli("policy", "diff", "churn-prod").out
    assert "-  expr: recall[region=*] >= 0.70" in cli("policy", "diff", "churn-prod@1", str(policy_file)).out
    assert "say the same" in cli("policy", "diff", "churn-prod", str(policy_file)).out
    assert cli("policy", "diff", "churn-prod@9", "churn-prod").code == 3
    assert cli("policy", "history", "nope").code == 3


def test_the_schema_is_printed(cli: Cli) -> None:
    """As published with the package; the first line of a policy may name it for an editor."""
    assert cli("policy", "schema").json["title"] == "A policy of flowreg"
