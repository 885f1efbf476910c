"""ls, show, history, diff, fetch: what they print for people and for programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowreg.core.events import Run
from flowreg.core.views import Difference, Evaluation, HistoryLine, ModelLine, Version
from flowreg.registry import Registry

from .conftest import Cli, every_byte


def fields(view: type) -> set[str]:
    return set(view.__dataclass_fields__)


def test_an_empty_root_says_how_to_begin(cli: Cli, place: Path) -> None:
    """``ls`` of nothing is no error, names the root, and creates nothing."""
    answer = cli("ls")

    assert answer.code == 0
    assert f"No models in {place}" in answer.out
    assert "flowreg register" in answer.out
    assert not place.exists()


def test_ls_shows_newest_aliases_metric_and_author(cli: Cli, churn: Registry) -> None:
    """A row says what is newest, who holds which alias, and the metric that was asked for."""
    head, row = (line.split() for line in cli("ls", "--metric", "auc").out.splitlines())

    assert head == ["model", "newest", "champion", "auc", "registered", "by"]
    assert row[:4] == ["churn", "2", "1", "0.9"]
    assert row[-1] == "ben"


def test_many_aliases_share_a_column(cli: Cli, churn: Registry) -> None:
    """More aliases than fit as columns are listed in one."""
    for alias in ("a1", "b1", "c1", "d1"):
        churn.promote("churn@2", to=alias)
    churn.flush()

    assert "champion 1, a1 2, b1 2, c1 2, d1 2" in cli("ls").out


def test_ls_as_json_has_the_fields_of_the_view(cli: Cli, churn: Registry) -> None:
    """Field names for programs are those of ``ModelLine``."""
    (line,) = cli("ls", "--json").json

    assert set(line) == fields(ModelLine)
    assert (line["model"], line["newest"], line["aliases"]) == ("churn", 2, {"champion": 1})


def test_show_of_a_model_lists_versions_newest_first(cli: Cli, churn: Registry) -> None:
    """The table has a row for each version, with aliases, metrics and labels."""
    lines = cli("show", "churn").out.splitlines()

    assert lines[0] == "churn  2 versions; champion is churn@1"
    assert [line.split()[0] for line in lines[2:4]] == ["2", "1"]
    assert "champion" in lines[3]
    assert "team=risk" in lines[3]


def test_show_cuts_a_long_list_and_says_so(cli: Cli, churn: Registry) -> None:
    """``--last`` limits the rows for people, not the JSON."""
    answer = cli("show", "churn", "--last", "1")

    assert "1 older not shown; all 2 with --last 0" in answer.out
    assert len(cli("show", "churn", "--last", "1", "--json").json) == 2


def test_show_of_a_version_tells_all(cli: Cli, churn: Registry) -> None:
    """Digest, metrics, slices, params and files of one version are on its sheet."""
    text = cli("show", "churn@champion", "--slices").out

    assert text.startswith("churn@1  champion\n")
    for said in (churn.get("churn@1").digest, "depth=6", "team=risk", "0.87", "4000", "region=south", "0.71", "model.bin"):
        assert said in text


def test_show_of_a_version_leads_to_its_run_and_deployment(cli: Cli, churn: Registry) -> None:
    """The pages of both in Prefect's interface are there to be clicked."""
    run = Run(
        flow="train",
        flow_run="0199",
        flow_run_name="owl",
        deployment="train/nightly",
        deployment_id="0300",
        url="http://h/v2/runs/flow-run/0199",
    )
    churn.register("risk/next", {"w": 1}, trust="pickle", run=run)

    text = " ".join(cli("show", "risk/next@1").out.split())

    assert "http://h/v2/runs/flow-run/0199" in text
    assert "train/nightly http://h/v2/deployments/deployment/0300" in text


def test_show_of_a_version_tells_its_lineage(cli: Cli, churn: Registry, model_file: Path) -> None:
    """Data, parents and the environment that registered it are on the sheet."""
    cli("register", str(model_file), "--model", "risk/next", "--parent", "churn@1", "--data", "s3://lake/c.parquet")

    text = cli("show", "risk/next@1").out

    assert "s3://lake/c.parquet" in text
    assert "churn@1 sha256:" in text
    assert "Python 3." in text


def test_show_as_json_has_the_fields_of_the_views(cli: Cli, churn: Registry) -> None:
    """A version in JSON has the fields of ``Version``, its evaluations those of ``Evaluation``, and files and slices beside."""
    value = cli("show", "churn@2", "--slices", "--json").json

    assert set(value) == fields(Version) | {"ref", "stamp", "files"}
    assert set(value["evaluations"][0]) == fields(Evaluation) | {"slices"}
    assert {"slice": {"region": "south"}, "metric": "recall", "value": 0.69, "n": None} in value["evaluations"][0]["slices"]


