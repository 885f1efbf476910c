"""What a gate expression says, as a small tree of frozen values.

Rule 1: ``parse(str(tree)) == tree``: ``str`` writes the one canonical spelling.
Rule 2: nothing here computes or decides; names are not looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

UNITS = {
    "%": Decimal("0.01"),
    "ms": Decimal("0.001"), "s": Decimal(1), "min": Decimal(60), "h": Decimal(3600), "d": Decimal(86400),
    "KB": Decimal(1000), "MB": Decimal(1000**2), "GB": Decimal(1000**3),
    "KiB": Decimal(1024), "MiB": Decimal(1024**2), "GiB": Decimal(1024**3),
}  # fmt: skip  # they become fractions, seconds and bytes
RESERVED_WORDS = frozenset({"artifact", "data", "run", "live", "shadow", "env"})
BARE_VALUE = re.compile(r"[\w.\-]+")

# Whose value a name means. None: the candidate. "current": the holder of the alias being moved. Another text: the holder
# of that alias. A number: that version.
Owner = str | int | None
Slice = tuple[tuple[str, str | None], ...]  # sorted pairs; the value None is ``*``, every recorded value


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written, with its unit: ``0.85``, ``40 ms``, ``3%``."""

    digits: str
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.digits}{' ' if self.unit and self.unit != '%' else ''}{self.unit}"


@dataclass(frozen=True, slots=True)
class Metric:
    """A measured value: ``auc``, ``champion.recall[region=*]``, ``auc[dataset=stress]``."""

    owner: Owner
    metric: str
    slice: Slice = ()
    dataset: str | None = None

    def __str__(self) -> str:
        pairs = [*self.slice, *([("dataset", self.dataset)] if self.dataset is not None else [])]
        inside = ", ".join(f"{key}={'*' if value is None else quoted(value)}" for key, value in pairs)
        return f"{_prefix(self.owner)}{self.metric}" + (f"[{inside}]" if pairs else "")

    @property
    def star(self) -> str | None:
        """The key of ``[key=*]``."""
        return next((key for key, value in self.slice if value is None), None)

    def at(self, value: str) -> Metric:
        """The same name with ``*`` filled in."""
        filled = tuple((key, value if own is None else own) for key, own in self.slice)
        return Metric(self.owner, self.metric, filled, self.dataset)


@dataclass(frozen=True, slots=True)
class Plain:
    """A number behind a reserved first word: ``artifact.size``, ``current.data.age``."""

    owner: Owner
    path: str

    def __str__(self) -> str:
        return f"{_prefix(self.owner)}{self.path}"


@dataclass(frozen=True, slots=True)
class Negative:
    """``-x``."""

    operand: Node

    def __str__(self) -> str:
        return f"-{_inside(self.operand)}"


@dataclass(frozen=True, slots=True)
class Sum:
    """``first + x - y``, from left to right."""

    first: Node
    rest: tuple[tuple[Literal["+", "-"], Node], ...]

    def __str__(self) -> str:
        return str(self.first if not isinstance(self.first, Sum) else f"({self.first})") + "".join(
            f" {sign} {f'({operand})' if isinstance(operand, Sum) else operand}" for sign, operand in self.rest
        )


@dataclass(frozen=True, slots=True)
class Product:
    """``first * x / y``, from left to right."""

    first: Node
    rest: tuple[tuple[Literal["*", "/"], Node], ...]

    def __str__(self) -> str:
        return _inside(self.first) + "".join(f" {sign} {_inside(operand)}" for sign, operand in self.rest)


@dataclass(frozen=True, slots=True)
class Call:
    """``abs(x)``, ``min(x, y)``, ``max(x, y)``."""

    function: Literal["abs", "min", "max"]
    arguments: tuple[Node, ...]

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.arguments))})"


Node = Number | Metric | Plain | Negative | Sum | Product | Call
Comparator = Literal[">=", ">", "<=", "<", "==", "!="]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A whole gate: two sides and what must hold between them."""

    left: Node
    comparator: Comparator
    right: Node

    def __str__(self) -> str:
        return f"{self.left} {self.comparator} {self.right}"

    @property
    def names(self) -> tuple[Metric | Plain, ...]:
        """Every name in it once, from left to right."""
        return tuple(dict.fromkeys([*_names(self.left), *_names(self.right)]))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return tuple(name for name in self.names if isinstance(name, Metric))

    @property
    def star(self) -> str | None:
        """The key of ``[key=*]``, of which a gate has at most one."""
        return next((metric.star for metric in self.metrics if metric.star), None)


def quoted(value: str) -> str:
    """A slice value as it stands between the brackets."""
    if BARE_VALUE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _prefix(owner: Owner) -> str:
    return "" if owner is None else f"v{owner}." if isinstance(owner, int) else f"{owner}."


def _inside(node: Node) -> str:
    return f"({node})" if isinstance(node, Sum | Product) else str(node)


def _names(node: Node) -> Iterator[Metric | Plain]:
    match node:
        case Metric() | Plain():
            yield node
        case Negative(operand):
            yield from _names(operand)
        case Sum(first, rest) | Product(first, rest):
            for part in (first, *(operand for _, operand in rest)):
                yield from _names(part)
        case Call(_, arguments):
            for part in arguments:
                yield from _names(part)
        case Number():
            pass
