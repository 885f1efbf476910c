"""Gates: a policy, the facts, and the judgement. Pure: no I/O but ``Policy.load`` and what the facts bring, no clock.

Importing this brings neither lark, numpy nor scipy: a kind of gate is imported when it is first used, the parser built when the first
expression is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .facts import Facts, Measured, PerExample, Subject
from .gate import Gate
from .judge import blocked_message, judge
from .policy import Policy

if TYPE_CHECKING:
    from .any_of import AnyOf
    from .approval import Approval
    from .compare import Compare
    from .drift import Drift
    from .expression import Expr
    from .metadata import Metadata
    from .python import PyGate
    from .scan import Scan
    from .schema import Schema

_KINDS = {
    "AnyOf": "any_of", "Approval": "approval", "Compare": "compare", "Drift": "drift", "Expr": "expression", "Metadata": "metadata",
    "PyGate": "python", "Scan": "scan", "Schema": "schema",
}  # fmt: skip
__all__ = [
    "AnyOf", "Approval", "Compare", "Drift", "Expr", "Facts", "Gate", "Measured", "Metadata", "PerExample", "Policy", "PyGate", "Scan",
    "Schema", "Subject", "blocked_message", "judge",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _KINDS:
        raise AttributeError(f"module 'flowreg.gates' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_KINDS[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_KINDS})
