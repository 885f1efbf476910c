"""How things look: user text as it is, plain where nobody looks, readable where it is narrow."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from flowreg.cli.blocks import Block, Column, Grid, Line, Span, Tree
from flowreg.cli.paint import Screen, escaped, paint
from flowreg.registry import Registry

from .conftest import Cli

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
GRID = Grid(
    (Column("gate"), Column("found", wraps=True), Column("n", right=True)),
    ((Span("recall[region=*] >= 0.70", "name"), "3 of 4 pass; " + "the rest does not " * 5, "212"), ("[red]auc[/red]", ":smile:", "4000")),
)


def shown(*blocks: Block, width: int | None = None) -> str:
    stream = io.StringIO()
    paint(Screen(stream, terminal=width is not None, width=width), blocks)
    return stream.getvalue()


@pytest.mark.parametrize("width", [None, 200, 60, 40])
def test_user_text_is_never_markup(width: int | None) -> None:
    """Brackets and colons of people survive on every screen."""
    text = COLOURS.sub("", shown(GRID, width=width))

    assert "recall[region=*] >= 0.70" in text
    assert "[red]auc[/red]" in text
    assert ":smile:" in text


@pytest.mark.parametrize("width", [None, 100])
def test_control_characters_are_written_out(width: int | None) -> None:
    """No escape sequence, line end, bidirectional override or lone surrogate of a stranger reaches the terminal."""
    text = shown(Line.of("a\x1b]0;owned\x07b\nc\u202ed\udc80"), Grid((Column("x"),), (("y\x1b[2Jz",),)), width=width)

    assert r"a\x1b]0;owned\x07b\nc\u202ed\udc80" in text
    assert r"y\x1b[2Jz" in text
    assert "\x1b]" not in text
    assert "\x1b[2J" not in text


def test_letters_of_every_script_stay() -> None:
    """Escaping is for control characters, not for people's names."""
    assert escaped("Größe 模型 naïve") == "Größe 模型 naïve"


def test_a_pipe_gets_plain_aligned_text() -> None:
    """No colour, no box, nothing cut or wrapped however long, no spaces at the ends; columns start at one place."""
    lines = shown(GRID).splitlines()

    assert len(lines) == 3
    assert "\x1b" not in shown(GRID)
    assert all(line == line.rstrip() for line in lines)
    assert lines[1].index("3 of 4") == lines[2].index(":smile:") == lines[0].index("found")
    assert lines[1].endswith("212")


def test_wide_letters_keep_the_columns() -> None:
    """A letter of two columns counts as two."""
    first, second = shown(Grid((Column(""), Column("")), (("模型", "x"), ("abcd", "y")))).splitlines()

    assert (first, second) == ("模型  x", "abcd  y")


@pytest.mark.parametrize("width", [24, 40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int, cli: Cli, churn: Registry) -> None:
    """Everything fits, and no text is lost, however narrow."""
    for argv in (
        ("ls",),
        ("show", "churn"),
        ("show", "churn@2", "--slices"),
        ("history", "churn"),
        ("diff", "churn@1", "churn@2"),
        ("policy", "show"),
        ("doctor",),
    ):
        answer = cli(*argv, terminal=width)
        lines = COLOURS.sub("", answer.out).splitlines()
        assert answer.code == 0
        assert max(map(len, lines)) <= width
    assert "…" not in COLOURS.sub("", cli("ls", terminal=width).out)


def test_a_grid_too_wide_for_the_terminal_becomes_paragraphs() -> None:
    """Each row is a block of title and value."""
    text = COLOURS.sub("", shown(GRID, width=40))

    assert re.search(r"^gate +recall\[region=\*\] >= 0\.70", text, re.MULTILINE)
    assert re.search(r"^n +212", text, re.MULTILINE)


def test_colours_are_for_terminals_and_can_be_refused(cli: Cli, churn: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate that fails is red in a terminal, and not with NO_COLOR."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    colours = re.compile(r"\x1b\[(?:\d+;)*3[1-7]m")

    assert colours.search(cli("gates", "churn@2", "--to", "champion", terminal=100).out)
    assert colours.search(cli("show", "nope", terminal=100).err)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colours.search(cli("gates", "churn@2", "--to", "champion", terminal=100).out)


def test_an_actor_cannot_paint_the_terminal(cli: Cli, place: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who got past the door under a name with escape sequences (another writer may) is shown with them written out."""
    monkeypatch.setattr("flowreg.core.given.actor", lambda given: given)
    Registry(place, actor="\x1b[31mroot\x1b[0m").register("churn", model_file)

    for argv in (("show", "churn"), ("show", "churn@1"), ("history", "churn")):
        answer = cli(*argv)
        assert "\x1b" not in answer.out
        assert r"\x1b[31mroot" in answer.out


TREE = Tree(((0, ("root",)), (1, ("a",)), (2, (Span("b", "good"), " and c")), (3, ("d",)), (1, ("e",)), (2, ("f",)), (0, ("other",))))


@pytest.mark.parametrize("width", [None, 60])
def test_a_tree_joins_its_lines(width: int | None) -> None:
    """The same in a pipe and in a terminal."""
    assert [line.rstrip() for line in COLOURS.sub("", shown(TREE, width=width)).splitlines()] == [
        "root", "├── a", "│   └── b and c", "│       └── d", "└── e", "    └── f", "other",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [None, 200, 60, 30])
def test_a_tree_that_is_too_deep_for_the_screen_loses_no_line(width: int | None) -> None:
    """Where it cannot be indented any more, each line says how deep it is."""
    text = COLOURS.sub("", shown(Tree(tuple((depth, (f"node-{depth}",)) for depth in range(100))), width=width))

    assert re.findall(r"node-(\d+)", text) == [str(depth) for depth in range(100)]
    assert ("level 99: node-99" in text) == (width is not None)
    assert max(map(len, text.splitlines())) <= (width or 1000)
