"""A gate that is not installed here: the policy asks for it, so it blocks until it is.

Rule: only a recorded policy may have one; a policy that is being written is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Never

from ..core.names import shown
from .evidence import Evidence, Unmeasurable
from .gate import Gate
from .kinds import is_known


class Missing(Gate):
    """A gate of the kind ``check``, whose ``text`` nothing here can read."""

    kind: ClassVar[str] = "missing"

    check: str
    text: Mapping[str, Any]

    @property
    def label(self) -> str:
        return self.id or self.check

    def judge(self, evidence: Evidence) -> Never:
        raise Unmeasurable(
            f"the kind of gate {shown(self.check)} is not installed here, or cannot be imported: install the package that brings it. "
            "Until then this gate blocks"
        )

    def to_json(self) -> dict[str, Any]:
        return dict(self.text)


def with_missing(recorded: Mapping[str, Any]) -> Mapping[str, Any]:
    """A recorded policy in which gates of kinds that are not here stand as such."""
    gates = recorded.get("gates")
    return {**recorded, "gates": [_one(gate) for gate in gates]} if isinstance(gates, list | tuple) else recorded


def _one(gate: Any) -> Any:
    if not isinstance(gate, Mapping):
        return gate
    if isinstance(parts := gate.get("any_of"), list | tuple):
        return {**gate, "any_of": [_one(part) for part in parts]}
    check = gate.get("check")
    if not isinstance(check, str) or is_known(check):
        return gate
    return Missing(check=check, text=gate, severity="warn" if gate.get("severity") == "warn" else "fail", id=gate.get("id"))
