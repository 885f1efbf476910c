"""From the per-example results of candidate and baseline to the numbers of a ``compare`` gate.

Rule 1: both tables are from the same data, by name and by the digest of its content, and have every example of it.
Rule 2: a table in which a side gives the same for every example is no measurement.
Rule 3: numpy and scipy are imported here when a gate compares; where they are missing the gate says what to install.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from ..core.names import shown
from ..errors import FlowregError
from .evidence import Evidence, Source, Unmeasurable, plainly
from .facts import PerExample
from .tree import Owner

if TYPE_CHECKING:
    from .compare import Compare
    from .examples.pairing import Pairs, Side
    from .statistics.compared import Compared

SLICES_LIMIT = 200
Found = Mapping[str | None, "Compared | Unmeasurable"]  # by the value of the slice; None: all examples
_EXTRAS = {"numpy": "stats", "scipy": "stats", "pyarrow": "predictions"}


def source_of(evidence: Evidence) -> Source | None:
    """The data of the candidate's newest per-example results, as far as the policy asks for it."""
    found = _newest(evidence, None)
    return _source(found) if found else None


def compared(gate: Compare, evidence: Evidence) -> Found:
    """What the gate compares: all examples, or each slice. Computed once, however many gates ask."""
    if gate not in evidence.memo:
        with _installed():
            evidence.memo[gate] = dict(_compared(gate, evidence))
    return cast(Found, evidence.memo[gate])


def check_candidate(gate: Compare, evidence: Evidence) -> None:
    """Where nobody is there to compare with, what can be read must still be sound, so that a skip hides no error."""
    with _installed():
        from .statistics.values import column_for

        side = _side(_own(evidence), evidence, None)
        side.column(column_for(gate.known.recipe, frozenset(side.table.columns)))


def _compared(gate: Compare, evidence: Evidence) -> Iterator[tuple[str | None, Compared | Unmeasurable]]:
    pairs = _pairs(gate, evidence)
    if gate.slices is None:
        yield None, _one(gate, pairs)
        return
    for value, part in _slices(pairs, gate.slices):
        try:
            yield value, _one(gate, part)
        except Unmeasurable as reason:
            yield value, reason


def _one(gate: Compare, pairs: Pairs) -> Compared:
    import numpy as np

    from .statistics.compared import Examples, Plan, compare
    from .statistics.estimate import Unreliable

    name = _column(gate, pairs)
    clusters = None if gate.cluster is None else np.unique(pairs.shared(gate.cluster), return_inverse=True)[1]
    examples = Examples(pairs.truth, pairs.candidate.column(name), pairs.baseline.column(name), clusters)
    try:
        found = compare(examples, Plan(gate.known, gate.chosen, gate.alpha, gate.seed))
    except Unreliable as reason:
        raise Unmeasurable(f"{gate.metric} can't be compared: {reason}") from None
    if gate.min_n is not None and found.estimate.n < gate.min_n:
        raise Unmeasurable(f"{gate.metric} is compared on {found.estimate.n:,} examples, {gate.min_n:,} needed")
    return found


def _pairs(gate: Compare, evidence: Evidence) -> Pairs:
    from .examples.pairing import paired

    own = _own(evidence)
    theirs = _theirs(gate, evidence, _source(own))
    key = ("pairs", gate.owner)
    if key not in evidence.memo:
        evidence.memo[key] = paired(_side(own, evidence, None), _side(theirs, evidence, gate.owner))
    pairs = cast("Pairs", evidence.memo[key])
    for side in (pairs.candidate, pairs.baseline):
        _refuse_constant(side, _column(gate, pairs))
    return pairs


def _column(gate: Compare, pairs: Pairs) -> str:
    from .statistics.values import column_for

    return column_for(gate.known.recipe, frozenset(pairs.candidate.table.columns.keys() & pairs.baseline.table.columns.keys()))


