"""What came of making a version again: ``identical``, ``same predictions``, ``within tolerance`` or ``different``, and what differs first.

The order of what differs is that of causes: data, code, parameters, packages, seeds, image, machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..core.events import Environment, Git, Run
from ..core.views import Version
from ..standards.told import Package
from .plan import Change

Outcome = Literal["identical", "same predictions", "within tolerance", "different"]
CPU_TOLERANCE = 1e-6  # relative
ACCELERATOR_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Verdict:
    """``compared`` says by what: bytes, golden inputs, metrics.

    ``worst`` is the greatest relative difference found, ``tolerance`` what was allowed. ``differences`` are those of the inputs, the first
    cause first; ``notes`` what could not be compared.
    """

    outcome: Outcome
    before: str
    after: str
    compared: tuple[str, ...]
    tolerance: float
    worst: float | None
    differences: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    @property
    def first(self) -> Change | None:
        """The first input that differs."""
        return self.differences[0] if self.differences else None

    @property
    def reproduced(self) -> bool:
        return self.outcome != "different"


def tolerance_for(before: Version, after: Version) -> float:
    """1e-6, or 1e-3 where an accelerator computed: its sums have no fixed order."""
    used = any(v.run and v.run.environment and v.run.environment.accelerators for v in (before, after))
    return ACCELERATOR_TOLERANCE if used else CPU_TOLERANCE


def judged(
    before: Version, after: Version, *, answers: tuple[Mapping[str, Any], Mapping[str, Any]] | None, tolerance: float,
    packages: tuple[Sequence[Package], Sequence[Package]] = ((), ()), notes: Sequence[str] = (),
) -> Verdict:  # fmt: skip
    """The verdict. ``answers`` are those of both to the golden inputs of ``before``, by method; None where there are none."""
    differences = tuple(between(before, after, packages))
    if before.digest == after.digest:
        return Verdict("identical", before.ref, after.ref, ("bytes",), tolerance, 0.0, differences, tuple(notes))
    compared, gaps, said = ["bytes"], [], list(notes)
    if answers is not None:
        compared.append("golden inputs")
        gaps.append(furthest(*answers))
    else:
        said.append("there are no golden inputs to compare predictions on")
    shared = [(before.metrics[name], after.metrics[name]) for name in before.metrics if name in after.metrics]
    exact = answers is not None and gaps[0] == 0.0
    if shared and not exact:
        compared.append("metrics")
        gaps.append(max(_gap(a, b) for a, b in shared))
    worst = max(gaps, default=None)
    outcome: Outcome = "different"
    if exact:
        outcome = "same predictions"
    elif worst is not None and worst <= tolerance:
        outcome = "within tolerance"
    elif worst is None:
        said.append("nothing but the bytes could be compared")
    return Verdict(outcome, before.ref, after.ref, tuple(compared), tolerance, worst, differences, tuple(said))


def furthest(a: Any, b: Any) -> float:
    """The greatest relative difference of two answers of the same shape; infinite where they have not, or where text differs."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return max((furthest(a[name], b.get(name)) for name in a), default=math.inf) if set(a) == set(b) else math.inf
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return max((furthest(x, y) for x, y in zip(a, b, strict=True)), default=0.0) if len(a) == len(b) else math.inf
    if isinstance(a, int | float) and isinstance(b, int | float):
        return _gap(float(a), float(b))
    return 0.0 if a == b and type(a) is type(b) else math.inf


def _gap(a: float, b: float) -> float:
    if a == b or (a != a and b != b):
        return 0.0
    gap = abs(a - b) / max(abs(a), abs(b))
    return gap if math.isfinite(gap) else math.inf


def between(before: Version, after: Version, packages: tuple[Sequence[Package], Sequence[Package]]) -> Iterator[Change]:
    """What differs in what two versions were made of, the first cause first."""
    a, b = before.run or Run(), after.run or Run()
    yield from _of("data", _data(before), _data(after))
    code = (a.git or Git(), b.git or Git())
    yield from _one("commit", _short(code[0].commit), _short(code[1].commit))
    yield from _one("uncommitted changes", code[0].diff, code[1].diff)
    yield from _one("untracked files", code[0].untracked, code[1].untracked)
    yield from _one("entrypoint", a.entrypoint, b.entrypoint)
    yield from _of("parameter", _texts(a.parameters), _texts(b.parameters))
    yield from _of("param", _texts(before.params), _texts(after.params))
    then, now = ({p.name: p.version + (f" @ {p.source}" if p.source else "") for p in listed} for listed in packages)
    both = sorted(set(then) & set(now))
    yield from _of("package", {name: then[name] for name in both}, {name: now[name] for name in both})
    yield from _of("package", {n: v for n, v in then.items() if n not in now}, {})
    yield from _seeds(a, b)
    yield from _one("image", a.image_digest or a.image, b.image_digest or b.image)
    machine = (a.environment or Environment(), b.environment or Environment())
    yield from _one("Python", machine[0].python, machine[1].python)
    yield from _one("processor", machine[0].cpu, machine[1].cpu)
    yield from _one("accelerators", ", ".join(machine[0].accelerators) or None, ", ".join(machine[1].accelerators) or None)
    yield from _of("library", dict(machine[0].libraries), dict(machine[1].libraries))


def _seeds(a: Run, b: Run) -> Iterator[Change]:
    """A seed that nobody set is a cause by itself: the run was left to chance."""
    if not a.seeds and not b.seeds:
        yield Change("seed", "none was recorded", "none was recorded")
    else:
        yield from _of("seed", _texts(a.seeds), _texts(b.seeds))


def _data(version: Version) -> dict[str, str]:
    from ..standards.names import dataset_name

    found: dict[str, str] = {}
    for place, data in enumerate(version.data):
        name = dataset_name(data) if data.role is None else f"{dataset_name(data)} ({data.role})"
        found[name if name not in found else f"{name} #{place}"] = data.digest or "no digest"
    return found


def _of(what: str, a: Mapping[str, str], b: Mapping[str, str]) -> Iterator[Change]:
    for name in [*a, *(name for name in b if name not in a)]:
        yield from _one(f"{what} {name}", a.get(name), b.get(name))


def _one(what: str, a: str | None, b: str | None) -> Iterator[Change]:
    if a != b:
        yield Change(what, a, b)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def _short(commit: str | None) -> str | None:
    return commit[:12] if commit else None
