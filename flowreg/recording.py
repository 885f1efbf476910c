"""Writing down what there is and what was measured: a version with its bytes, an evaluation with its tables.

Rule 1: what is given is checked before a byte is written; then bytes first, then one journal entry. What is interrupted leaves
blobs that nothing refers to.
Rule 2: inside a flow run the same bytes are the same version, and the same values the same evaluation.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .artifacts import as_files, load_artifact
from .core import decide, given
from .core.codec import digest_of, encode
from .core.events import Dataset, Evaluated, Parent, Run, VersionRegistered
from .core.names import alias_name, model_name
from .core.state import ModelState
from .core.views import Evaluation, Version, evaluation_view, version_view
from .errors import BadInput
from .golden import golden_of, takes_golden
from .inside import REPRODUCES, Inside, VersionRef
from .journals import Wish
from .lineage import data as datasets
from .lineage.attempts import Attempts
from .lineage.loaded import loaded_in_run
from .lineage.masking import masked_text
from .scoring import Scored, Scoring
from .storage import blobs
from .storage.hashing import Progress
from .storage.incarnations import Place, Places
from .storage.source_files import read_all, regular_file
from .tables import encoded_rows

WARNINGS_LIMIT = 100  # about the data of one version


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured, checked: numbers by name, ``n`` examples, the rows of the slices, the dataset."""

    metrics: Mapping[str, float]
    n: int | None
    rows: list[dict[str, Any]]
    on: Dataset

    def __bool__(self) -> bool:
        return bool(self.metrics or self.rows)


def measures(metrics: Mapping[str, Any] | None, slices: Mapping[Any, Mapping[str, Any]] | None, on: Any) -> Measures:
    """What a caller says was measured, or ``BadInput``."""
    numbers, n = given.metrics(metrics)
    return Measures(numbers, n, given.slices(slices), given.dataset(on))


@dataclass(frozen=True, slots=True)
class Draft:
    """A version as it is asked for; ``said`` lacks what only its bytes tell. ``golden`` is the frame that golden inputs are taken from.

    ``warnings`` say what could not be learnt of its data.
    """

    said: VersionRegistered
    card: bytes | None
    measured: Measures
    golden: Any = None
    warnings: tuple[str, ...] = ()


def drafted(
    inside: Inside, *, key: str | None, params: Any, labels: Any, data: Any, parents: Iterable[Any], signature: Any, card: Any,
    measured: Measures, golden: Any = None,
) -> Draft:  # fmt: skip
    """The draft of a version, checked as far as it can be before its bytes are read."""
    said = VersionRegistered(
        version=1, manifest="sha256:" + "0" * 64, loader="files", size_bytes=0, file_count=0, key=given.key(key),
        params=given.params(params), labels=given.labels(labels), signature=given.signature(signature), parents=_parents(inside, parents),
    )  # fmt: skip
    written = given.card(card)
    attempts = Attempts(time.monotonic() + datasets.BUDGET_S)  # data is read last: all else may be refused before
    said = said.model_copy(update={"data": given.datasets(datasets.described(data, attempts))})
    given.storable(said, Evaluated(version=1, metrics=measured.metrics))
    wanted = signature if golden is None else None if golden is False else golden
    return Draft(said, written, measured, wanted, tuple(map(masked_text, attempts.warnings[:WARNINGS_LIMIT])))


def register(
    inside: Inside, model: str, artifact: Any, draft: Draft, *, run: Any, trust: str | None, loader: str | None, because: str | None,
    progress: Progress,
) -> Version:  # fmt: skip
    """Store the artifact and record the draft as the next version of ``model``."""
    name, reason = model_name(model), given.reason(because)
    said = draft.said
    reproduced = reproduced_in_run(inside, name)
    kept, troubles = _golden(artifact, draft.golden)
    with as_files(artifact, trust=trust, loader=loader) as (path, format_name):

        def stored(place: Places) -> Wish:  # from here on bytes are written
            nonlocal said
            seen = _warned(inside.run(run, place), (*draft.warnings, *troubles))
            evaluation = _evaluated(inside, 1, draft.measured, place, run=seen) if draft.measured else None
            manifest, digest = blobs.put_artifact(inside.store, path, loader=format_name, progress=progress, place=place)
            learnt: dict[str, Any] = {
                "run": seen, "manifest": digest, "loader": format_name, "size_bytes": manifest.size_bytes,
                "file_count": len(manifest.files), "key": draft.said.key or _key_of_run(seen, digest),
                "card": None if draft.card is None else blobs.put(inside.store, draft.card, place),
                "golden": None if kept is None else blobs.put(inside.store, kept, place), "reproduces": reproduced,
            }  # fmt: skip
            said = draft.said.model_copy(update=learnt)
            return Wish(lambda state, _: decide.register(state, said, evaluation), seen, asked=(said, evaluation))

        state = inside.journals.store_and_transact(name, stored, because=reason)
    number = state.by_key[said.key] if said.key else state.newest
    return version_view(name, state, state.versions[number - 1])


def evaluate(
    inside: Inside, ref: VersionRef, measured: Measures, *, examples: str | os.PathLike[str] | None, evaluator: str | None,
    key: str | None, run: Any, because: str | None,
) -> Evaluation:  # fmt: skip
    """Record what was measured about a version."""
    model, number = inside.number(ref)
    reason, key, evaluator = given.reason(because), given.key(key), given.label_text(evaluator, "evaluator")
    measured = measured if examples is None else _counted(measured, Path(examples))
    said = Evaluated(version=number)

    def stored(place: Places) -> Wish:  # from here on bytes are written
        nonlocal said
        seen = inside.run(run, place)
        table = None if examples is None else blobs.put_file(inside.store, Path(examples), place)
        said = _evaluated(inside, number, measured, place, run=seen, key=key, evaluator=evaluator, examples=table)
        return Wish(lambda state, _: decide.evaluate(state, said), seen, asked=said)

    state = inside.journals.store_and_transact(model, stored, because=reason)
    recorded = [e for e in state.versions[number - 1].evaluations if said.key is None or e.said.key == said.key]
    return evaluation_view(model, recorded[-1])


