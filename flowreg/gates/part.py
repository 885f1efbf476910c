"""The base of everything that is written in a policy: frozen, strict, and refused in words that help.

Rule 1: an unknown key is an error: ``sevrity: warn`` must not silently mean ``fail``.
Rule 2: what is refused is refused as ``BadInput``, whether it came from YAML, JSON or Python; ``facts["path"]`` says where in
the policy, so that the reader of a file can add the line.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from ..core.names import shown
from ..errors import BadInput


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    if not line or not line.isprintable():
        raise BadInput(f"{shown(text)} is empty or has control characters", do="write plain text", code="bad-policy")
    return line


def _text_keys(value: object) -> object:
    for key in value if isinstance(value, Mapping) else ():
        if not isinstance(key, str):
            raise BadInput(f"a key is text, not {shown(key)}", do="a mapping in a policy has names as keys", code="bad-policy")
    return value


TextKeys = BeforeValidator(_text_keys)  # wherever a part stands in another: it is built from keywords
Text = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_one_line)]
Word = Annotated[str, StringConstraints(max_length=200), AfterValidator(_one_line)]
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}$")]


class Part(BaseModel):
    """One mapping of a policy. ``noun`` is how errors call it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)
    noun: ClassVar[str] = "this part of a policy"

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise _explained(type(self), error) from None

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON, defaults left out."""
        return self.model_dump(mode="json", exclude_defaults=True)


def _explained(part: type[Part], error: ValidationError) -> BadInput:
    found = error.errors(include_url=False)[0]
    context: dict[str, Any] = found.get("ctx") or {}
    cause = context.get("error")
    path: tuple[str | int, ...] = found["loc"][:2]  # what follows is pydantic's own name for the kind of gate
    if isinstance(cause, BadInput):
        path += cause.facts.get("path", ())
        return BadInput(cause.what, where=place(path), do=cause.do, code=cause.code, **{**cause.facts, "path": path})
    what, do = _said(part, found, context)
    return BadInput(what, where=place(path), do=do, code="bad-policy", path=path)


def _said(part: type[Part], found: ErrorDetails, context: Mapping[str, Any]) -> tuple[str, str]:
    """What happened and what to do, for one error of pydantic."""
    key, value = str(found["loc"][-1]) if found["loc"] else "", found["input"]
    match found["type"]:
        case "extra_forbidden":
            return f"{shown(key)} is not a key of {part.noun}", _near(key, part) + _keys_of(part)
        case "missing":
            return f"{part.noun} needs {key}", _keys_of(part)
        case "union_tag_invalid":
            return f"this flowreg knows no gate of the kind {shown(context['tag'])}", f"the kinds it knows: {context['expected_tags']}"
        case "union_tag_not_found":
            return (
                f"{shown(value)} is not a gate",
                "write an expression such as 'auc >= 0.85', or a mapping with expr, any_of or check",
            )
        case "too_short":
            return f"{part.noun} needs {context['min_length']} or more under {key}", f"add to {key}"
        case "tuple_type":
            return f"{key} is a list, not {_read_as(value)}", f"write {key}: [...]"
        case "string_type":
            return f"{place(found['loc'])} is text, not {_read_as(value)}", "put it in quotes"
        case _:
            message = found["msg"][:1].lower() + found["msg"][1:]
            return f"{place(found['loc'])} cannot be {_read_as(value)}: {message}", _keys_of(part)


def _near(key: str, part: type[Part]) -> str:
    """A guess at what was meant. A comma cuts an expression in two where YAML is in braces."""
    if not key.isidentifier():
        return "if this is a piece of an expression with a comma, put the expression in quotes; "
    near = difflib.get_close_matches(key, part.model_fields, n=1)
    return f"did you mean {near[0]}? " if near else ""


def _read_as(value: object) -> str:
    return shown(value) if isinstance(value, str | int | float | list | tuple | None) else f"{type(value).__name__} {shown(str(value))}"


def place(path: tuple[str | int, ...]) -> str:
    """``("gates", 2, "severity")`` as a person reads it: ``gates[2].severity``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step if step.isprintable() else shown(step)}" for step in path).lstrip(
        "."
    )[:200]


def _keys_of(part: type[Part]) -> str:
    return f"the keys of {part.noun} are {', '.join(part.model_fields)}"
