"""From the names of an expression to the numbers they stand for.

Rule 1: two subjects are compared only on the same data: the same name and the same digest. Data that has no name is
nobody's holdout.
Rule 2: the candidate is read where it was measured last; the others are then read on that data, if they were measured there.
Rule 3: all values of a ``[key=*]`` come from one piece of data.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from .arithmetic import exact
from .evidence import Evidence, Index, Source, Unmeasurable, listed, plainly
from .tree import Metric, Plain, quoted

UNDECIDED = ". The gate can't decide; it blocks"
Sources = Mapping[Metric, Source]


@dataclass(frozen=True, slots=True)
class Reading:
    """A number, and how many examples it is from: None if that was not said, or if it was not measured on examples."""

    value: Decimal
    n: int | None = None


def sources_of(metrics: Sequence[Metric], evidence: Evidence) -> Sources:
    """On which data each metric is read; ``Unmeasurable`` if one was not measured or two cannot be compared."""
    found: dict[Metric, Source] = {}
    on_candidate: dict[str | None, Source] = {}
    for metric in sorted(metrics, key=lambda metric: metric.owner is not None):
        asked = asked_dataset(metric, evidence)
        index = _present(evidence, metric)
        source = index.source(metric, asked, on_candidate.get(asked))
        if source is None:
            raise Unmeasurable(_missing(metric, asked, evidence, index))
        if metric.owner is None:
            on_candidate.setdefault(asked, source)
        found[metric] = source
    _check_decision(found, evidence)
    for first, second in combinations(found, 2):
        _check_pair(first, second, found, evidence)
    return found


def asked_dataset(metric: Metric, evidence: Evidence) -> str | None:
    """The data set a name asks for: its own ``[dataset=…]``, else the policy's; None: any."""
    return evidence.dataset if metric.dataset is None else metric.dataset


def values_of(sources: Sources, evidence: Evidence) -> list[str]:
    """Every recorded value of ``[key=*]``, on either side."""
    stars = [metric for metric in sources if metric.star]
    return sorted(set[str]().union(*(_present(evidence, metric).values(metric, sources[metric]) for metric in stars)))


def read_metric(metric: Metric, source: Source, evidence: Evidence, min_n: int | None) -> Reading:
    index = _present(evidence, metric)
    measured = index.measured(metric, source)
    if measured is None:
        raise Unmeasurable(_missing(metric, source.name, evidence, index))
    if min_n is not None:
        _check_enough(metric, measured.n, min_n, source)
    return Reading(exact(measured.value, str(metric)), measured.n)


def read_plain(plain: Plain, evidence: Evidence) -> Reading:
    index = evidence.of(plain.owner)
    assert index is not None, "absent subjects are sorted out before"
    known = index.subject.plain
    if plain.path not in known:
        has = f"It has: {listed(known)}" if known else "It has none of this kind"
        raise Unmeasurable(f"{evidence.called(plain.owner)} has no {plain.path}. {has}")
    return Reading(exact(known[plain.path], str(plain)))


def _present(evidence: Evidence, metric: Metric) -> Index:
    index = evidence.of(metric.owner)
    assert index is not None, "absent subjects are sorted out before"
    return index


def _check_enough(metric: Metric, n: int | None, min_n: int, source: Source) -> None:
    where = _slice_text(metric) or f"{metric} on {_data_name(source.name)}"
    if n is None:
        raise Unmeasurable(f"{where} does not say how many examples it is from, {min_n} needed{UNDECIDED}")
    if n < min_n:
        raise Unmeasurable(f"{where} has {n} examples, {min_n} needed{UNDECIDED}")


def _check_decision(sources: Sources, evidence: Evidence) -> None:
    """A policy with a data set decides on one content of it, not on two that share the name."""
    for metric, source in sources.items():
        if metric.owner is not None or metric.dataset is not None or evidence.source is None:
            continue
        if not source.is_same_as(evidence.source):
            raise Unmeasurable(
                f"{metric} of {evidence.called(None)} is from {source}, the newest for this policy from {evidence.source}; "
                + evidence.command(None, evidence.dataset)
            )


def _check_pair(first: Metric, second: Metric, sources: Sources, evidence: Evidence) -> None:
    a, b = sources[first], sources[second]
    same_subject = _present(evidence, first).subject.number == _present(evidence, second).subject.number
    if first.owner == second.owner and first.dataset != second.dataset and a.is_same_as(b):
        raise Unmeasurable(f"{first} and {second} are both from {a}, so they say the same")
    if same_subject and a == b:
        return  # one entry recorded both
    for metric, source in ((first, a), (second, b)):
        if source.name is None:
            raise Unmeasurable(
                f"{metric.metric} of {evidence.called(metric.owner)} was measured on data that has no name, so it can't be compared; "
                + evidence.command(metric.owner, evidence.dataset)
            )
    on_purpose = same_subject and first.dataset != second.dataset and a.name != b.name  # the policy names two data sets
    if not on_purpose and not a.is_same_as(b):
        raise Unmeasurable(_different(first, second, sources, evidence))


def _different(first: Metric, second: Metric, sources: Sources, evidence: Evidence) -> str:
    """Whose data differ, and the command that measures the other one on the candidate's."""
    a, b = sources[first], sources[second]
    again, wanted = (first, b) if a.digest is None and a.name == b.name else (second, a)
    return (
        f"{first.metric} of {evidence.called(first.owner)} is from {a}, {second.metric} of {evidence.called(second.owner)} from {b}; "
        + evidence.command(again.owner, wanted.name)
    )


def _missing(metric: Metric, dataset: str | None, evidence: Evidence, index: Index) -> str:
    """No such measurement: what there is instead, and what would help."""
    called, measured = evidence.called(metric.owner), index.subject.measured
    on = "" if dataset is None else f" on {_data_name(dataset)}"
    here = {m.metric for m in measured if dataset in (None, m.dataset)}
    if metric.metric in here:
        slices = {_slice_text(Metric(None, "", m.slice)) or "all together" for m in measured if m.metric == metric.metric}
        return f"{called} has no {metric.metric} for {_slice_text(metric) or 'all together'}{on}. It has: {listed(slices)}"
    elsewhere = {m.dataset for m in measured if m.metric == metric.metric}
    if elsewhere:
        names = " and ".join(sorted(map(_data_name, elsewhere))[:5])
        return f"{called} has no metric {metric.metric!r}{on}, only on {names}; {evidence.command(metric.owner, dataset)}"
    if not here:
        return f"{called} has no metrics{on}; {evidence.command(metric.owner, dataset)}"
    near = difflib.get_close_matches(metric.metric, here, n=1)
    return f"{called} has no metric {metric.metric!r}{on}. It has: {listed(here)}." + (f" Did you mean {plainly(near[0])}?" if near else "")


def _slice_text(metric: Metric) -> str:
    return ", ".join(f"{key}={'*' if value is None else plainly(quoted(value))}" for key, value in metric.slice)


def _data_name(name: str | None) -> str:
    return "data that has no name" if name is None else plainly(name)
