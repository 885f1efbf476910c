"""From the text of a gate to its tree: ``parse("auc >= champion.auc - 0.005")``.

Rule 1: nothing is ever evaluated as code; lark reads the text, and what comes out is a tree of values.
Rule 2: whatever is given, the answer is a tree or a ``BadInput`` that shows the column. It always ends.
Rule 3: one gate, one comparison, one reason: there is no ``and`` and no ``or``.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from ..core.names import alias_name
from ..errors import BadInput
from .tree import RESERVED_WORDS, UNITS, Call, Comparison, Metric, Negative, Node, Number, Owner, Plain, Product, Slice, Sum

if TYPE_CHECKING:
    from lark import Lark, Token, Tree, UnexpectedInput

LENGTH_LIMIT = 500
DEPTH_LIMIT = 20
EXAMPLE = "write for example auc >= 0.85, auc >= champion.auc - 0.005 or recall[region=*] >= 70%"

_GRAMMAR = r"""
start: sum COMPARATOR sum
?sum: product ((PLUS|MINUS) product)*
?product: unary ((STAR|SLASH) unary)*
?unary: MINUS unary -> negative
      | atom
?atom: NUMBER UNIT? -> number
     | FUNCTION "(" sum ("," sum)* ")" -> call
     | "(" sum ")"
     | name
