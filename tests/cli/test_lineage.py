"""``flowreg lineage``: the tree that people see, and JSON and Mermaid for programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowreg import Lineage
from flowreg.lineage.graph import Edge, Node
from tests.tracing.conftest import LAKE, Family
from tests.tracing.conftest import family as family  # the fixture

from .conftest import Cli, every_byte

UP = """\
churn@1  retired: leaks  2026-11-22 by ana
├── made from base@1  2026-11-22 by ana
│   ├── trained on s3://lake/customers.parquet  sha256:{digest}…  12 rows
│   └── made by run retrain/fox-1
│       ├── at commit 3fa9c1000000
│       └── of deployment retrain/nightly
├── made by run retrain/fox-2
│   └── at commit 3fb000000000
└── measured on holdout
"""
DOWN = """\
base@1  2026-11-22 by ana
├── parent of churn@1  retired: leaks  2026-11-22 by ana
│   ├── parent of risk/score@1  2026-11-22 by ana
│   └── was alias churn@champion  since 2026-11-22 09:04:00 UTC, until 2026-11-22 09:06:00 UTC
└── read by run retrain/fox-2
"""


def fields(view: type) -> set[str]:
    return set(view.__dataclass_fields__)


def test_up_is_a_tree_of_where_it_comes_from(cli: Cli, family: Family) -> None:
    """Plain in a pipe: no colour, one line each."""
    digest = family.registry.lineage(data=LAKE).roots[0].removeprefix("dataset:sha256:")[:12]

    assert cli("lineage", "churn@1", "--up").out == UP.format(digest=digest)


def test_down_is_a_tree_of_what_came_of_it(cli: Cli, family: Family, place: Path) -> None:
    """Who is champion, who was and until when; and it writes nothing."""
    before = every_byte(place)

    assert cli("lineage", "base@1", "--down").out == DOWN
    assert every_byte(place) == before


def test_both_are_two_trees_with_titles(cli: Cli, family: Family) -> None:
    """Where nothing is recorded, that is said."""
    lines = cli("lineage", "risk/score@1").out.splitlines()

    assert lines[0] == "comes from"
    assert lines[lines.index("went into") :] == [
        "went into", "risk/score@1  2026-11-22 by ana", "  nothing is recorded that it went into",
    ]  # fmt: skip
    assert cli("lineage", "risk/score@1", "--up", "--down").out.splitlines() == lines


@pytest.mark.parametrize("asked", [("--data", LAKE), ("--run", "fox-1"), ("--commit", "3fa9c1")])
def test_other_things_can_be_asked_about(cli: Cli, family: Family, asked: tuple[str, str]) -> None:
    """A dataset, a run, a commit."""
    answer = cli("lineage", *asked, "--down")

    assert answer.code == 0
    assert "base@1" in answer.out
    assert "risk/score@1" in answer.out


def test_what_is_repeated_is_shown_once_and_what_is_cut_is_counted(cli: Cli, family: Family) -> None:
    """Both say how to see all."""
    family.registry.register("churn", {"w": 9}, trust="pickle", parents=["churn@2", "churn@1", "base@1"])

    assert "made from base@1  2026-11-22 by ana (shown above)" in cli("lineage", "churn@newest", "--up").out
    cut = cli("lineage", "base@1", "--down", "--last", "1", "--depth", "1").out.splitlines()
    assert cut[1:] == [
        "├── parent of churn@3  2026-11-22 by ana", "└── … 2 more", "  All of it: --last 0",
    ]  # fmt: skip
    assert "… 2 more, deeper" in cli("lineage", "churn@3", "--up", "--depth", "1").out


@pytest.mark.parametrize("width", [30, 50, 200])
def test_a_terminal_folds_long_lines_behind_their_branches(cli: Cli, family: Family, width: int) -> None:
    """No line is wider than the screen, and none of a branch starts at its left edge."""
    answer = cli("lineage", "churn@1", "--up", terminal=width)
    plain = [line.rstrip() for line in _without_colour(answer.out).splitlines()]

    assert max(map(len, plain)) <= width
    assert "\x1b[" in answer.out
    squeezed = "".join("".join(plain).replace("│", "").split())
    assert "s3://lake/customers.parquet" in squeezed
    starts = [line[:1] for line in plain[1:]]
    assert set(starts) <= {"├", "│", "└", " "} or width == 30


def test_text_of_people_is_no_markup(cli: Cli, family: Family) -> None:
    """Neither for a terminal nor for a pipe."""
    family.registry.register("x", {"w": 9}, trust="pickle", data=["s3://lake/[red]x[/red]/:smile:"])

    for terminal in (None, 100):
        assert "s3://lake/[red]x[/red]/:smile:" in _without_colour(cli("lineage", "x@1", "--up", terminal=terminal).out)


def test_json_has_the_fields_of_the_views(cli: Cli, family: Family) -> None:
    """All of it, whatever is cut for people."""
    said = cli("lineage", "churn@1", "--json", "--last", "1", "--depth", "1").json
    found = family.registry.lineage("churn@1")

    assert set(said) == fields(Lineage)
    assert set(said["nodes"][0]) == fields(Node)
    assert set(said["edges"][0]) == fields(Edge)
    assert (len(said["nodes"]), len(said["edges"])) == (len(found.nodes), len(found.edges))


def test_mermaid_is_a_flowchart(cli: Cli, family: Family) -> None:
    """And nothing else, so that it can be piped into a page."""
    answer = cli("lineage", "churn@1", "--mermaid")

    assert answer.out.startswith("flowchart LR\n")
    assert '["base@1"]' in answer.out
    assert cli("lineage", "churn@1", "--mermaid", "--json").code == 2


def test_the_past_can_be_asked(cli: Cli, family: Family) -> None:
    """Before it was retired."""
    assert "retired" not in cli("lineage", "churn@1", "--up", "--as-of", "2026-11-22T09:08:30Z").out


@pytest.mark.parametrize(("asked", "code"), [(("churn@9",), 3), (("--data", "nothing"), 3), ((), 2), (("churn@1", "--run", "x"), 2)])
def test_what_cannot_be_answered_is_an_error(cli: Cli, family: Family, asked: tuple[str, ...], code: int) -> None:
    """Not found, or no question."""
    assert cli("lineage", *asked).code == code


def test_a_damaged_model_is_named(cli: Cli, family: Family, place: Path) -> None:
    """Under the tree, with what to do."""
    for entry in sorted((place / "models" / "churn" / "journal").iterdir())[:1]:
        entry.unlink()
    (place / "heads" / "churn.json").unlink()

    out = cli("lineage", "base@1", "--down").out

    assert "churn could not be read, and may have more: " in out
    assert "flowreg check churn" in out


def _without_colour(text: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)