def evaluate_on(
    inside: Inside, ref: VersionRef, scoring: Scoring, *, also: str | None, trust: bool, run: Any, because: str | None
) -> tuple[Evaluation, ...]:  # fmt: skip
    """Score a version, and the holder of the alias ``also`` if that is another, on the same data; record both."""
    model, number = inside.number(ref)
    state = inside.state(model)
    holder = state.holder(alias_name(also)) if also is not None else None
    numbers = [number, *([holder.number] if holder and holder.number != number else [])]
    scored = [(each, scoring(_loaded(inside, model, state, each, trust))) for each in numbers]  # all of it before the first is recorded
    return tuple(_recorded(inside, f"{model}@{each}", scoring, found, run, because) for each, found in scored)


def parent_of(version: Version) -> Parent:
    return Parent(model=version.model, version=version.number, manifest=version.digest)


def _loaded(inside: Inside, model: str, state: ModelState, number: int, trust: bool) -> Any:
    """The model as an object. It is looked at, not built upon: it becomes no parent of what this run registers."""
    version = state.versions[number - 1]
    return load_artifact(inside.store, version.manifest, ref=f"{model}@{number}", trust=trust, author=version.stamp.by.actor)


def _recorded(inside: Inside, ref: str, scoring: Scoring, scored: Scored, run: Any, because: str | None) -> Evaluation:
    measured = measures(scored.metrics, scored.slices, scoring.holdout.dataset)
    with scored.examples_file() as examples:
        return evaluate(inside, ref, measured, examples=examples, evaluator=scoring.evaluator, key=None, run=run, because=because)


def _parents(inside: Inside, named: Iterable[Any]) -> tuple[Parent, ...]:
    """The parents that were named and those that this flow run has loaded, each once."""
    listed = (ref if isinstance(ref, Parent) else _parent(inside, ref) for ref in given.several(named, "parents"))
    return tuple(dict.fromkeys([*listed, *loaded_in_run(inside.store.root)]))


def _parent(inside: Inside, ref: VersionRef) -> Parent:
    model, number = inside.number(ref)
    return Parent(model=model, version=number, manifest=inside.journals.of(model).state(fresh=False).versions[number - 1].manifest)


def _counted(measured: Measures, examples: Path) -> Measures:
    """With the number of examples in the file, so that none can be left out later. ``BadInput`` where no gate could read it.

    Without numpy, or pyarrow for Parquet, nobody looks until it is judged.
    """
    from .gates.examples import BYTES_LIMIT, read

    with regular_file(examples) as file:
        if os.fstat(file).st_size > BYTES_LIMIT:
            raise BadInput(
                f"{str(examples)!r} is larger than {BYTES_LIMIT >> 30} GiB", where="nothing was recorded",
                do="give a sample of the examples", code="bad-examples",
            )  # fmt: skip
        raw = read_all(file)
    try:
        count = len(read(raw))
    except ModuleNotFoundError:
        return measured
    said = measured.n if measured.n is not None else measured.on.rows
    if said not in (None, count):
        raise BadInput(
            f"{said} examples were measured, and {str(examples)!r} has {count}", where="nothing was recorded",
            do="give the examples that the metrics were measured on, each of them", code="bad-examples",
        )  # fmt: skip
    return replace(measured, n=count)


def _evaluated(inside: Inside, number: int, measured: Measures, place: Place, **more: Any) -> Evaluated:
    table = blobs.put(inside.store, encoded_rows(measured.rows), place) if measured.rows else None
    on = measured.on
    draft = Evaluated(
        version=number, dataset=on.name, dataset_digest=on.digest, metrics=measured.metrics, table=table,
        n=measured.n if measured.n is not None else on.rows, **more,
    )  # fmt: skip
    if draft.key is None and draft.run and draft.run.flow_run:
        said = draft.model_dump(exclude={"run", "key", "version"}, exclude_none=True)
        return draft.model_copy(update={"key": f"run:{draft.run.flow_run}:{digest_of(encode(said))}"})
    return draft


def reproduced_in_run(inside: Inside, model: str) -> Parent | None:
    """The version that this process makes again, if it is one of ``model``: ``$FLOWREG_REPRODUCES`` says so."""
    said = os.environ.get(REPRODUCES)
    return _parent(inside, said) if said and said.partition("@")[0] == model else None


def _golden(artifact: Any, frame: Any) -> tuple[bytes | None, tuple[str, ...]]:
    """The golden inputs, or why there are none. Only an object answers; where nobody asked for them there need be none."""
    if frame is None or not takes_golden(artifact, frame):
        return None, ()
    try:
        return golden_of(artifact, frame), ()
    except BadInput as error:
        return None, (f"golden inputs: {error.what}",)
    except Exception as error:  # of a model that somebody else has written
        return None, (f"golden inputs: the model did not answer ({type(error).__name__})",)


def _warned(run: Run | None, warnings: tuple[str, ...]) -> Run | None:
    if not warnings:
        return run
    seen = run or Run()
    return seen.model_copy(update={"warnings": (*seen.warnings, *warnings)})


def _key_of_run(run: Run | None, digest: str) -> str | None:
    """Inside a flow run the same bytes are the same version: a resumed or retried run has new task run ids, but keeps this."""
    return f"run:{run.flow_run}:{digest}" if run and run.flow_run else None
