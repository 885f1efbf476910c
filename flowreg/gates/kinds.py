"""The kinds of gate, and how a mapping says which one it is.

Rule 1: a kind is a module with a class; it is imported when a policy first asks for it.
Rule 2: built-in names resolve without looking at any entry point, and no package can take one of them over.
Rule 3: what an installed package brings (entry point group ``flowreg.gates``, the name is the ``check:``) is a subclass of ``Gate``; one
that cannot be imported is refused with its reason.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, cast

from pydantic import BeforeValidator, WithJsonSchema

from ..core.names import shown
from ..errors import BadInput
from .gate import Gate
from .part import TextKeys

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "flowreg.gates"
KINDS = MappingProxyType(
    {
        "expr": "expression:Expr",
        "any_of": "any_of:AnyOf",
        "metadata": "metadata:Metadata",
        "compare": "compare:Compare",
        "schema": "schema:Schema",
        "scan": "scan:Scan",
        "approval": "approval:Approval",
        "drift": "drift:Drift",
        "python": "python:PyGate",
    }
)
_CHECKS = tuple(name for name in KINDS if name not in ("expr", "any_of"))


def built(value: object) -> Gate:
    """The gate that this text or mapping says."""
    if isinstance(value, Gate):
        return value
    value = {"expr": value} if isinstance(value, str) else value
    name = _name_in(value)
    if name is None or not isinstance(value, Mapping):
        raise BadInput(
            f"{shown(value)} is not a gate",
            do="write an expression such as 'auc >= 0.85', or a mapping with expr, any_of or check",
            code="bad-policy",
        )
    return kind_named(name)(**value)


def kind_named(name: str) -> type[Gate]:
    """The class of gates of this kind, built in or brought by an installed package."""
    if name in KINDS:
        module, _, kind = KINDS[name].partition(":")
        return cast(type[Gate], getattr(importlib.import_module(f".{module}", __package__), kind))
    found = [entry for entry in _brought() if entry.name == name]
    if not found:
        raise _unknown(name)
    if len(found) > 1:
        raise BadInput(
            f"{len(found)} installed packages bring a gate {shown(name)}", do="uninstall all but one", code="ambiguous-gate"
        )  # fmt: skip
    return _imported(found[0])


def is_known(name: str) -> bool:
    """Is there a gate of this kind, here and now? One that is installed and broken is not."""
    try:
        kind_named(name)
    except BadInput:
        return False
    return True


def _name_in(value: object) -> str | None:
    """A text and ``{expr: …}`` are expressions, ``{any_of: …}`` says so, and all others name themselves by ``check``."""
    if not isinstance(value, Mapping):
        return None
    if "check" in value:
        named = str(value["check"])
        return named if named in _CHECKS or named not in KINDS else f"check: {named}"
    return next((key for key in ("any_of", "expr") if key in value), None)


@cache
def _brought() -> tuple[EntryPoint, ...]:
    """What installed packages bring: looked up once a process, and only for a kind that is not built in."""
    from importlib.metadata import entry_points

    return tuple(entry_points(group=GROUP))


def _imported(entry: EntryPoint) -> type[Gate]:
    try:
        kind = entry.load()
    except Exception as error:  # the import runs a stranger's module: it may raise anything
        raise _broken(entry, f"{type(error).__name__}: {shown(str(error), 300)}") from error
    if not (isinstance(kind, type) and issubclass(kind, Gate)):
        raise _broken(entry, "it is not a subclass of flowreg.gates.Gate")
    return kind


def _broken(entry: EntryPoint, reason: str) -> BadInput:
    package = entry.dist.name if entry.dist else "an unknown package"
    return BadInput(
        f"the gate {shown(entry.name)}, {entry.value} of {package}, cannot be used: {reason}",
        do="repair or uninstall that package", code="broken-gate",
    )  # fmt: skip


def _unknown(name: str) -> BadInput:
    known = (*map(repr, KINDS), *map(shown, _names(_brought())))
    return BadInput(
        f"this flowreg knows no gate of the kind {shown(name)}",
        do=f"the kinds it knows: {', '.join(known)}; an installed package may bring more (entry point group {GROUP})",
        code="unknown-gate",
    )


def _names(entries: Iterable[EntryPoint]) -> list[str]:
    return sorted({entry.name for entry in entries} - set(KINDS))


GATE = {"title": "a gate of any kind"}  # where the published schema puts them all, see ``published.py``
AnyGate = Annotated[Gate, BeforeValidator(built), TextKeys, WithJsonSchema(GATE)]
