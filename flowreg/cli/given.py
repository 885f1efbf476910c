"""What was typed as ``name=value``, as values for the façade, which checks them.

Rule 1: what is written like a number is that number or is refused; nothing is rounded in silence.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from ..core.events import read_measure
from ..core.names import shown
from ..errors import BadInput, NotFound

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE)
FILE_LIMIT = 64 << 20  # bytes of an evaluation file
FILE_FORM = '{"metrics": {"auc": 0.91, "n": 4000}, "on": "holdout-2026q4", "slices": {"region=south": {"recall": 0.69}}}'


def labels(typed: Iterable[str]) -> dict[str, str]:
    """Text by name: ``team=risk``."""
    return _collected((_pair(text, "--label team=risk") for text in typed), "label")


def label_changes(typed: Iterable[str]) -> dict[str, str | None]:
    """Text by name, or None where the value is empty: ``draft=`` takes a label away."""
    found = _collected((_pair(text, "team=risk, or team= to take it away") for text in typed), "label")
    if not found:
        raise BadInput("no label was given", where="nothing was written", do="write flowreg label churn@12 team=risk", code="no-label")
    return {name: value or None for name, value in found.items()}


def params(typed: Iterable[str]) -> dict[str, Any]:
    """Values by name: numbers, true, false and null as JSON reads them, everything else as text."""
    pairs = (_pair(text, "--param depth=6") for text in typed)
    return _collected(((name, _param(value)) for name, value in pairs), "param")


def storage_options(typed: Iterable[str]) -> dict[str, Any]:
    """Values by name, as JSON reads them, everything else as text. A value may be a secret, so no error shows it."""
    found: dict[str, Any] = {}
    for text in typed:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier() or name in found:
            what = f"the storage option {name} was given twice" if name in found else "a storage option is NAME=VALUE"
            raise BadInput(what, do="write --storage-option endpoint_url=http://minio:9000", code="bad-storage-option")
        try:
            found[name] = json.loads(value)
        except (ValueError, RecursionError):
            found[name] = value
    return found


def metrics(typed: Iterable[str]) -> dict[str, float]:
    """Numbers by name: ``auc=0.91``."""
    return _collected((_metric(text, "--metric auc=0.91") for text in typed), "metric")


def slices(typed: Iterable[str]) -> dict[str, dict[str, float]]:
    """Numbers by slice and name: ``region=south:recall=0.69``."""
    found: dict[str, dict[str, float]] = {}
    for text in typed:
        where, colon, rest = text.rpartition(":")
        if not colon or not where:
            raise _unreadable(text, "--slice region=south:recall=0.69")
        name, value = _metric(rest, "--slice region=south:recall=0.69")
        if name in found.setdefault(where, {}):
            raise _twice(f"{name} of {where}", "slice")
        found[where][name] = value
    return found


def evaluation_file(path: str) -> dict[str, Any]:
    """``metrics``, ``on`` and ``slices`` of a JSON file, or of standard input for ``-``."""
    value = _json(path)
    known = {"metrics", "on", "slices"}
    if not isinstance(value, dict) or not value.keys() <= known or not value.keys() & {"metrics", "slices"}:
        named = ", ".join(shown(name) for name in value) if isinstance(value, dict) else shown(value)
        raise BadInput(f"this is not an evaluation: {named}", where=path, do=f"write {FILE_FORM}", code="bad-evaluation")
    return {
        "metrics": _measures(value.get("metrics")),
        "on": value.get("on"),
        "slices": {key: _measures(row) for key, row in _mapping(value.get("slices")).items()},
    }


def groups(typed: Iterable[str]) -> dict[str, list[str]]:
    """The names of people by group: ``model-risk=ana,bo``; none take a group away."""
    pairs = (_pair(text, "GROUP=NAME,NAME, for example model-risk=ana,bo") for text in typed)
    return _collected([(name, [person.strip() for person in people.split(",") if person.strip()]) for name, people in pairs], "group")


def groups_file(path: str) -> dict[str, list[str]]:
    """The names of people by group, of a file in YAML or JSON."""
    from ..gates.written import read_text

    try:
        content = read_text(_bytes(path).decode()).content
    except UnicodeDecodeError:
        raise BadInput("this file is not UTF-8 text", where=path, do="save it as UTF-8", code="bad-people") from None
    if isinstance(content, dict) and all(isinstance(people, list) for people in content.values()):
        return content
    raise BadInput(
        "this file does not say who is in which group",
        where=f"{path}; nothing was written",
        do="write model-risk: [ana, bo]",
        code="bad-people",
    )


def text_file(path: str) -> str:
    """The text of a file."""
    try:
        return _bytes(path).decode()
    except UnicodeDecodeError as error:
        raise BadInput("this file is not UTF-8 text", where=f"{path}, byte {error.start}", do="save it as UTF-8", code="bad-text") from None


def _json(path: str) -> Any:
    raw = _bytes(path)
    try:
        return json.loads(raw, object_pairs_hook=_once_each, parse_float=_float)
    except (ValueError, RecursionError) as error:
        reason = error.what if isinstance(error, BadInput) else str(error)
        raise BadInput(f"this is not an evaluation: {reason}", where=path, do=f"write {FILE_FORM}", code="bad-evaluation") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return _collected(pairs, "name")


def _float(text: str) -> float:
    if not isfinite(value := float(text)):
        raise BadInput(f"no double holds {shown(text)}")
    return value


def _bytes(path: str) -> bytes:
    raw = sys.stdin.buffer.read(FILE_LIMIT + 1) if path == "-" else _bytes_of_file(path)
    if len(raw) > FILE_LIMIT:
        do = f"at most {FILE_LIMIT >> 20} MiB are read"
        raise BadInput("this file is too long", where=f"{path}; nothing was written", do=do, code="too-long")
    return raw


def _bytes_of_file(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(FILE_LIMIT + 1)
    except FileNotFoundError:
        raise NotFound(f"there is no file {shown(path)}", where="nothing was written", do="check the path", code="no-file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInput(
            f"the file {shown(path)} cannot be read: {reason}", where="nothing was written", do="check the path", code="no-file"
        ) from None


def _mapping(value: Any) -> Mapping[str, Any]:
    if value is None or isinstance(value, dict):
        return value or {}
    raise BadInput(f"{shown(value)} is not a mapping", where="nothing was written", do=f"write {FILE_FORM}", code="bad-evaluation")


def _measures(value: Any) -> dict[str, Any]:
    return {name: read_measure(number) for name, number in _mapping(value).items()}


def _pair(text: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise _unreadable(text, form)
    return name, value


def _metric(text: str, form: str) -> tuple[str, float]:
    name, equals, value = text.rpartition("=")  # from the right: a metric's name may hold an equals sign, its value never does
    if not equals or not name:
        raise _unreadable(text, form)
    if _NOT_FINITE.fullmatch(value):
        return name, float(value)
    if not _NUMBER.fullmatch(value):
        raise _unreadable(text, form)
    number = _whole(value) if re.fullmatch(r"[+-]?\d+", value, re.ASCII) else float(value)
    if isinstance(number, float) and not isfinite(number):
        raise BadInput(
            f"{shown(text)}: no double holds this number",
            where="nothing was written",
            do="write inf if that is what was measured",
            code="bad-metric",
        )
    return name, number


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < 400 else float(digits)


def _param(text: str) -> Any:
    """JSON's numbers and words; whatever is not exactly one of them is text."""
    if text in ("true", "false", "null") or (_NUMBER.fullmatch(text) and len(text) < 400):
        try:
            value = json.loads(text)
        except ValueError:
            return text  # 007 and .5 are no JSON numbers
        return value if not isinstance(value, float) or isfinite(value) else text
    return text


def _collected(pairs: Iterable[tuple[str, Any]], noun: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _twice(name, noun)
        found[name] = value
    return found


def _twice(name: str, noun: str) -> BadInput:
    return BadInput(f"the {noun} {shown(name)} was given twice", where="nothing was written", do="give it once", code="given-twice")


def _unreadable(text: str, form: str) -> BadInput:
    return BadInput(f"cannot read {shown(text)}", where="nothing was written", do=f"write {form}", code="bad-pair")
