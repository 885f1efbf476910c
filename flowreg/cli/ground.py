"""The verbs about the ground a registry stands on: init, doctor.

Rule 1: whether a root may be written is tried, not believed: the first entry is created a second time, with its own bytes, and that
must be refused. Where it is not refused nothing has changed all the same.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from ..core.layout import entry_path
from ..errors import Refused
from ..journals import Journals
from ..root import default_root
from ..storage.probe import Promise, probe
from ..storage.store import PROOFS, Proof, Store, open_on_trial, open_store
from ..version import VERSION
from .blocks import BLANK, Block, Cell, Column, Grid, Line, Span, facts, hint, quiet, strong
from .errors import EXIT_CODES
from .here import Here
from .options import AsJson, DryRun, InHere, Tried

NO_EXTRAS = {"test", "all", "demo"}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What ``flowreg doctor`` found. ``writable`` is None where only trying would tell, and nothing is there to try on."""

    root: str
    said_by: str
    registry: str | None
    mechanism: str
    writable: bool | None
    why: str
    flowreg: str
    python: str
    extras: Mapping[str, Mapping[str, str | None]]
    proofs: Mapping[str, Proof]


@dataclass(frozen=True, slots=True)
class Trial:
    """What ``flowreg doctor URL`` found by trying."""

    root: str
    mechanism: str
    promises: Sequence[Promise]

    @property
    def holds(self) -> bool:
        return all(promise.held for promise in self.promises if promise.needed)


def init(*, here: InHere, dry_run: DryRun = False, json: AsJson = False) -> int:
    """The registry, created and proven."""
    store = here.store()
    journals = Journals(store, None)
    before = journals.registry.state().registry
    if dry_run:
        told = "exists already" if before else "would be created"
        return here.answer(
            {"root": store.root, "registry": before, "created": before is None, "mechanism": store.mechanism}, as_json=json,
            drawn=lambda: [Line.of(f"The registry {told}: ", strong(store.root), quiet(" (a dry run: nothing was written)"))],
        )  # fmt: skip
    now = journals.created().registry
    _prove(store)
    value = {"root": store.root, "registry": now, "created": before is None, "mechanism": store.mechanism}
    return here.answer(value, as_json=json, drawn=lambda: _created(store, created=before is None))


def doctor(tried: Tried = None, /, *, here: InHere, json: AsJson = False) -> int:
    """The root, its filesystem and what is installed. Ends with 4 where the root cannot be written, or a promise does not hold."""
    if tried is not None:
        return _try(tried, here, as_json=json)
    store = here.store()
    registry = Journals(store, None).registry.state().registry
    writable, why = _may_write(store, exists=registry is not None)
    found = Diagnosis(
        store.root, _said_by(here), registry, store.mechanism, writable, why, VERSION, platform.python_version(), _extras(), PROOFS
    )
    here.answer(found, as_json=json, drawn=lambda: _drawn(found))
    return EXIT_CODES[Refused] if writable is False else 0


def _try(url: str, here: Here, *, as_json: bool) -> int:
    store = open_store(url, here.storage_options)
    found = Trial(store.root, store.mechanism, probe(lambda: open_on_trial(url, here.storage_options)))
    value = {"root": found.root, "mechanism": found.mechanism, "holds": found.holds, "promises": found.promises}
    here.answer(value, as_json=as_json, drawn=lambda: _drawn_trial(found))
    return 0 if found.holds else EXIT_CODES[Refused]


def _drawn_trial(found: Trial) -> Iterator[Block]:
    yield Line.of("Tried ", strong(found.root), quiet(" (what was written for it is removed)"))
    said: Mapping[bool | None, Span] = {True: Span("✓", "good"), False: Span("✗", "bad"), None: Span("?", "warn")}
    columns = Column("", wraps=False), Column("promise"), Column("what was seen", wraps=True)
    yield Grid(columns, tuple((said[p.held], p.name, p.seen) for p in found.promises))
    if found.holds and found.mechanism == "none":
        yield Line.of(
            quiet("A filesystem without a proof is written only if it has a conditional write of its own; each process tries it first.")
        )


def _prove(store: Store) -> None:
    """Create the first entry once more: it must be refused."""
    path = entry_path(None, 1)
    stands = store.read(path)
    assert stands is not None, "it was created or read just now"
    try:
        store.create(path, stands)
    except Exception as error:
        if _is_refusal(error):
            return
        raise
    raise Refused(
        "this root takes a file a second time, so two writers could overwrite each other",
        where=f"{store.root}; nothing was changed",
        do="use a root whose filesystem creates a file only once; flowreg doctor lists those that were proven",
        code="no-exclusive-create",
    )


