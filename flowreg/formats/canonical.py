"""The same bytes for the same model: rewriting what skops wrote.

skops names things by their address in memory and by random ids, dates the archive's members, and writes sets in hash order.
The rewritten file is an ordinary skops file that any skops reads.

Rule 1: ids say only which nodes are one object, so an id that occurs once is dropped and the others are counted 1, 2, 3 …
in order of appearance. Numbers and text need none.
Rule 2: members are numbered in order of use, dated 1980, and not compressed (compressors differ from build to build).
Rule 3: the elements of a set are sorted by their content.
Rule 4: memory that nobody wrote is zeroed: the gaps between the fields of a tree's nodes, and the field that leaves leave
unset. (Else two fits with one seed differ, and a file carries off bytes that were in that memory before.)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import PurePosixPath
from typing import IO, Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

SCHEMA = "schema.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def rewrite(source: ZipFile, into: IO[bytes]) -> None:
    """Write the skops file ``source`` with canonical bytes to ``into``."""
    schema = json.loads(source.read(SCHEMA))
    _sort_sets(schema)
    _forget_addresses(schema)
    _renumber_ids(schema)
    members = _rename_members(schema)
    with ZipFile(into, "w", ZIP_STORED) as target:
        target.writestr(_member(SCHEMA), json.dumps(schema, separators=(",", ":")))
        for old, new in members.items():
            target.writestr(_member(new), _without_gaps(source.read(old), new))


def _member(name: str) -> ZipInfo:
    member = ZipInfo(name, date_time=_EPOCH)
    member.create_system = 3
    member.external_attr = 0o600 << 16
    return member


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every node of the schema, a parent before its children. A user's dict with a key ``__loader__`` is no node: its value is one."""
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if isinstance(item.get("__loader__"), str):
                yield item
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list):
            waiting.extend(reversed(item))


def _sort_sets(schema: Any) -> None:
    for node in list(_nodes(schema)):
        if node["__loader__"] == "SetNode":
            node["content"].sort(key=_content)
        elif (node["__module__"], node["__class__"], node["__loader__"]) == ("builtins", "frozenset", "ConstructorFromReduceNode"):
            node["content"]["content"][0]["content"].sort(key=_content)


def _content(node: Any) -> str:
    """What a set's element says, without its ids."""
    if isinstance(node, dict):
        return "{" + ",".join(f"{key}:{_content(value)}" for key, value in node.items() if key != "__id__" or isinstance(value, dict)) + "}"
    return "[" + ",".join(map(_content, node)) + "]" if isinstance(node, list) else json.dumps(node)


def _forget_addresses(schema: Any) -> None:
    """Text vectorizers keep ``id(self.stop_words)``, to warn once per process; 0 is nobody's."""
    for node in _nodes(schema):
        kept = node["content"].get("_stop_words_id") if node["__loader__"] == "DictNode" else None
        if isinstance(kept, dict) and kept.get("__loader__") == "JsonNode":
            kept["content"] = "0"


def _renumber_ids(schema: Any) -> None:
    def shares(node: dict[str, Any]) -> bool:
        return node["__loader__"] != "JsonNode" and isinstance(node.get("__id__"), int)

    uses = Counter(node["__id__"] for node in _nodes(schema) if shares(node))
    numbers: dict[int, int] = {}
    for node in _nodes(schema):
        if shares(node) and uses[node["__id__"]] > 1:
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
        else:
            node.pop("__id__", None)


def _rename_members(schema: Any) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in _nodes(schema):
        old = node.get("file")
        if isinstance(old, str):
            node["file"] = names.setdefault(old, f"{len(names)}{PurePosixPath(old).suffix}")
    return names


def _without_gaps(raw: bytes, name: str) -> bytes:
    if not name.endswith(".npy"):
        return raw
    import numpy

    array = numpy.load(BytesIO(raw), allow_pickle=False)
    if array.dtype.names is None:
        return raw
    clean = numpy.zeros(array.shape, array.dtype)
    for field in array.dtype.names:
        clean[field] = array[field]
    if {"left_child", "missing_go_to_left"} <= set(array.dtype.names):
        clean["missing_go_to_left"][array["left_child"] == -1] = 0
    rewritten = BytesIO()
    numpy.save(rewritten, clean, allow_pickle=False)
    return rewritten.getvalue()
