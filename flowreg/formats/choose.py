"""Which format: for an object to save, by the name a version carries, and for a path to register.

Rule 1: built-in names resolve without looking at any entry point, and no package can take one of them over.
Rule 2: what executes code is never chosen without ``trust="pickle"``, neither for an object nor for a path.
Rule 3: nothing is guessed: two formats that fit equally well are an error that names both.
"""

from __future__ import annotations

import importlib
import warnings
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from ..core.names import shown
from ..errors import BadInput, NotFound, Refused
from . import Format
from .kinds import described, is_a

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "flowreg.formats"
TRUST_PICKLE = "pickle"
BUILT_IN = MappingProxyType(
    {
        "files": "flowreg.formats.files:Files",
        "joblib": "flowreg.formats.pickle:Joblib",
        "onnx": "flowreg.formats.onnx:Onnx",
        "pickle": "flowreg.formats.pickle:Pickle",
        "safetensors": "flowreg.formats.safetensors:Safetensors",
        "skops": "flowreg.formats.skops:Skops",
        "xgboost": "flowreg.formats.xgboost:XGBoost",
    }
)


def saver_for(obj: Any, *, trust: str | None = None, loader: str | None = None) -> Format:
    """The format that saves ``obj``: the one named by ``loader``, else the best fit among all that are installed."""
    _check_trust(trust)
    if loader is not None:
        return _permitted(loader_named(loader), trust)
    scored = [(found.can_save(obj), found) for found in _installed() if trust == TRUST_PICKLE or not found.executes_code]
    best = max(score for score, _ in scored)
    if best <= 0:
        raise _nothing_fits(obj)
    winners = [found for score, found in scored if score == best]
    if len(winners) > 1:
        names = " and ".join(sorted(repr(found.name) for found in winners))
        raise BadInput(f"a {described(obj)} can be saved equally well by {names}", do="say which one: loader=", code="ambiguous-format")
    return winners[0]


def loader_named(name: str) -> Format:
    """The format called ``name``, built in or brought by an installed package; ``NotFound`` where there is none."""
    if name in BUILT_IN:
        return _built_in(name)
    found = [entry for entry in brought() if entry.name == name]
    if len(found) > 1:
        raise BadInput(
            f"{len(found)} installed packages bring a format {shown(name)}",
            where=_packages(found),
            do="uninstall all but one",
            code="ambiguous-format",
        )
    if not found:
        raise NotFound(
            f"no format {shown(name)} is installed",
            where=f"there are: {', '.join(_names())}",
            do=f"install the package that brings it (entry point group {GROUP})",
            code="no-format",
        )
    return _made(found[0])


def loader_for_path(path: Path, *, trust: str | None = None) -> str:
    """The name to record for a registered path: for one file whose ending belongs to exactly one format, that; else ``files``."""
    _check_trust(trust)
    if not path.suffix or path.is_dir():
        return "files"
    owners = [found for found in _installed() if path.suffix.lower() in found.extensions]
    if len(owners) == 1 and (trust == TRUST_PICKLE or not owners[0].executes_code):
        return owners[0].name
    return "files"


@cache
def brought() -> tuple[EntryPoint, ...]:
    """What installed packages bring. Looked up once a process: it opens every one of them, which costs more than a registration."""
    from importlib.metadata import entry_points

    return tuple(entry_points(group=GROUP))


def _installed() -> list[Format]:
    """All formats, the built-in ones first. One that cannot be imported is left out, with a warning."""
    formats = [_built_in(name) for name in BUILT_IN]
    for entry in brought():
        if entry.name in BUILT_IN:
            continue
        try:
            formats.append(_made(entry))
        except BadInput as broken:
            warnings.warn(str(broken), RuntimeWarning, stacklevel=4)
    return formats


def _built_in(name: str) -> Format:
    module, _, kind = BUILT_IN[name].partition(":")
    return cast(Format, getattr(importlib.import_module(module), kind)())


def _made(entry: EntryPoint) -> Format:
    try:
        return cast(Format, entry.load()())
    except Exception as error:  # the import runs a stranger's module: it may raise anything
        raise BadInput(
            f"the format {shown(entry.name)} cannot be used: {type(error).__name__}: {error}",
            where=_packages([entry]),
            do="repair or uninstall that package",
            code="broken-format",
        ) from error


def _names() -> list[str]:
    return sorted({*BUILT_IN, *(entry.name for entry in brought())})


def _packages(entries: list[EntryPoint]) -> str:
    return ", ".join(f"{entry.value} of {entry.dist.name if entry.dist else 'an unknown package'}" for entry in entries)


def _check_trust(trust: str | None) -> None:
    if trust not in (None, TRUST_PICKLE):
        raise BadInput(
            f"cannot read trust={shown(trust)}", do='leave it out, or give trust="pickle" to allow pickle and joblib', code="bad-trust"
        )


def _permitted(found: Format, trust: str | None) -> Format:
    if found.executes_code and trust != TRUST_PICKLE:
        raise Refused(
            f"a file of the format {found.name!r} runs code when it is loaded",
            where="nothing was written",
            do='if you want that, give trust="pickle"; whoever loads it must then say trust=True',
            code="untrusted-code",
        )
    return found


def _nothing_fits(obj: Any) -> BadInput:
    if is_a(obj, "torch", "Module"):
        do = "pass model.state_dict(): the weights without the code"
    else:
        do = (
            "give a scikit-learn estimator, an XGBoost model, a dict of arrays, a torch state dict or an ONNX model; or save it "
            'yourself and register the path; or give trust="pickle", and whoever loads it must say trust=True'
        )
    return BadInput(f"no installed format can save a {described(obj)}", where="nothing was written", do=do, code="no-format")