def _is_refusal(error: Exception) -> bool:
    """Whether the storage said that the file is there already: an object store does so by HTTP status 412."""
    answer = getattr(error.__cause__, "response", None) or {}
    return isinstance(error, FileExistsError) or answer.get("ResponseMetadata", {}).get("HTTPStatusCode") == 412


def _created(store: Store, *, created: bool) -> Iterator[Block]:
    yield Line.of(Span("✓ ", "good"), "Created the registry " if created else "The registry exists: ", strong(store.root))
    yield Line.of(quiet(f"  it can be written safely: a second creation of the same file was refused ({store.mechanism})"))
    yield hint("Register a model", "flowreg register model.pkl --model churn")
    yield hint("Protect an alias", "flowreg policy set FILE")


def _may_write(store: Store, *, exists: bool) -> tuple[bool | None, str]:
    if store.mechanism == "none":
        return False, "its filesystem is not known to create a file for one writer only"
    if exists:
        return _tried(store)
    folder = getattr(store, "folder", None)
    if isinstance(folder, Path):
        nearest = next(place for place in (folder, *folder.parents) if place.exists())
        allowed = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
        return allowed, f"nothing is there yet; {nearest} may {'' if allowed else 'not '}be written"
    return None, "nothing is there yet; flowreg init tries"


def _tried(store: Store) -> tuple[bool, str]:
    try:
        _prove(store)
    except Refused as error:
        return False, error.what
    except OSError as error:
        return False, f"the storage says: {error.strerror or error}"
    return True, "a second creation of the same file was refused"


def _said_by(here: Here) -> str:
    if here.root is not None:
        return "--root"
    if os.environ.get("FLOWREG_ROOT"):
        return "$FLOWREG_ROOT"
    return "the default" if default_root() == str(Path.home() / ".flowreg") else "[tool.flowreg] in pyproject.toml"


def _extras() -> dict[str, dict[str, str | None]]:
    """For each extra the packages it wants, with the version that is installed or None."""
    found: dict[str, dict[str, str | None]] = {}
    for wanted in metadata.requires("flowreg") or ():
        extra = re.search(r"extra == ['\"]([^'\"]+)", wanted)
        package = re.match(r"[\w.-]+", wanted)
        if extra and package and extra[1] not in NO_EXTRAS and package[0] != "flowreg":
            found.setdefault(extra[1], {})[package[0]] = _installed(package[0])
    return found


def _installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # it may be there under another name, as xgboost is from xgboost-cpu
        return "by another package" if find_spec(package.replace("-", "_")) else None


def _drawn(found: Diagnosis) -> Iterator[Block]:
    said: Cell = {True: Span(f"yes: {found.why}", "good"), False: Span(f"no: {found.why}", "bad"), None: Span(found.why, "warn")}[
        found.writable
    ]
    yield Line.of(strong("root"))
    yield facts(
        [
            ("lies at", f"{found.root} (said by {found.said_by})"),
            ("registry", f"{found.registry[:19]}…" if found.registry else Span("none yet: flowreg init", "warn")),
            ("creates by", found.mechanism),
            ("can write", said),
            ("flowreg", f"{found.flowreg}, Python {found.python}"),
        ]
    )
    yield BLANK
    yield Line.of(strong("extras"))
    yield Grid((Column("", wraps=False), Column("", wraps=True)), tuple(_extra(name, wants) for name, wants in found.extras.items()))
    yield BLANK
    yield Line.of(strong("filesystems proven to create a file for one writer only"))
    columns = Column("  root"), Column("how", wraps=True), Column("needs"), Column("raced on", wraps=True)
    yield Grid(columns, tuple((f"  {p.protocol}", p.mechanism, p.package or "-", p.raced_on) for p in found.proofs.values()))


def _extra(name: str, wants: Mapping[str, str | None]) -> tuple[Cell, Cell]:
    missing = [package for package, version in wants.items() if version is None]
    if missing:
        return quiet(f"  - {name}"), quiet(f'pip install "flowreg[{name}]" (for {", ".join(missing)})')
    return Span(f"  ✓ {name}", "good"), ", ".join(f"{package} {version}" for package, version in wants.items())
