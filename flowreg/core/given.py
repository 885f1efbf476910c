"""What people hand in, checked at the door: metrics, slices, params, labels, reasons.

Rule 1: nothing is written before all of it has passed here.
Rule 2: a metric that is NaN or infinite is kept (a diverged model is worth having); the gates block on it.
Rule 3: what cannot be stored exactly is refused, not bent. Numbers of numpy and torch are taken by their ``item()``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

from ..errors import BadInput
from .codec import ENTRY_LIMIT, SAFE_INTEGER, encode, too_long
from .events import Dataset, Value, write_measure
from .frames import is_frame, signature_of
from .names import shown
from .signature import Signature

NAMES_LIMIT = 1000  # metrics or params of one call
NAME_LIMIT = 200  # characters
TEXT_LIMIT = 2000  # characters of a label, a param or a reason
PARAMS_LIMIT = 256 << 10  # bytes of all params together
VALUES_LIMIT = 100_000  # values inside all params, or inside a signature
ENVELOPE_ROOM = 32 << 10  # bytes that an entry needs round its events

Slice = tuple[tuple[str, str], ...]
_BREAKS = {ord(c): None for c in "\n\r\t"}


def metrics(given: Mapping[str, Any] | None, *, what: str = "metrics") -> tuple[dict[str, float], int | None]:
    """The numbers by name, and the number of examples if ``n`` was among them."""
    numbers = {_name(name, what): _number(value, f"{what}[{shown(name)}]") for name, value in _items(given, what)}
    n = numbers.pop("n", None)
    if n is not None and not (math.isfinite(n) and 0 <= n <= SAFE_INTEGER and n == int(n)):
        raise BadInput(f"{what}['n'] is {n}", do="n is the number of examples: a whole number", code="bad-metric")
    return numbers, None if n is None else int(n)


def slices(given: Mapping[Any, Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """Rows ``{slice, metric, value, n}`` of ``{"region=south": {"recall": 0.69, "n": 212}}``, sorted."""
    rows = []
    seen: set[Slice] = set()
    for key, values in _items(given, "slices"):
        where = parse_slice(key)
        if where in seen:
            raise BadInput(f"the slice {shown(key)} is given twice", do="put all its metrics into one mapping", code="bad-slice")
        seen.add(where)
        numbers, n = metrics(values, what=f"slices[{shown(key)}]")
        rows += [{"slice": dict(where), "metric": name, "value": write_measure(value), "n": n} for name, value in numbers.items()]
    return sorted(rows, key=lambda row: (sorted(row["slice"].items()), row["metric"]))


def parse_slice(key: Any) -> Slice:
    """``"region=south,sex=F"``, or pairs where a value holds a comma, as sorted pairs."""
    pairs = [part.partition("=")[::2] for part in key.split(",")] if isinstance(key, str) else list(key) if isinstance(key, tuple) else []
    good = [tuple(pair) for pair in pairs if isinstance(pair, tuple | list) and len(pair) == 2 and all(map(_is_slice_text, pair))]
    if not good or len(good) != len(pairs) or len(dict(good)) != len(good):
        raise BadInput(f"{shown(key)} is not a slice", do="write region=south or region=south,sex=F", code="bad-slice")
    return tuple(sorted(good))


def params(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """JSON values by name. Floats that JSON lacks and integers beyond 2**53 - 1 become text."""
    _refuse_too_many(given, "params")
    plain = {_name(name, "params"): _plain(value, f"params[{shown(name)}]", 8) for name, value in _items(given, "params")}
    size = len(encode(plain))
    if size > PARAMS_LIMIT:
        raise BadInput(
            f"params take {size} bytes; {PARAMS_LIMIT} are allowed", do="put long values into a file of the artifact", code="too-long"
        )
    return plain


def labels(given: Mapping[str, Any] | None) -> dict[str, str]:
    """Text by name."""
    return {_name(name, "labels"): _text(value, f"labels[{shown(name)}]") for name, value in _items(given, "labels")}


def label_changes(given: Mapping[str, Any]) -> dict[str, str | None]:
    """Text by name, or None for a label to take away."""
    gone = [_name(name, "labels") for name, value in _items(given, "labels") if value is None]
    return {**dict.fromkeys(gone), **labels({name: value for name, value in given.items() if value is not None})}


def label_text(given: Any, what: str) -> str | None:
    return None if given is None else _text(given, what)


def reason(given: Any) -> str | None:
    """A reason as one trimmed text, or None where none was given."""
    if given is None:
        return None
    return _text(given, "because").strip() or None


def required_reason(given: Any, action: str) -> str:
    text = reason(given)
    if text is None:
        raise BadInput(f"{action} needs a reason", where="nothing was written", do="give because='…' (--because '…')", code="no-reason")
    return text


def key(given: Any) -> str | None:
    if given is None or (isinstance(given, str) and 0 < len(given) <= NAME_LIMIT and _fits(given)):
        return given
    raise BadInput(f"{shown(given)} is not a key", do=f"a key is printable text of at most {NAME_LIMIT} characters", code="bad-key")


def actor(given: Any) -> str | None:
    """Who causes entries, or None where it was not said."""
    if given is None or (isinstance(given, str) and 0 < len(given) <= NAME_LIMIT and _fits(given)):
        return given
    raise BadInput(
        f"{shown(given)} cannot be an actor", do=f"an actor is printable text of at most {NAME_LIMIT} characters", code="bad-actor"
    )


def groups(given: Any) -> dict[str, tuple[str, ...]]:
    """The actors of each group, each once, in the order of the alphabet."""
    found = {}
    for name, people in _items(given, "groups"):
        listed = several([people] if isinstance(people, str) else people, "people")
        found[_name(name, "groups")] = tuple(sorted({_name(person, "people") for person in listed}))
    return found


def card(given: Any) -> bytes | None:
    """The text of a model card as bytes."""
    if given is None:
        return None
    if not isinstance(given, str) or not _fits(given.translate(_BREAKS)):
        raise BadInput(f"card is {shown(given)}", where="nothing was written", do="give Markdown text", code="bad-text")
    return given.encode()


def dataset(given: Any) -> Dataset:
    """A dataset, from a ``Dataset`` or the plain name of one; ``Dataset()`` for None."""
    if isinstance(given, Dataset):
        checked = _checked(given)
        named = checked.name or not checked.uri
        return checked if named else checked.model_copy(update={"name": str(checked.uri).rstrip("/").rpartition("/")[2]})
    return Dataset() if given is None else Dataset(name=_name(given, "on"))


def datasets(given: Iterable[Any] | Any) -> tuple[Dataset, ...]:
    """Datasets, from ``Dataset`` values or URIs."""
    listed = [given] if isinstance(given, str | Dataset) else several(given, "data")
    return tuple(_checked(d) if isinstance(d, Dataset) else Dataset(_text(d, "data")) for d in listed)


def signature(given: Any) -> dict[str, Any] | None:
    """What a model takes, as plain values: of a ``Signature``, of a training frame, or the mapping as it was given."""
    if given is None:
        return None
    if isinstance(given, Signature) or is_frame(given):
        given = (given if isinstance(given, Signature) else signature_of(given)).to_json()
    _refuse_too_many(given, "signature")
    plain: dict[str, Any] = _plain(dict(_items(given, "signature")), "signature", 12)
    return plain


def several(given: Any, what: str) -> list[Any]:
    """A list of what was handed in as many; None is none."""
    if isinstance(given, Iterable) and not isinstance(given, Mapping | str | bytes):
        return list(given)
    if given is None:
        return []
    raise BadInput(f"{what} is {shown(given)}", where="nothing was written", do=f"give a list: {what}=[…]", code="bad-" + what[:6])


def storable(*drafts: Value | None) -> None:
    """Refuse, before a byte is written, what an entry could not carry: too long in all, or without an exact form."""
    size = sum(len(encode(draft.model_dump(exclude_none=True))) for draft in drafts if draft is not None)
    if size > ENTRY_LIMIT - ENVELOPE_ROOM:
        raise too_long(size)


def _checked(given: Dataset) -> Dataset:
    """Its texts can be stored. (Pydantic has seen to the types.)"""
    for name in ("uri", "name", "role", "digest"):
        if (text := getattr(given, name)) is not None:
            _text(text, f"the {name} of a dataset")
    storable(given)
    return given


def _items(given: Any, what: str) -> list[tuple[Any, Any]]:
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise BadInput(
            f"{what} is {type(given).__name__}", do=f"give a mapping, for example {what}={{'auc': 0.91}}", code="bad-" + what[:6]
        )
    if len(given) > NAMES_LIMIT:
        raise BadInput(
            f"{what} has {len(given)} names; {NAMES_LIMIT} are allowed", do="put long tables into a file of the artifact", code="too-many"
        )
    return list(given.items())


def _name(name: Any, what: str) -> str:
    if isinstance(name, str) and 0 < len(name) <= NAME_LIMIT and name.strip() == name and _fits(name):
        return name
    raise BadInput(
        f"{shown(name)} cannot name one of the {what}",
        where="nothing was written",
        do=f"use printable text of 1 to {NAME_LIMIT} characters without spaces at its ends",
        code="bad-name",
    )


def _number(value: Any, what: str) -> float:
    value = _item(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Real):
        do = "a metric is a number, for example 0.91"
        raise BadInput(f"{what} is {shown(value)}", where="nothing was written", do=do, code="bad-metric")
    if isinstance(value, int) and abs(value) > SAFE_INTEGER:
        raise BadInput(f"{what} is {shown(value)}, which no double holds", do="give a float, or another unit", code="bad-metric")
    try:
        return float(value)
    except OverflowError:
        raise BadInput(f"{what} is {shown(value)}, which no double holds", do="give it in another unit", code="bad-metric") from None


def _item(value: Any) -> Any:
    """The plain number inside a numpy or torch scalar."""
    if isinstance(value, int | float | str | Mapping) or not callable(getattr(value, "item", None)):
        return value
    size = getattr(value, "numel", None) or getattr(value, "size", 1)  # torch's ``size`` is the shape
    return value.item() if (size() if callable(size) else size) == 1 else value


def _text(value: Any, what: str) -> str:
    if isinstance(value, str) and len(value) <= TEXT_LIMIT and _fits(value.replace("\n", "").replace("\t", "")):
        return value
    raise BadInput(
        f"{what} is {shown(value)}",
        where="nothing was written",
        do=f"give text without control characters, at most {TEXT_LIMIT} characters",
        code="bad-text",
    )


def _is_slice_text(text: Any) -> bool:
    return isinstance(text, str) and 0 < len(text) <= NAME_LIMIT and _fits(text)


def _refuse_too_many(given: Any, what: str) -> None:
    """Few nested lists can stand for more values than can ever be written out; count before unfolding them."""
    left, waiting = VALUES_LIMIT, [given]
    while waiting:
        value = waiting.pop()
        inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
        left -= 1 + len(inside)
        if left < 0:
            raise BadInput(
                f"{what} holds more than {VALUES_LIMIT} values",
                where="nothing was written",
                do="put long tables into a file of the artifact",
                code="too-many",
            )
        waiting.extend(inside)


def _fits(text: str) -> bool:
    """No control characters, no lone surrogates."""
    return all(ord(c) >= 32 and c != "\x7f" and not "\ud800" <= c <= "\udfff" for c in text)


def _plain(value: Any, what: str, depth: int) -> Any:
    value = _item(value)
    match value:
        case None | bool():
            return value
        case str():
            return _text(value, what)
        case int():
            return value if abs(value) <= SAFE_INTEGER else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case Mapping() if depth:
            return {_name(k, what): _plain(v, f"{what}[{shown(k)}]", depth - 1) for k, v in value.items()}
        case list() | tuple() if depth:
            return [_plain(v, f"{what}[{i}]", depth - 1) for i, v in enumerate(value)]
    raise BadInput(
        f"{what} is {'nested too deeply' if not depth else 'of type ' + type(value).__name__}",
        where="nothing was written",
        do="give text, numbers, booleans, None, and lists and mappings of these",
        code="bad-value",
    )