def test_numbers_that_json_lacks_are_text(cli: Cli, churn: Registry) -> None:
    """A diverged metric is NaN as text in JSON, and shown to people."""
    churn.evaluate("churn@2", {"loss": float("nan"), "worst": float("inf")}, on="holdout")

    metrics = cli("show", "churn@2", "--json").json["metrics"]

    assert (metrics["loss"], metrics["worst"]) == ("NaN", "Infinity")
    assert "nan" in cli("show", "churn@2").out


def test_history_tells_what_happened_newest_first(cli: Cli, churn: Registry) -> None:
    """The newest line comes first; reasons stand as they were written, brackets too."""
    lines = cli("history", "churn").out.splitlines()

    assert "try [region=*] again" in lines[1]
    assert any("champion promoted: nobody → version 1" in line and "the first" in line for line in lines)
    assert lines[-1].split()[-2:] == ["version", "1"]


def test_history_as_json_has_the_fields_of_the_view(cli: Cli, churn: Registry) -> None:
    """Every line has the fields of ``HistoryLine``; moments are RFC 3339; the oldest comes first."""
    lines = cli("history", "churn", "--json").json

    assert all(set(line) == fields(HistoryLine) for line in lines)
    assert lines[0]["kind"] == "version_registered"
    assert lines[0]["at"].endswith("Z")


def test_diff_shows_only_what_differs(cli: Cli, churn: Registry) -> None:
    """Metrics with the change, what is gone and what is new; equal things are left out."""
    text = cli("diff", "churn@1", "churn@2").out

    assert any(line.split() == ["metrics", "auc", "0.87", "0.9", "+0.03"] for line in text.splitlines())
    assert any(line.split() == ["params", "depth", "6", "-", "gone"] for line in text.splitlines())
    assert set(cli("diff", "churn@1", "churn@2", "--json").json) == fields(Difference)
    assert "are the same" in cli("diff", "churn@1", "churn@1").out


def test_numbers_that_differ_never_look_alike(cli: Cli, churn: Registry) -> None:
    """Where six digits are too few to tell two values apart, all of them are shown."""
    churn.evaluate("churn@1", {"f1": 0.12345678}, on="holdout")
    churn.evaluate("churn@2", {"f1": 0.12345679}, on="holdout")

    text = cli("diff", "churn@1", "churn@2").out

    assert "0.12345678" in text
    assert "0.12345679" in text


def test_as_of_answers_for_the_past(cli: Cli, churn: Registry) -> None:
    """Before anything happened there was nothing: no models, no such version."""
    assert cli("ls", "--as-of", "2020-01-01", "--json").json == []
    assert cli("show", "churn@1", "--as-of", "2020-01-01").code == 3
    assert cli("history", "churn", "--as-of", "2020-01-01", "--json").json == []
    first = cli("history", "churn", "--json").json[0]["at"]
    assert cli("ls", "--as-of", first, "--json").json[0]["newest"] == 1


def test_fetch_brings_the_files(cli: Cli, churn: Registry, tmp_path: Path) -> None:
    """The files of the version are in the new folder."""
    answer = cli("fetch", "churn@champion", "--into", str(tmp_path / "here"))

    assert answer.code == 0
    assert every_byte(tmp_path / "here") == {"model.bin": b"the bytes of a model"}
    assert "every byte verified" in answer.out


def test_fetch_refuses_a_folder_with_something_in_it(cli: Cli, churn: Registry, tmp_path: Path) -> None:
    """What is there is not touched."""
    before = every_byte(tmp_path)

    assert cli("fetch", "churn@1", "--into", str(tmp_path)).code == 4
    assert every_byte(tmp_path) == before


@pytest.mark.parametrize("argv", [("--root", "{place}", "ls", "--json"), ("ls", "--root", "{place}", "--json")])
def test_the_root_may_be_said_before_or_after_the_verb(
    argv: tuple[str, ...], churn: Registry, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--root`` stands wherever one types it."""
    from flowreg.cli.app import run

    assert run([text.format(place=place) for text in argv]) == 0
    assert '"churn"' in capsys.readouterr().out


def test_the_environment_says_the_root(
    churn: Registry, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``$FLOWREG_ROOT`` counts where no root is typed."""
    from flowreg.cli.app import run

    monkeypatch.setenv("FLOWREG_ROOT", str(place))

    assert run(["ls"]) == 0
    assert "churn" in capsys.readouterr().out
