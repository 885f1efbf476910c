"""The gate that requires what must be written about a version: ``{check: metadata, require: [owner, card.intended_use]}``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sized
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ..core.decision import GateResult
from .evidence import Evidence
from .gate import Gate

DottedPath = Annotated[str, Field(pattern=r"^[A-Za-z_][\w\-]*(\.[A-Za-z_][\w\-]*)*$", max_length=200)]


class Metadata(Gate):
    """Each path of ``require`` must be there and not be empty."""

    kind: ClassVar[str] = "metadata"
    noun: ClassVar[str] = "a metadata gate"

    check: Literal["metadata"] = "metadata"
    require: Annotated[tuple[DottedPath, ...], Field(strict=False, min_length=1)]

    def judge(self, evidence: Evidence) -> GateResult:
        subject = evidence.facts.candidate
        missing = [path for path in dict.fromkeys(self.require) if _is_empty(_at(subject.paths, path))]
        if not missing:
            return self.found("pass", f"{subject.ref} has {', '.join(self.require)}")
        return self.found("fail", f"{subject.ref} does not say {', '.join(missing)}")

    def to_json(self) -> dict[str, Any]:
        return {"check": self.check, **super().to_json()}


def _at(paths: Mapping[str, Any], path: str) -> Any:
    found: Any = paths
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _is_empty(value: Any) -> bool:
    """None, nothing but spaces, NaN, no elements, or only empty ones. Zero and False say something."""
    match value:
        case None:
            return True
        case str():
            return not value.strip()
        case float():
            return math.isnan(value)
        case Mapping():
            return all(map(_is_empty, value.values()))
        case list() | tuple():
            return all(map(_is_empty, value))
        case _:
            return isinstance(value, Sized) and not len(value)