def _slices(pairs: Pairs, key: str) -> Iterator[tuple[str, Pairs]]:
    import numpy as np

    column = pairs.shared(key)
    if column.dtype.kind == "f":
        raise Unmeasurable(f"{key} has numbers with decimals; the values of a slice are text or whole numbers")
    values, which = np.unique(column, return_inverse=True)
    if len(values) > SLICES_LIMIT:
        raise Unmeasurable(f"{key} has {len(values):,} values, and {SLICES_LIMIT} slices is the most")
    for place, value in enumerate(values):
        yield str(value), pairs.where(which == place)


def _own(evidence: Evidence) -> PerExample:
    found = _newest(evidence, None)
    if found is None:
        raise Unmeasurable(_missing(None, evidence, evidence.dataset))
    source = _source(found)
    if source.name is None:
        raise Unmeasurable(
            f"the examples of {evidence.called(None)} are from data that has no name, so they can't be compared; {_command(None, evidence)}"
        )
    if evidence.source is not None and not source.is_same_as(evidence.source):
        raise Unmeasurable(
            f"the examples of {evidence.called(None)} are from {source}, the newest for this policy is from {evidence.source}; "
            + _command(None, evidence)
        )
    return found


def _theirs(gate: Compare, evidence: Evidence, wanted: Source) -> PerExample:
    """The baseline's results on the same data, else ``Unmeasurable`` with the command that measures it there."""
    index = evidence.of(gate.owner)
    assert index is not None, "absent baselines are sorted out before"
    known = sorted(index.subject.examples, key=lambda table: table.order)
    here = [table for table in known if _source(table).is_same_as(wanted)]
    if here:
        return here[-1]
    if not known:
        raise Unmeasurable(_missing(gate.owner, evidence, wanted.name))
    raise Unmeasurable(
        f"{gate.metric} of {evidence.called(None)} is from {wanted}, {gate.metric} of {evidence.called(gate.owner)} from "
        f"{_source(known[-1])}; {_command(gate.owner, evidence, wanted.name)}"
    )


def _newest(evidence: Evidence, owner: Owner) -> PerExample | None:
    index = evidence.of(owner)
    tables = [t for t in index.subject.examples if evidence.dataset in (None, t.dataset)] if index else []
    return max(tables, key=lambda table: table.order, default=None)


def _source(table: PerExample) -> Source:
    return Source(table.dataset, table.dataset_digest, table.order)


def _side(table: PerExample, evidence: Evidence, owner: Owner) -> Side:
    from .examples.pairing import Side

    called = evidence.called(owner)
    try:
        read = table.read()
    except FlowregError as error:
        raise Unmeasurable(f"the examples of {called} cannot be read: {error.what}") from None
    if table.n is not None and table.n != len(read):
        raise Unmeasurable(
            f"{len(read):,} examples of {called} are there, its evaluation is of {table.n:,}; {_command(owner, evidence, table.dataset)}"
        )
    return Side(called, read)


def _refuse_constant(side: Side, name: str) -> None:
    values = side.column(name)
    if (values == values[0]).all():
        raise Unmeasurable(f"{name} of {side.called} is {shown(values[0].item())} for every example, so it measures nothing")


def _missing(owner: Owner, evidence: Evidence, dataset: str | None) -> str:
    on = "" if dataset is None else f" on {plainly(dataset)}"
    return f"{evidence.called(owner)} has no per-example results{on}; {_command(owner, evidence, dataset)}"


def _command(owner: Owner, evidence: Evidence, dataset: str | None = None) -> str:
    return f"{evidence.command(owner, dataset or evidence.dataset)} --examples FILE"


@contextmanager
def _installed() -> Iterator[None]:
    """What an extra brings is here, or the gate says how to get it."""
    try:
        yield
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        raise Unmeasurable(
            f"this gate needs {package}, which is not installed here; run: pip install 'flowreg[{_EXTRAS[package]}]'"
        ) from None
