"""The arithmetic of gates: decimal, from the shortest text of each number, so that 0.3 is 0.2 + 0.1.

Rule 1: only finite numbers come in and only finite numbers go out; anything else is ``Unmeasurable``.
Rule 2: it has a context of its own: what a program sets for its own decimals changes no decision.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow, localcontext

from .evidence import Unmeasurable
from .tree import UNITS, Call, Comparator, Comparison, Metric, Negative, Node, Number, Plain, Product, Sum

HOLDS: Mapping[Comparator, Callable[[Decimal, Decimal], bool]] = {
    ">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def exact(value: object, called: str) -> Decimal:
    """The number as it is written, not as the machine approximates it; ``called`` names it if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unmeasurable(f"{called} is not a number but {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:
        raise Unmeasurable(f"{called} is too large") from None
    if not math.isfinite(number):
        raise Unmeasurable(f"{called} is {'nan' if math.isnan(number) else 'infinite'}")
    return Decimal(repr(number))


def compute(comparison: Comparison, values: Mapping[Metric | Plain, Decimal]) -> tuple[Decimal, Decimal, Decimal]:
    """Both sides, and the headroom: how far the left side may move before the comparison no longer holds."""
    with localcontext(Context(prec=60, traps=[InvalidOperation, DivisionByZero, Overflow])):
        try:
            left, right = _value(comparison.left, values), _value(comparison.right, values)
            return left, right, _headroom(comparison.comparator, left, right)
        except DecimalException:
            raise Unmeasurable(f"{comparison} cannot be computed: a number in it becomes too large") from None


def _value(node: Node, values: Mapping[Metric | Plain, Decimal]) -> Decimal:
    match node:
        case Number(digits, unit):
            return Decimal(digits) * UNITS.get(unit, Decimal(1))
        case Metric() | Plain():
            return values[node]
        case Negative(operand):
            return -_value(operand, values)
        case Sum(first, rest):
            total = _value(first, values)
            for sign, operand in rest:
                total = total + _value(operand, values) if sign == "+" else total - _value(operand, values)
            return total
        case Product(first, rest):
            total = _value(first, values)
            for operation, operand in rest:
                factor = _value(operand, values)
                if operation == "/" and not factor:
                    raise Unmeasurable(f"division by zero: {operand} is 0 in {node}; use an absolute margin, such as champion.auc - 0.005")
                total = total * factor if operation == "*" else total / factor
            return total
        case Call(function, arguments):
            numbers = [_value(argument, values) for argument in arguments]
            return abs(numbers[0]) if function == "abs" else min(numbers) if function == "min" else max(numbers)


def _headroom(comparator: Comparator, left: Decimal, right: Decimal) -> Decimal:
    match comparator:
        case ">=" | ">":
            return left - right
        case "<=" | "<":
            return right - left
        case "==":
            return -abs(left - right)
        case "!=":
            return abs(left - right)
