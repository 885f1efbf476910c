"""The kinds of gate, and how a mapping says which one it is.

A new kind is a module with a class, and one line in each of the two lists below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Discriminator, Tag

from .any_of import AnyOf
from .expression import Expr
from .gate import Gate
from .metadata import Metadata
from .part import TextKeys

_TAGS: Mapping[type[Gate], str] = {Expr: "expr", AnyOf: "any_of", Metadata: "metadata"}


def _tag(value: object) -> str | None:
    """A text and ``{expr: …}`` are expressions, ``{any_of: …}`` says so, and all others name themselves by ``check``."""
    if isinstance(value, str):
        return "expr"
    if isinstance(value, Mapping):
        return str(value["check"]) if "check" in value else next((key for key in ("any_of", "expr") if key in value), None)
    return _TAGS.get(type(value)) if isinstance(value, Gate) else None


AnyGate = Annotated[
    Annotated[Expr, Tag("expr")] | Annotated[AnyOf, Tag("any_of")] | Annotated[Metadata, Tag("metadata")],
    Discriminator(_tag),
    TextKeys,
]
AnyOf.model_rebuild(_types_namespace={"AnyGate": AnyGate})  # its parts are gates of any kind
