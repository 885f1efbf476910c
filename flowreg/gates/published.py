"""The JSON Schema of the language of policies, for editors: ``policy.schema.json`` beside this file is what it says.

Rule: it is made from the classes, never written by hand; a test compares the file. Written anew by ``python -m flowreg.gates.published``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .gate import Gate
from .kinds import GATE, KINDS, kind_named
from .policy import Policy

FILE = Path(__file__).with_name("policy.schema.json")
_REF = "#/$defs/{model}"
_EXPRESSION = {
    "type": "string", "maxLength": 500, "description": "An expression: auc >= 0.85, recall[region=*] >= champion.recall[region=*] - 2%",
}  # fmt: skip


def json_schema() -> dict[str, Any]:
    """The whole language as a JSON Schema (draft 2020-12). Kinds that packages bring are let through unread."""
    schema = Policy.model_json_schema(ref_template=_REF)
    defs: dict[str, Any] = schema.pop("$defs", {})
    kinds = {name: kind_named(name) for name in KINDS}
    for name, kind in kinds.items():
        said = kind.model_json_schema(ref_template=_REF)
        defs |= said.pop("$defs", {})
        defs[kind.__name__] = _required(said, name)
    defs["Gate"] = {"anyOf": [_EXPRESSION, *({"$ref": _REF.format(model=kind.__name__)} for kind in kinds.values()), _brought()]}
    schema["properties"]["extends"] = _extends()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A policy of flowreg"}
    described = "The gates that protect an alias. Check a file: flowreg policy check FILE"
    whole: dict[str, Any] = _tidy({**schema, **head, "description": described, "$defs": defs})
    return whole


def text() -> str:
    """The bytes of the published file."""
    return json.dumps(json_schema(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _required(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """The key that says which kind it is must be there, and its description is the class's first sentence."""
    key = "check" if "check" in schema["properties"] else name
    first = schema.get("description", "").split("\n\n")[0]
    return {**schema, "required": sorted({*schema.get("required", []), key}), "description": " ".join(first.split())}


def _brought() -> dict[str, Any]:
    known = [name for name in KINDS if name not in ("expr", "any_of")]
    check = {"type": "string", "not": {"enum": known}, "description": "A kind of gate that an installed package brings."}
    return {"type": "object", "required": ["check"], "properties": {"check": check}}


def _extends() -> dict[str, Any]:
    one = {"anyOf": [{"type": "string"}, {"$ref": _REF.format(model="Parent")}]}
    return {"anyOf": [*one["anyOf"], {"type": "array", "items": one}], "description": "Policies in force whose gates come first."}


def _tidy(value: Any) -> Any:
    """Gates of any kind by reference; no titles, which only repeat the names."""
    if isinstance(value, list):
        return [_tidy(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("title") == GATE["title"]:
        return {"$ref": _REF.format(model=Gate.__name__)}
    kept = {key: one for key, one in value.items() if not (key == "title" and isinstance(one, str) and "$schema" not in value)}
    return {key: _tidy(one) for key, one in kept.items()}


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
