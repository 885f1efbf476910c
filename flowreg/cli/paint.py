"""How blocks look: tables with colour in a terminal (rich), plain aligned text everywhere else.

Rule 1: user text never reaches a terminal as markup or as a control character; this is the only place that writes it.
Rule 2: where nobody looks (a pipe, a file) there is no colour, no box, and no column is cut or wrapped.
Rule 3: a grid that does not fit is wrapped in the columns that may wrap; where even that is too narrow, each row becomes a paragraph.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from .blocks import Block, Cell, Grid, Line, Span, Style, Tree, quiet, text_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text
    from rich.tree import Tree as RichTree

GAP = 2  # spaces between columns
INDENT = 4  # columns of a level of a tree
NARROW = 16  # fewer columns than this are not worth wrapping text into
COLOURS: dict[Style, str] = {
    "": "", "good": "green", "bad": "bold red", "warn": "yellow", "quiet": "dim", "strong": "bold", "name": "bold cyan",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Screen:
    """A stream, and whether a person looks at it. ``width`` overrides the terminal's own."""

    stream: TextIO
    terminal: bool
    width: int | None = None

    def write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except BrokenPipeError:
            raise ReaderGone(self) from None

    def console(self) -> Console:
        """This stream for rich, which reads no markup, links or emoji in what it is given."""
        from rich.console import Console

        return Console(file=self.stream, width=self.width, force_terminal=self.terminal, markup=False, emoji=False, highlight=False)


def standard_screens() -> tuple[Screen, Screen]:
    """Standard output and standard error. What their encoding lacks is escaped rather than raised."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    return Screen(sys.stdout, sys.stdout.isatty()), Screen(sys.stderr, sys.stderr.isatty())


class ReaderGone(Exception):
    """Nobody reads a stream any more (``flowreg ls | head``)."""

    def silence(self) -> int:
        """Let the last flush not complain either; the exit code of those who are stopped by SIGPIPE."""
        screen: Screen = self.args[0]
        os.dup2(os.open(os.devnull, os.O_WRONLY), screen.stream.fileno())
        return 128 + 13


def paint(screen: Screen, blocks: Iterable[Block]) -> None:
    """Show the blocks."""
    if not screen.terminal:
        screen.write("".join(f"{line}\n" for block in blocks for line in _plain(block)))
        return
    console = screen.console()
    for block in blocks:
        if isinstance(block, Line):
            console.print(_joined(block.cells), soft_wrap=False)
        elif isinstance(block, Tree):
            console.print(_tree(block, console.width))
        elif block.rows:
            console.print(_table(block, console.width))


def escaped(text: str) -> str:
    r"""``text`` with control characters, line ends, bidirectional overrides and lone surrogates written out.

    >>> escaped("red\x1b[31m")
    'red\\x1b[31m'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or unicodedata.category(c) in ("Zs", "Co", "Cn") else _written_out(c) for c in text)


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


# ---- where nobody looks ----


def _plain(block: Block) -> Iterator[str]:
    if isinstance(block, Line):
        yield _line(block.cells)
        return
    if isinstance(block, Tree):
        yield from _branches(block)
        return
    rows = [[escaped(text_of(cell)) for cell in row] for row in block.rows]
    if block.titled and rows:
        rows = [[column.title for column in block.columns], *rows]
    widths = [max((_width(row[i]) for row in rows), default=0) for i in range(len(block.columns))]
    for row in rows:
        padded = (_padded(text, width, column.right) for text, width, column in zip(row, widths, block.columns, strict=True))
        yield (" " * GAP).join(padded).rstrip()


def _line(cells: Iterable[Cell]) -> str:
    return "".join(escaped(text_of(cell)) for cell in cells).rstrip()


def _branches(tree: Tree) -> Iterator[str]:
    """Each line behind the lines that join it to those above and below. Read from the end, where it is known what goes on."""
    goes_on: list[bool] = []  # by depth: whether another line of this depth follows under the same one
    lines = []
    for depth, cells in reversed(tree.rows):
        goes_on = [*goes_on, *[False] * (depth + 1 - len(goes_on))]
        guides = ["│   " if more else "    " for more in goes_on[1:depth]]
        joint = ("├── " if goes_on[depth] else "└── ") if depth else ""
        lines.append("".join(guides) + joint + _line(cells))
        goes_on = [*goes_on[:depth], True]
    return reversed(lines)


def _width(text: str) -> int:
    """Columns that ``text`` takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


# ---- in a terminal ----


def _tree(tree: Tree, width: int) -> RichTree:
    """Lines that are too deep for the screen stand at the last level that fits, and say how deep they are."""
    from rich.tree import Tree as RichTree

    above: list[RichTree] = [RichTree("", hide_root=True, guide_style="dim")]
    deepest = max(1, (width - 2 * NARROW) // INDENT)
    for depth, cells in tree.rows:
        level = min(depth, deepest)
        said = cells if level == depth else (quiet(f"level {depth}: "), *cells)
        above[level + 1 :] = [above[level].add(_joined(said))]
    return above[0]


def _joined(cells: Iterable[Cell]) -> Text:
    from rich.text import Text

    return Text.assemble(*(_styled(cell) for cell in cells), overflow="fold")


def _styled(cell: Cell) -> Text:
    from rich.text import Text

    span = cell if isinstance(cell, Span) else Span(cell)
    return Text(escaped(span.text), style=COLOURS[span.style], overflow="fold")


def _table(grid: Grid, width: int) -> Table:
    natural = [max(_width(escaped(text_of(cell))) for cell in (column.title, *cells)) for column, cells in _columns(grid)]
    fixed = sum(w for w, column in zip(natural, grid.columns, strict=True) if not column.wraps) + GAP * (len(natural) - 1)
    wrapping = [w for w, column in zip(natural, grid.columns, strict=True) if column.wraps]
    fits = fixed + sum(wrapping) <= width or (wrapping and fixed + sum(min(w, NARROW) for w in wrapping) <= width)
    return _side_by_side(grid) if fits else _stacked(grid)


def _columns(grid: Grid) -> Iterator[tuple[Any, tuple[Cell, ...]]]:
    for i, column in enumerate(grid.columns):
        yield column, tuple(row[i] for row in grid.rows)


def _side_by_side(grid: Grid) -> Table:
    from rich.table import Table

    table = Table(box=None, show_header=grid.titled, header_style="dim", padding=(0, GAP, 0, 0), pad_edge=False)
    for column in grid.columns:
        justify: Any = "right" if column.right else "left"
        table.add_column(_styled(column.title), justify=justify, no_wrap=not column.wraps, overflow="fold")
    for row in grid.rows:
        table.add_row(*(_styled(cell) for cell in row))
    return table


def _stacked(grid: Grid) -> Table:
    """Each row as a paragraph, with the titles in front where there are any."""
    from rich.table import Table

    table = Table.grid(padding=(0, GAP, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for place, row in enumerate(grid.rows):
        if not grid.titled:
            table.add_row(_styled(row[0]), _under_each_other(row[1:]))
            continue
        if place:
            table.add_row("", "")
        for column, cell in zip(grid.columns, row, strict=True):
            if text_of(cell) not in ("", "-"):
                table.add_row(_styled(column.title), _styled(cell))
    return table


def _under_each_other(cells: Iterable[Cell]) -> Text:
    from rich.text import Text

    return Text("\n").join(_styled(cell) for cell in cells if text_of(cell))
