"""Numbers and comparisons as people read them.

Rule 1: two numbers that differ are never printed alike; what is rounded is rounded the same on both sides.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

from .tree import Comparator, Metric, Node, Number, Plain

# For each comparator: what is said where it holds, where it does not, and of the distance by which it does not.
PASS_WORDS: dict[Comparator, str] = {
    ">=": "at least",
    ">": "above",
    "<=": "at most",
    "<": "below",
    "==": "equal to",
    "!=": "different from",
}
FAIL_WORDS: dict[Comparator, str] = {
    ">=": "below", ">": "not above", "<=": "above", "<": "not below", "==": "not equal to", "!=": "equal to",
}  # fmt: skip
MISS_WORDS: dict[Comparator, str] = {">=": "short by", ">": "short by", "<=": "over by", "<": "over by", "==": "off by", "!=": "off by"}

_PLACES, _MOST_PLACES = 4, 15
_WIDE = Context(prec=80, rounding=ROUND_HALF_EVEN)


def pair(left: Decimal, right: Decimal) -> tuple[str, str]:
    """Both numbers with the same number of decimals, at least four unless both are whole or large.

    >>> pair(Decimal("0.8"), Decimal("0.85")), pair(Decimal(73685), Decimal("86684.8"))
    (('0.8000', '0.8500'), ('73685.0', '86684.8'))
    """
    if max(abs(left), abs(right)) >= 10**_MOST_PLACES:
        return str(left), str(right)
    if left == left.to_integral_value() and right == right.to_integral_value():
        return _fixed(left, 0), _fixed(right, 0)
    places = max(_places(left), _places(right))
    while left != right and _fixed(left, places) == _fixed(right, places) and places <= _MOST_PLACES:
        places += 1
    if places > _MOST_PLACES:
        return str(left), str(right)
    return _fixed(left, places), _fixed(right, places)


def brief(number: Decimal) -> str:
    """A number with no more decimals than it needs, at most four unless it is tiny."""
    return trimmed(pair(number, number)[0])


def trimmed(digits: str) -> str:
    """Without the zeros at the end: ``0.6900`` is ``0.69``."""
    return digits.rstrip("0").rstrip(".") if "." in digits and "E" not in digits else digits


def side(node: Node, printed: str) -> str:
    """One side of a comparison: its text and its value, ``auc 0.8000`` or ``champion.auc - 0.005 = 0.8605``."""
    match node:
        case Number(unit=""):
            return printed
        case Metric() | Plain():
            return f"{node} {printed}"
        case _:
            return f"{node} = {printed}"


def _places(number: Decimal) -> int:
    """How many decimals say enough: four, more for what is tiny, fewer from a thousand on."""
    if not number:
        return _PLACES
    size = number.adjusted()
    return max(0, _PLACES + 1 - size) if size >= 3 else max(_PLACES, 1 - size)


def _fixed(number: Decimal, places: int) -> str:
    return f"{number.quantize(Decimal(1).scaleb(-places), context=_WIDE):f}"