name: NAME ("." NAME)* ("[" pair ("," pair)* "]")?
pair: NAME "=" (STAR | VALUE | STRING)
COMPARATOR: />=|<=|==|!=|>|</
PLUS: "+"
MINUS: "-"
STAR: "*"
SLASH: "/"
FUNCTION.2: /(abs|min|max)(?=[ \t\r\n]*\()/
NUMBER: /[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?/
UNIT: /%|(ms|s|min|h|d|KB|MB|GB|KiB|MiB|GiB)(?![\w@])/
NAME: /[^\W\d][\w@]*/
VALUE: /[\w.\-]+/
STRING: /"([^"\\]|\\["\\])*"/
%ignore /[ \t\r\n]+/
"""
_SAID = {
    "COMPARATOR": "a comparison (>= <= > < == !=)", "NAME": "a name", "NUMBER": "a number", "LPAR": "'('", "RPAR": "')'", "LSQB": "'['",
    "RSQB": "']'", "EQUAL": "'='", "COMMA": "','", "VALUE": "a value (* for every one)", "STRING": "a text in quotes", "$END": "the end",
}  # fmt: skip


def parse(text: str) -> Comparison:
    """Read one gate, else ``BadInput`` with the column, a caret and what was expected.

    >>> str(parse("auc>=champion.auc-0.005"))
    'auc >= champion.auc - 0.005'
    """
    if not isinstance(text, str):
        raise BadInput(f"a gate expression is text, not {type(text).__name__}", do=EXAMPLE, code="bad-expression")
    if not text.strip():
        _refuse(text, 0, "the expression is empty")
    if len(text) > LENGTH_LIMIT:
        raise BadInput(
            f"a gate expression has at most {LENGTH_LIMIT} characters, this one has {len(text)}",
            do="write several gates, each with one reason",
            code="bad-expression",
        )
    from lark import UnexpectedInput

    try:
        parsed = _parser().parse(text)
    except UnexpectedInput as error:
        column, hint = _unexpected(text, error)
        _refuse(text, column, hint)
    left, comparator, right = parsed.children
    comparison = Comparison(_node(text, left, 0), str(comparator), _node(text, right, 0))  # type: ignore[arg-type]
    _check_whole(text, comparison)
    return comparison


@cache
def _parser() -> Lark:
    """Built once, at the first expression: it takes longer than a thousand parses."""
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _node(text: str, tree: Tree[Token], depth: int) -> Node:
    if depth > DEPTH_LIMIT:
        _refuse(text, tree.meta.start_pos, f"brackets and signs may be nested {DEPTH_LIMIT} deep")
    parts: list[Any] = tree.children
    match str(tree.data):
        case "number":
            return _number(text, parts)
        case "name":
            return _name(text, tree)
        case "negative":
            return Negative(_node(text, parts[1], depth + 1))
        case "call":
            return _call(text, parts, depth)
        case operation:
            chain = Sum if operation == "sum" else Product
            operands = [_node(text, part, depth + 1) for part in parts[::2]]
            return chain(operands[0], tuple(zip(map(str, parts[1::2]), operands[1:], strict=True)))  # type: ignore[arg-type]


def _number(text: str, tokens: list[Token]) -> Number:
    if math.isinf(float(tokens[0])):
        _refuse(text, tokens[0].start_pos, "this number is too large")
    return Number(*map(str, tokens))


def _call(text: str, parts: list[Any], depth: int) -> Call:
    function, *arguments = parts
    if function == "abs" and len(arguments) != 1:
        _refuse(text, function.start_pos, "abs takes one value")
    if function != "abs" and len(arguments) < 2:
        _refuse(text, function.start_pos, f"{function} takes two values or more")
    return Call(str(function), tuple(_node(text, part, depth + 1) for part in arguments))  # type: ignore[arg-type]


def _name(text: str, tree: Tree[Token]) -> Metric | Plain:
    start = tree.meta.start_pos
    words = [str(part) for part in tree.children if isinstance(part, str)]  # a token of lark is a text
    pairs = tree.children[len(words) :]
    owner: Owner = None
    if len(words) > 1 and words[0] not in RESERVED_WORDS:
        owner = _owner(text, start, words.pop(0))
    if len(words) > 1 and words[0] in RESERVED_WORDS:
        if pairs:
            _refuse(text, start, f"{'.'.join(words)} has no slices")
        return Plain(owner, ".".join(words))
    return Metric(owner, ".".join(words), *_pairs(text, pairs))


def _owner(text: str, column: int, word: str) -> Owner:
    if word == "current":
        return word
    if re.fullmatch(r"v[1-9][0-9]{0,8}", word):
        return int(word[1:])
    try:
        return alias_name(word)
    except BadInput:
        _refuse(text, column, f"before the dot stands an alias, 'current' or a version such as v7, and {word} is none of them")


def _pairs(text: str, pairs: list[Any]) -> tuple[Slice, str | None]:
    found: dict[str, str | None] = {}
    for pair in pairs:
        key, value = pair.children
        if key in found:
            _refuse(text, pair.meta.start_pos, f"{key} is given twice")
        found[str(key)] = None if value.type == "STAR" else _unquoted(value)
    star = [key for key, value in found.items() if value is None]
    if "dataset" in star:
        _refuse(text, pairs[0].meta.start_pos, "dataset=* has no meaning: name one dataset")
    if len(star) > 1:
        _refuse(text, pairs[0].meta.start_pos, "one [key=*] for each gate")
    dataset = found.pop("dataset", None)
    return tuple(sorted(found.items())), dataset


def _unquoted(value: Token) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.type == "STRING" else str(value)


def _check_whole(text: str, comparison: Comparison) -> None:
    if not comparison.names:
        _refuse(text, 0, "it names nothing that is measured, so its answer never changes")
    if len({metric.star for metric in comparison.metrics if metric.star}) > 1:
        _refuse(text, 0, "one [key=*] for each gate")


def _unexpected(text: str, error: UnexpectedInput) -> tuple[int, str]:
    """Where lark stopped, and what to say about it."""
    token = getattr(error, "token", None)
    column = len(text) if token is not None and token.type == "$END" else error.pos_in_stream or 0
    before, rest = text[:column].rstrip(), text[column:]
    expected = getattr(error, "accepts", None) or getattr(error, "allowed", None) or set()
    if re.search(r"[<>!=]=|[<>]", re.sub(r"\[[^\]]*\]?", "", before)) and re.match(r"(and|or)\b|&|\||[<>=!]", rest):
        return column, "one gate has one comparison: write a gate of its own for each"
    word = re.match(r"[^\W\d]\w*", rest)
    if word and "UNIT" in expected:
        return column, f"{word[0]!r} is not a unit: {' '.join(UNITS)}"
    if rest.startswith("(") and "LPAR" not in expected:
        return column, "the functions are abs, min and max"
    if re.match(r"\.[0-9]", rest):
        return column, "write a digit before the dot, as in 0.5"
    if "COMPARATOR" in expected:
        return column, f"expected {_SAID['COMPARATOR']}"
    said = [words for name, words in _SAID.items() if name in expected]
    return column, f"expected {' or '.join(said)}" if said else "this cannot stand here"


def _refuse(text: str, column: int | None, hint: str) -> NoReturn:
    column = column or 0
    visible = "".join(c if c.isprintable() else " " if c in "\t\r\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
    raise BadInput(
        f"cannot read gate at column {column + 1}:\n    {visible}\n    {' ' * column}^\n  {hint}",
        do=EXAMPLE,
        code="bad-expression",
        column=column + 1,
    )
