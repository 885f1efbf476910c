"""The rows of a tree: in order, nothing twice, nothing left out in silence, whatever the shape."""

from __future__ import annotations

from typing import Literal

import pytest

from flowreg.core.events import Dataset
from flowreg.lineage.graph import Direction, Graph, Lineage, Row, mermaid, rows, walking
from flowreg.lineage.graph.naming import lineage

from .histories import family, parent, run, told, version
from .test_walking import key

WALKS = {"up": walking.above, "down": walking.below, "both": walking.both}


def answered(graph: Graph, start: str, direction: Direction) -> Lineage:
    return lineage(graph, [start], direction, WALKS[direction](graph, [start]), as_of=None, unread=())


def sketch(told: tuple[Row, ...]) -> list[str]:
    return [
        f"{' ' * row.depth}{f'{row.words} ' if row.words else ''}{row.node.name}{'!' if row.again else ''}"
        if row.node else f"{' ' * row.depth}…{row.left_out}"
        for row in told
    ]  # fmt: skip


@pytest.mark.parametrize("direction", ["up", "both"])
def test_up_reads_from_what_was_asked_to_where_it_began(direction: Direction) -> None:
    """Data first, then parents, then the run; what was shown before stands alone. The same within an answer in both directions."""
    told = rows(answered(Graph(family()), key("churn@2"), direction), "up")

    assert sketch(told) == [
        "churn@2",
        " trained on s3://lake/d.parquet",
        " made from base@1",
        "  trained on s3://lake/c.parquet",
        "  made by retrain/fox-1",
        "   at 3fa9c1",
        "   of retrain/nightly",
        " reproduces churn@1",
        "  made from base@1!",
        "  made by retrain/fox-2",
        "   at 3fa9c2",
        "   called by 9",
    ]


@pytest.mark.parametrize("direction", ["down", "both"])
def test_down_shows_the_newest_first(direction: Direction) -> None:
    """Versions from the newest on."""
    told = rows(answered(Graph(family()), key("base@1"), direction), "down")

    assert sketch(told) == [
        "base@1",
        " parent of churn@2",
        "  parent of risk@1",
        "  is churn@champion",
        " parent of churn@1",
        "  reproduced as churn@2!",
        "  is churn@champion",
        " read by retrain/fox-2",
    ]


def test_what_is_left_out_is_counted() -> None:
    """By width and by depth."""
    found = answered(Graph(family()), key("base@1"), "down")

    assert sketch(rows(found, "down", last=1, depth=1)) == ["base@1", " parent of churn@2", "  …2", " …2"]


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_chain_of_thousands_is_no_recursion(direction: Literal["up", "down"]) -> None:
    """Each version made from the one before it."""
    events = [[version("a", n, parents=(parent("a", n - 1),) if n > 1 else ())] for n in range(1, 2001)]
    found = answered(Graph({"a": told("a", events)}), key("a@2000" if direction == "up" else "a@1"), direction)

    told_rows = rows(found, direction)

    assert [row.depth for row in told_rows] == list(range(2000))
    assert len(rows(found, direction, depth=8)) == 10


def test_a_circle_ends() -> None:
    """Runs that claim to have called each other."""
    events = [[version("a", 1, run=run("1", called_by="2"))], [version("a", 2, run=run("2", called_by="1"))]]
    found = answered(Graph({"a": told("a", events)}), "run:1", "down")

    assert sketch(rows(found, "down")) == ["retrain/fox-1", " made a@1", " called retrain/fox-2", "  made a@2", "  called retrain/fox-1!"]


def test_a_mermaid_chart_has_every_node_and_edge_and_no_text_of_people_unquoted() -> None:
    """Quotes, angle brackets, hashes and semicolons of a URI reach the chart as their numbers."""
    hostile = 's3://x/"]; click n0 <b>#35;&\n`%%{init}'
    states = {"a": told("a", [[version("a", 1, data=(Dataset(hostile, role='tr"ain'),), run=run("1", commit="abcdef0123456789"))]])}

    lines = mermaid(answered(Graph(states), key("a@1"), "up")).splitlines()

    assert lines[:5] == [
        "flowchart LR",
        '  n0["a@1"]',
        '  n1(["retrain/fox-1"])',
        '  n2[("s3://x/#34;]#59; click n0 #60;b#62;#35;35#59;#38;#10;#96;#37;#37;#123;init#125;")]',
        '  n3{{"abcdef012345"}}',
    ]
    assert '  n2 -->|"trained (tr#34;ain)"| n0' in lines
    assert '  n1 -->|"made"| n0' in lines
    assert "  class n0 asked" in lines


def test_a_chart_marks_what_is_retired_or_unknown() -> None:
    """Of everything below base@1 churn@1 is retired; above risk@1 one parent is not here."""
    graph = Graph(family())

    assert "gone" in mermaid(answered(graph, key("base@1"), "down")).splitlines()[-1]
    assert "gone" in mermaid(answered(graph, key("risk@1"), "up")).splitlines()[-1]
