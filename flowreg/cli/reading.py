"""The verbs that only look: ls, show, history, diff, fetch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from . import tables
from .blocks import Line, Span, quiet, strong
from .here import Here
from .options import AsJson, AsOf, InHere, Last, Model, Ref, Texts
from .words import counted, size

AnyRef = Annotated[str, Parameter(name="MODEL|REF", help="A model (churn), or a version of it (churn@12, churn@champion).")]


def ls(
    *,
    here: InHere,
    metric: Annotated[Texts, Parameter(help="Show this metric of the newest version; once for each.")] = (),
    json: AsJson = False,
    as_of: AsOf = None,
) -> int:
    """Every model at a glance."""
    registry = here.registry()
    models = registry.models(as_of=as_of)
    newest = {line.model: registry.get(f"{line.model}@newest", as_of=as_of).metrics for line in models} if metric and not json else {}
    return here.answer(models, as_json=json, drawn=lambda: tables.models(models, registry.root, here.now, metric, newest))


def show(
    what: AnyRef,
    /,
    *,
    here: InHere,
    slices: Annotated[bool, Parameter(help="Also the values by slice.")] = False,
    last: Last = 20,
    json: AsJson = False,
    as_of: AsOf = None,
) -> int:
    """A model with its versions, or a version with all about it."""
    if "@" in what:
        return _show_version(here, what, slices, json, as_of)
    versions = here.registry().versions(what, as_of=as_of)
    return here.answer(versions, as_json=json, drawn=lambda: tables.versions(what, versions, here.now, last))


def _show_version(here: Here, ref: str, slices: bool, json: bool, as_of: str | None) -> int:
    from . import sheet
    from .plain import plain

    registry = here.registry()
    version = registry.get(ref, as_of=as_of)
    rows = [registry.slices(evaluation) if slices else [] for evaluation in version.evaluations]
    files = registry.files(version)
    if not json:
        return here.answer(version, as_json=False, drawn=lambda: sheet.version(version, files, rows, here.now))
    value = plain(version) | {"files": files}
    if slices:
        value["evaluations"] = [said | {"slices": plain(of)} for said, of in zip(value["evaluations"], rows, strict=True)]
    return here.answer(value, as_json=True, drawn=list)


def history(model: Model, /, *, here: InHere, last: Last = 30, json: AsJson = False, as_of: AsOf = None) -> int:
    """What happened to a model."""
    lines = here.registry().history(model, as_of=as_of)
    return here.answer(lines, as_json=json, drawn=lambda: tables.history(model, lines, here.now, last))


def diff(before: Ref, after: Ref, /, *, here: InHere, json: AsJson = False, as_of: AsOf = None) -> int:
    """What differs between two versions."""
    found = here.registry().diff(before, after, as_of=as_of)
    return here.answer(found, as_json=json, drawn=lambda: tables.difference(found))


def fetch(
    ref: Ref,
    /,
    *,
    here: InHere,
    into: Annotated[Path, Parameter(help="A folder that does not exist yet, or an empty one.")],
    json: AsJson = False,
    as_of: AsOf = None,
) -> int:
    """A version's files into a new folder."""
    from .progress import watched

    registry = here.registry()
    version = registry.get(ref, as_of=as_of)
    with watched(here.err, f"fetching {version.ref}", version.size_bytes) as done:
        folder = registry.fetch(version, into, progress=done)
    value = {"ref": version.ref, "stamp": version.stamp, "digest": version.digest, "into": str(folder)}
    brought = f" ({counted(version.file_count, 'file')}, {size(version.size_bytes)}, every byte verified)"
    return here.answer(
        value, as_json=json, drawn=lambda: [Line.of(Span("✓ ", "good"), strong(version.stamp), f" is in {folder}", quiet(brought))]
    )
