"""register, evaluate, label: what is recorded, and what is refused before a byte is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowreg.registry import Registry

from .conftest import Cli, every_byte


def test_register_records_all_that_was_typed(cli: Cli, place: Path, model_file: Path, tmp_path: Path) -> None:
    """Metrics, slices, params, labels, data, card and reason arrive at the version."""
    card = tmp_path / "card.md"
    card.write_text("# A model")
    answer = cli(
        "register", str(model_file), "--model", "churn", "--metric", "auc=0.91", "--metric", "n=4000", "--on", "holdout",
        "--slice", "region=south:recall=0.69", "--param", "depth=6", "--param", "eta=0.1", "--param", "name=007", "--param", "early=true",
        "--label", "team=risk", "--data", "s3://lake/c.parquet", "--card", str(card), "--because", "nightly", "--json",
    )  # fmt: skip

    version = Registry(place).get("churn@1")
    assert answer.json["ref"] == version.ref
    assert version.metrics == {"auc": 0.91}
    assert version.evaluations[0].n == 4000
    assert Registry(place).slices(version.evaluations[0]) == [{"slice": {"region": "south"}, "metric": "recall", "value": 0.69, "n": None}]
    assert version.params == {"depth": 6, "eta": 0.1, "name": "007", "early": True}
    assert version.labels == {"team": "risk"}
    assert version.data[0].uri == "s3://lake/c.parquet"
    assert Registry(place).card(version) == "# A model"
    assert (version.because, version.by.actor) == ("nightly", "ana")
    assert version.run is not None
    assert version.run.environment is not None


def test_register_takes_a_folder(cli: Cli, place: Path, tmp_path: Path) -> None:
    """All files of a folder are one version."""
    (tmp_path / "m" / "deep").mkdir(parents=True)
    (tmp_path / "m" / "deep" / "a.txt").write_text("a")
    (tmp_path / "m" / "b.txt").write_text("b")

    assert "2 files" in cli("register", str(tmp_path / "m"), "--model", "churn").out
    assert set(Registry(place).files("churn@1")) == {"b.txt", "deep/a.txt"}


def test_the_same_key_again_is_the_same_version(cli: Cli, place: Path, model_file: Path) -> None:
    """A repeated registration says so, and makes no twin."""
    cli("register", str(model_file), "--model", "churn", "--key", "k1")

    answer = cli("register", str(model_file), "--model", "churn", "--key", "k1")

    assert "there already" in answer.out
    assert len(Registry(place).versions("churn")) == 1


def test_a_pickle_is_refused_unless_it_is_meant(cli: Cli, place: Path, tmp_path: Path) -> None:
    """Registering a pickle to be loaded as one needs ``--trust pickle``."""
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04K\x01.")

    plain = cli("register", str(path), "--model", "churn", "--json").json
    meant = cli("register", str(path), "--model", "churn", "--trust", "pickle", "--json").json

    assert (plain["loader"], meant["loader"]) == ("files", "pickle")


def test_evaluate_records_what_was_typed(cli: Cli, churn: Registry) -> None:
    """Metrics and slices become an evaluation."""
    answer = cli("evaluate", "churn@2", "--metric", "auc=0.93", "--on", "fresh", "--slice", "region=south:recall=0.75", "--json")

    assert answer.json["metrics"] == {"auc": 0.93}
    assert churn.get("churn@2").evaluations[-1].dataset == "fresh"
    assert churn.slices(churn.get("churn@2").evaluations[-1])[0]["value"] == 0.75


def test_evaluate_reads_a_file_and_what_is_typed_wins(cli: Cli, churn: Registry, tmp_path: Path) -> None:
    """``--from`` gives metrics, dataset and slices; NaN is read as text, as ``--json`` writes it."""
    path = tmp_path / "scores.json"
    path.write_text(
        json.dumps({"metrics": {"auc": 0.5, "loss": "NaN", "n": 9}, "on": "fresh", "slices": {"region=south": {"recall": 0.7}}})
    )

    said = cli("evaluate", "churn@2", "--from", str(path), "--metric", "auc=0.95", "--json").json

    assert said["metrics"] == {"auc": 0.95, "loss": "NaN"}
    assert (said["dataset"], said["n"]) == ("fresh", 9)
    assert said["table"] is not None


def test_label_sets_and_takes_away(cli: Cli, churn: Registry) -> None:
    """``NAME=TEXT`` sets, ``NAME=`` takes away."""
    answer = cli("label", "churn@1", "owner=ben", "team=")

    assert answer.code == 0
    assert churn.get("churn@1").labels == {"owner": "ben"}


HOSTILE = [
    ("--model", "../up"),
    ("--model", "a\x1b[31mb"),
    ("--model", ""),
    ("--model", "x" * 1_000_000),
    ("--model", "ok", "--metric", "auc=abc"),
    ("--model", "ok", "--metric", "auc=1e400"),
    ("--model", "ok", "--metric", "auc=True"),
    ("--model", "ok", "--metric", "auc=0x10"),
    ("--model", "ok", "--metric", "auc=١"),
    ("--model", "ok", "--metric", "auc=1_000"),
    ("--model", "ok", "--metric", "auc=" + "9" * 30),
    ("--model", "ok", "--metric", "auc=" + "9" * 100_000),
    ("--model", "ok", "--metric", "=1"),
    ("--model", "ok", "--metric", "auc"),
    ("--model", "ok", "--metric", "a\nb=1"),
    ("--model", "ok", "--metric", "a\udc80=1"),
    ("--model", "ok", "--metric", "auc=1", "--metric", "auc=2"),
    ("--model", "ok", "--slice", "recall=0.7"),
    ("--model", "ok", "--slice", "region:recall=0.7"),
    ("--model", "ok", "--param", "depth"),
    ("--model", "ok", "--param", "x=" + "y" * 1_000_000),
    ("--model", "ok", "--label", "team=a\x00b"),
    ("--model", "ok", "--key", "\x07"),
    ("--model", "ok", "--because", "\ud800"),
    ("--model", "ok", "--trust", "everything"),
    ("--model", "ok", "--parent", "nonsense"),
    ("--model", "ok", "--nonsense", "1"),
    (),
]


@pytest.mark.parametrize("argv", HOSTILE, ids=lambda argv: " ".join(argv)[:40].encode("unicode_escape").decode())
def test_what_cannot_be_meant_is_refused_and_nothing_is_written(argv: tuple[str, ...], cli: Cli, place: Path, model_file: Path) -> None:
    """Exit code 2, no traceback, short, printable text, and no byte below the root."""
    answer = cli("register", str(model_file), *argv)

    assert answer.code == 2
    assert answer.out == ""
    assert len(answer.err) < 1000
    assert all(line.isprintable() for line in answer.err.splitlines())
    assert not place.exists()


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", '{"metric": {"auc": 1}}', '{"metrics": {"auc": 1, "auc": 2}}', '{"metrics": {"auc": 1e999}}', '{"metrics": 3}',
        '{"metrics": {"auc": "high"}}', '{"metrics": {"auc": true}}', "[" * 100_000, '{"metrics": {"auc": ' + "9" * 10_000 + "}}", "\x00",
    ],
    ids=lambda text: text[:30],
)  # fmt: skip
def test_an_evaluation_file_that_cannot_be_meant_is_refused(text: str, cli: Cli, churn: Registry, place: Path, tmp_path: Path) -> None:
    """Exit code 2 and nothing written."""
    path = tmp_path / "scores.json"
    path.write_text(text)
    before = every_byte(place)

    assert cli("evaluate", "churn@1", "--from", str(path)).code == 2
    assert every_byte(place) == before


def test_an_evaluation_of_nothing_is_refused(cli: Cli, churn: Registry) -> None:
    """There must be a metric or a slice."""
    assert cli("evaluate", "churn@1").code == 2
    assert len(churn.get("churn@1").evaluations) == 1
