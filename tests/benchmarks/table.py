"""Which benchmarks there are, and the table they print."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.servers.prefect_server import prefect_server
from tests.servers.seaweed import seaweed

from . import appending, capturing, checking, cold, comparing, contention, judging, looking, registering, resolving, tracing, transferring
from .memory import peak_above_import_mib
from .ratio import Benchmark, Figure, measured

MEMORY_TARGET_MIB = 100.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How a benchmark is made, how often its pairs are taken, and its arguments when it is run small."""

    make: Callable[..., Benchmark]
    repeats: int
    small: Mapping[str, Any] = field(default_factory=dict)
    on_s3: bool = False
    on_prefect: bool = False
    needs: str | None = None  # a package without which it is left out

    @property
    def is_possible(self) -> bool:
        return self.needs is None or find_spec(self.needs) is not None


PLANS: Mapping[str, Plan] = {
    "large-file": Plan(registering.large_file, 5, {"size_bytes": 8 << 20}),
    "many-files": Plan(registering.many_files, 5, {"files": 50, "size_bytes": 1 << 10}),
    "many-files-no-fsync": Plan(registering.many_files_against_no_fsync, 5, {"files": 50, "size_bytes": 1 << 10}),
    "metadata": Plan(registering.with_metadata, 60),
    "registry-get": Plan(resolving.by_registry, 15, {"times": 20}),
    "reader-resolve": Plan(resolving.by_reader, 15, {"times": 20}),
    "cold-load": Plan(cold.load, 15),
    "cold-ls": Plan(cold.list_models, 15),
    "looking-around": Plan(looking.around, 15),
    "append": Plan(appending.one_writer, 9, {"times": 5}),
    "check-read-data": Plan(checking.read_data, 5, {"files": 3, "size_bytes": 1 << 20}),
    "compare-auc": Plan(comparing.auc, 5, {"rows": 2000}),
    "compare-auc-shuffled": Plan(comparing.auc_shuffled, 5, {"rows": 2000}),
    "compare-recall": Plan(comparing.recall, 5, {"rows": 2000}),
    "compare-brier": Plan(comparing.brier, 5, {"rows": 2000}),
    "compare-f1": Plan(comparing.f1, 5, {"rows": 2000}),
    "judge": Plan(judging.judging, 15, {"values": 1000}),
    "judge-json": Plan(judging.judging_against_json, 15, {"values": 1000}),
    **{
        f"s3-{name}{suffix}": Plan(partial(make, **more), 5, small, on_s3=True, needs=needs)
        for name, make, small in (
            ("large-up", transferring.large_file_up, {"size_bytes": 32 << 20}),
            ("large-down", transferring.large_file_down, {"size_bytes": 32 << 20}),
            ("many-up", transferring.many_files_up, {"files": 50, "size_bytes": 1 << 10}),
            ("many-down", transferring.many_files_down, {"files": 50, "size_bytes": 1 << 10}),
        )
        for suffix, more, needs in (
            ("", {}, None),
            *([("-uncached", {"cached": False}, None)] if name.endswith("down") else []),
            ("-obstore", {"against": transferring.OBSTORE, **({"cached": False} if name.endswith("down") else {})}, "obstore"),
        )
    },
    "lineage-one": Plan(tracing.one_answer, 9, {"models": 3, "versions": 4}),
    "lineage-all": Plan(tracing.every_answer, 5, {"models": 3, "versions": 4}),
    "capture": Plan(capturing.retraining, 15, {"family": "linear"}, on_prefect=True),
    "capture-cpu": Plan(capturing.processor_time, 15, on_prefect=True),
    "contention": Plan(contention.registrations, 3, {"processes": 2, "each": 3}),
}


def figure(name: str, *, small: bool) -> Figure:
    """Run one benchmark in a folder of its own, and with a server of its own if it needs one."""
    plan = PLANS[name]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flowreg-benchmark-")))
        needed = (seaweed,) if plan.on_s3 else (prefect_server,) if plan.on_prefect else ()
        places = (folder, *(stack.enter_context(server()) for server in needed))
        return measured(plan.make(*places, **(plan.small if small else {})), repeats=2 if small else plan.repeats)


def peak_mib(*, small: bool) -> float:
    with tempfile.TemporaryDirectory(prefix="flowreg-benchmark-") as folder:
        return peak_above_import_mib(Path(folder), size_bytes=(8 << 20) if small else (1 << 30))


def lines(names: list[str], *, small: bool) -> Iterator[str]:
    """The table, a line as soon as it is known."""
    yield f"{'benchmark':<50} {'floor':>10} {'ours':>10} {'ratio':>7} {'range':>13}  target"
    for name in names:
        plan = PLANS[name]
        yield line(figure(name, small=small)) if plan.is_possible else f"{name:<50} left out: it needs pip install {plan.needs}"


def line(found: Figure) -> str:
    spread = f"{found.lowest:.2f} - {found.highest:.2f}"
    target = "-" if found.target is None else f"<= {found.target:g}"
    times = f"{_time(found.floor_s):>10} {_time(found.ours_s):>10}"
    return f"{found.name:<50} {times} {found.ratio:>7.2f} {spread:>13}  {target}"


def _time(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
