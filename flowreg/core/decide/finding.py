"""Which version is meant, and how refusals speak of what there is."""

from __future__ import annotations

from ...errors import BadInput, NotFound
from ..aliases import NOBODY
from ..names import Alias, ByDigest, Newest, Number, Ref
from ..state import ModelState, VersionState


def resolve(state: ModelState, ref: Ref) -> VersionState:
    """The version that ``ref`` names in this state, else ``NotFound`` with what there is."""
    match ref.selector:
        case Number(number):
            version = state.version(number)
        case Newest():
            version = state.version(state.newest)
        case Alias(name, back):
            version = _back(state, name, back)
        case ByDigest(hexes):
            version = _by_digest(state, ref, hexes)
    if version is None:
        raise NotFound(
            f"there is no {ref}",
            where=what_there_is(state, ref.model),
            do="see flowreg ls, or flowreg show " + ref.model,
            code="no-version",
        )
    return version


def known(state: ModelState, number: int) -> VersionState:
    version = state.version(number)
    if version is None:
        raise NotFound(f"there is no version {number}", where=f"the newest is {state.newest}", do="see flowreg ls", code="no-version")
    return version


def number_text(number: int | None) -> str:
    return "nobody" if number is None else f"version {number}"


def holder_text(state: ModelState, alias: str, model: str) -> str:
    holder = state.holder(alias)
    return f"{model}@{holder.number}" if holder else "nobody"


def listed(numbers: set[int | None]) -> str:
    return ", ".join(str(n) for n in sorted(n for n in numbers if n is not None)) or "none"


def what_there_is(state: ModelState, model: str) -> str:
    if not state.newest:
        return f"{model} has no versions"
    aliases = ", ".join(f"{name}@{a.version}" for name, a in sorted(state.aliases.items()) if a.version) or "no aliases"
    return f"{model} has versions 1 to {state.newest}, {aliases}"


def _back(state: ModelState, name: str, back: int) -> VersionState | None:
    alias = state.aliases.get(name, NOBODY)
    if back == 0:
        return state.version(alias.version) if alias.version else None
    return state.version(alias.trail[-back]) if back <= len(alias.trail) else None


def _by_digest(state: ModelState, ref: Ref, hexes: str) -> VersionState | None:
    found = [v for v in state.versions if v.manifest.startswith("sha256:" + hexes)]
    if len({v.manifest for v in found}) > 1:
        raise BadInput(f"{ref} is short for several versions: {listed({v.number for v in found})}", do="give more digits", code="ambiguous")
    return found[0] if found else None
