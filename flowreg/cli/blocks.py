"""What is shown to a person, as values: lines, grids and trees of text with a style. How they look on a screen is ``paint``'s.

Rule 1: text here is as people wrote it; nobody escapes or marks it up before ``paint`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Style = Literal["", "good", "bad", "warn", "quiet", "strong", "name"]


class Span(NamedTuple):
    """A text and how it shall look."""

    text: str
    style: Style = ""


Cell = str | Span


class Column(NamedTuple):
    """A column of a grid: its title, on which side its text stands, and whether long text may go over several lines."""

    title: str
    right: bool = False
    wraps: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text."""

    cells: tuple[Cell, ...] = ()

    @staticmethod
    def of(*cells: Cell) -> Line:
        return Line(cells)


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of cells under titles. Without titles no head is shown."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def titled(self) -> bool:
        return any(column.title for column in self.columns)


@dataclass(frozen=True, slots=True)
class Tree:
    """Lines under each other: each with its depth, the first at depth 0, no line more than one deeper than the one before."""

    rows: tuple[tuple[int, tuple[Cell, ...]], ...]


Block = Line | Grid | Tree
BLANK = Line()
NOTHING = Span("-", "quiet")


def text_of(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell.text


def quiet(text: str) -> Span:
    return Span(text, "quiet")


def strong(text: str) -> Span:
    return Span(text, "strong")


def hint(what: str, command: str) -> Line:
    """What one may do next."""
    return Line.of(quiet(f"  {what}: "), command)


def facts(rows: list[tuple[str, Cell]]) -> Grid:
    """Names with their values; those without one are left out."""
    said = tuple((quiet(f"  {name}"), value) for name, value in rows if text_of(value))
    return Grid((Column(""), Column("", wraps=True)), said)
