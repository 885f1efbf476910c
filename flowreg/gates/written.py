"""From a policy file to plain values, and where in the file each of them stands.

Rule 1: only what JSON could say: no tags, no anchors, no aliases, one document, each key once.
Rule 2: the events of the YAML parser are read one by one, so that a limit is met before anything large is built.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from ..core.names import shown
from ..errors import BadInput

SIZE_LIMIT = 256 * 1024  # bytes; a long policy has four thousand
DEPTH_LIMIT = 16
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """The plain values of a text; ``lines`` has the line and column (from 1) of each key and each list item by its path."""

    content: Any
    lines: Mapping[Path, tuple[int, int]]

    def line_of(self, path: Path) -> tuple[int, int] | None:
        """Where ``path`` stands, or the nearest part around it."""
        return next((self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), None)


def read_text(text: str) -> Written:
    """Read YAML or JSON. ``BadInput`` with line and column where it cannot be read."""
    if len(text) > SIZE_LIMIT or len(text.encode("utf-8", "surrogatepass")) > SIZE_LIMIT:
        raise BadInput(
            f"a policy has at most {SIZE_LIMIT // 1024} KiB, this text has {len(text)} characters", do="write less", code="bad-policy"
        )
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith("{"):
        try:
            # YAML forbids the tabs that JSON files may be indented with.
            return Written(json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant), _lines_of_json(text))
        except json.JSONDecodeError:
            pass  # a YAML mapping may also begin with a brace
        except (RecursionError, ValueError) as error:
            raise (
                error if isinstance(error, BadInput) else _bad("this JSON cannot be read: it is nested too deep or has too long a number")
            ) from None
    return _read_yaml(text)


def _lines_of_json(text: str) -> Mapping[Path, tuple[int, int]]:
    """Where its parts stand: JSON is YAML once its tabs, which are only spacing, are spaces."""
    try:
        return _read_yaml(text.expandtabs(1)).lines
    except BadInput:
        return {}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for place, (key, _) in enumerate(pairs):
        if key in {earlier for earlier, _ in pairs[:place]}:
            raise _bad(f"the key {shown(key)} is given twice", do="keep one of them")
    return dict(pairs)


def _no_constant(token: str) -> NoReturn:
    raise _bad(f"{token} is not JSON")


def _read_yaml(text: str) -> Written:
    import yaml

    lines: dict[Path, tuple[int, int]] = {}
    try:
        content = _document(_Events(yaml.SafeLoader(text)), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _bad(f"this is not YAML: {error.problem or error.context}", mark) from None
    except yaml.YAMLError as error:
        raise _bad(f"this is not YAML: {shown(str(error).splitlines()[0])}") from None
    return Written(content, lines)


class _Events:
    """The parser's events, one at a time, with what no policy needs refused."""

    def __init__(self, loader: Any) -> None:  # a yaml.SafeLoader, whose methods have no types
        self.loader = loader

    def next(self) -> Any:
        event = self.loader.get_event()
        if getattr(event, "anchor", None):  # where one is set, and where one is used
            raise _bad(
                "a policy has no anchors (&) and aliases (*)", event.start_mark, "write it out, or quote a text that begins with * or &"
            )
        if getattr(event, "tag", None):
            raise _bad(f"a policy has no tags, and here is {shown(event.tag)}", event.start_mark, "quote a text that begins with !")
        return event

    def scalar(self, event: Any) -> Any:
        import yaml

        node = yaml.ScalarNode(
            self.loader.resolve(yaml.ScalarNode, event.value, event.implicit), event.value, event.start_mark, event.end_mark
        )
        try:
            return self.loader.construct_object(node)
        except (ValueError, OverflowError, yaml.constructor.ConstructorError):
            raise _bad(f"{shown(event.value)} cannot be read as YAML reads it", event.start_mark, "put it in quotes") from None


def _document(events: _Events, lines: dict[Path, tuple[int, int]]) -> Any:
    import yaml

    events.next()  # the start of the stream
    if isinstance(events.next(), yaml.StreamEndEvent):
        raise _bad("the text is empty", do="a policy has policy, models, alias and gates")
    content = _value(events, events.next(), (), lines)
    events.next()  # the end of the document
    if not isinstance(event := events.next(), yaml.StreamEndEvent):
        raise _bad("there is a second document here, and a policy is one", event.start_mark, "put each policy in a file of its own")
    return content


def _value(events: _Events, event: Any, path: Path, lines: dict[Path, tuple[int, int]]) -> Any:
    import yaml

    if len(path) > DEPTH_LIMIT:
        raise _bad(f"a policy is nested at most {DEPTH_LIMIT} deep", event.start_mark)
    if isinstance(event, yaml.MappingStartEvent):
        return dict(_entries(events, path, lines))
    if isinstance(event, yaml.SequenceStartEvent):
        return list(_items(events, path, lines))
    return events.scalar(event)


def _items(events: _Events, path: Path, lines: dict[Path, tuple[int, int]]) -> Iterator[Any]:
    import yaml

    place = 0
    while not isinstance(event := events.next(), yaml.SequenceEndEvent):
        lines[*path, place] = _line_column(event.start_mark)
        yield _value(events, event, (*path, place), lines)
        place += 1


def _entries(events: _Events, path: Path, lines: dict[Path, tuple[int, int]]) -> Iterator[tuple[str, Any]]:
    import yaml

    while not isinstance(event := events.next(), yaml.MappingEndEvent):
        mark = event.start_mark
        if not isinstance(event, yaml.ScalarEvent):
            raise _bad("a key is text, not a list or a mapping", mark, "put it in quotes")
        key = events.scalar(event)
        if not isinstance(key, str):
            raise _bad(f"a key is text, and YAML reads {shown(event.value)} as {shown(key)}", mark, _KEY_HINT)
        if (*path, key) in lines:
            raise _bad(f"the key {shown(key)} is given twice", mark, "keep one of them")
        lines[*path, key] = _line_column(mark)
        yield key, _value(events, events.next(), (*path, key), lines)


_KEY_HINT = "no key of a policy is like that; YAML takes on, off, yes and no for true and false, so the data set stands under dataset"


def _line_column(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _bad(what: str, mark: Any = None, do: str = "") -> BadInput:
    where = "line {}, column {}".format(*_line_column(mark)) if mark is not None else ""
    return BadInput(
        what,
        where=where,
        do=do or "write a policy as YAML or JSON, expressions with {, }, [ or # inside braces in quotes",
        code="bad-policy",
    )
