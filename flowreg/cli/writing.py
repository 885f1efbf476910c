"""The verbs that record facts: register, evaluate, label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from . import given
from .blocks import Block, Line, Span, hint, quiet, strong
from .here import Here
from .options import AsJson, Because, DryRun, InHere, Metrics, On, Ref, Slices, Texts
from .words import ago, counted, pairs, size

if TYPE_CHECKING:
    from ..core.views import Evaluation, Version

DRY = " (a dry run: nothing was written)"


def register(
    path: Annotated[str, Parameter(help="The file, or the folder with all its files.")],
    /,
    *,
    here: InHere,
    model: Annotated[str, Parameter(help="Which model this becomes a version of.")],
    metric: Metrics = (),
    on: On = None,
    slice: Slices = (),
    param: Annotated[Texts, Parameter(help="NAME=VALUE, once for each.")] = (),
    label: Annotated[Texts, Parameter(help="NAME=TEXT, once for each.")] = (),
    data: Annotated[Texts, Parameter(help="URI of data it was trained on, once for each.")] = (),
    parent: Annotated[Texts, Parameter(help="Version it was made from, such as base@3, once for each.")] = (),
    card: Annotated[str | None, Parameter(help="A text file that describes it.")] = None,
    key: Annotated[str | None, Parameter(help="The same key again is the same version.")] = None,
    trust: Annotated[str | None, Parameter(help="'pickle' says that a pickle is meant: loading one runs its code.")] = None,
    loader: Annotated[str | None, Parameter(help="The format that loads it, where its name does not say.")] = None,
    because: Because = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> int:
    """A file or folder as the next version of a model."""
    said: dict[str, Any] = {
        "metrics": given.metrics(metric), "slices": given.slices(slice), "params": given.params(param), "labels": given.labels(label),
        "data": data, "parents": parent, "on": on, "key": key, "trust": trust, "loader": loader, "because": because,
        "card": None if card is None else given.text_file(card),
    }  # fmt: skip
    from ..lineage.capture import capture
    from .progress import bytes_below, watched

    registry = here.registry(dry_run=dry_run)
    with watched(here.err, f"registering {path}", bytes_below(path)) as done:
        version = registry.register(model, path, **said, run=capture(), progress=done)
    return here.answer(version, as_json=json, drawn=lambda: _registered(here, version, dry_run))


def evaluate(
    ref: Ref,
    /,
    *,
    here: InHere,
    metric: Metrics = (),
    on: On = None,
    slice: Slices = (),
    from_: Annotated[str | None, Parameter(name="--from", help=f"A JSON file instead, or - for standard input: {given.FILE_FORM}")] = None,
    examples: Annotated[str | None, Parameter(help="A file with one row for each example (Parquet or NPZ).")] = None,
    key: Annotated[str | None, Parameter(help="The same key again is the same evaluation.")] = None,
    because: Because = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> int:
    """What was measured about a version."""
    typed: dict[str, Any] = {"metrics": given.metrics(metric), "on": on, "slices": given.slices(slice)}
    said = _together(given.evaluation_file(from_), typed) if from_ is not None else typed
    _require_something(said)
    from ..lineage.capture import capture

    registry = here.registry(dry_run=dry_run)
    found = registry.evaluate(ref, **said, examples=examples, key=key, because=because, run=capture())
    return here.answer(found, as_json=json, drawn=lambda: _evaluated(found, len(said["slices"]), dry_run))


def label(
    ref: Ref,
    /,
    *labels: Annotated[str, Parameter(help="NAME=TEXT sets a label, NAME= takes it away.")],
    here: InHere,
    because: Because = None,
    dry_run: DryRun = False,
    json: AsJson = False,
) -> int:
    """Labels of a version."""
    changes = given.label_changes(labels)
    version = here.registry(dry_run=dry_run).label(ref, changes, because=because)
    labelled = Line.of(strong(version.ref), f" has {pairs(version.labels) or 'no labels'}", quiet(DRY if dry_run else ""))
    return here.answer(version, as_json=json, drawn=lambda: [labelled])


def _together(read: dict[str, Any], typed: dict[str, Any]) -> dict[str, Any]:
    """The file, with what was typed beside it."""
    named = {"metrics": {**read["metrics"], **typed["metrics"]}, "slices": {**read["slices"], **typed["slices"]}}
    return {**named, "on": typed["on"] if typed["on"] is not None else read["on"]}


def _require_something(said: dict[str, Any]) -> None:
    if not said["metrics"] and not said["slices"]:
        from ..errors import BadInput

        raise BadInput(
            "nothing was measured", where="nothing was written", do="give --metric auc=0.91, --slice or --from", code="no-metric"
        )


def _registered(here: Here, version: Version, dry_run: bool) -> list[Block]:
    what = f"{size(version.size_bytes)} in {counted(version.file_count, 'file')}, format {version.loader}, {version.digest[:19]}…"
    if version.registered_at < here.now.isoformat():
        when = f"registered {ago(version.registered_at, here.now)} by {version.by.actor}"
        return [Line.of(strong(version.ref), f" is there already under this key ({when}); nothing changed")]
    verb = " would be registered: " if dry_run else " registered: "
    lines: list[Block] = [Line.of(Span("✓ ", "good"), strong(version.ref), verb, what, quiet(DRY if dry_run else ""))]
    if dry_run:
        return lines
    if version.retired is not None:
        return [*lines, Line.of(Span(f"! These bytes are retired, so no alias may name them: {version.retired}", "warn"))]
    if not version.metrics:
        lines.append(hint("Record what was measured", f"flowreg evaluate {version.ref} --metric auc=0.91 --on holdout"))
    return [*lines, hint("Put it to use", f"flowreg promote {version.ref} --to champion")]


def _evaluated(found: Evaluation, slice_count: int, dry_run: bool) -> list[Block]:
    on = f" on {found.dataset}" if found.dataset else ""
    by_slice = f", and {counted(slice_count, 'slice')}" if slice_count else ""
    verb = "would be recorded" if dry_run else "recorded"
    first = Line.of(Span("✓ ", "good"), strong(found.ref), f" {verb}{on}: {pairs(found.metrics)}{by_slice}", quiet(DRY if dry_run else ""))
    return [first] if dry_run else [first, hint("What the gates say now", f"flowreg gates {found.ref} --to champion")]
