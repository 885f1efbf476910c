"""Asking where things come from, over many models: against one pass of ``json.loads`` over all their entries, which are in memory.

The journals are written by ``many_models`` without an fsync for each entry.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from flowreg import Registry
from flowreg.core.codec import digest_of, encode_entry
from flowreg.core.events import (
    AliasMoved,
    Dataset,
    Envelope,
    Environment,
    Evaluated,
    Event,
    Git,
    ModelCreated,
    Parent,
    Run,
    VersionRegistered,
)
from flowreg.core.layout import entry_path

from .ratio import Benchmark, stopwatch

LAKE = "s3://lake/customers.parquet"


def one_answer(folder: Path, *, models: int = 200, versions: int = 50) -> Benchmark:
    """Where one version comes from and what came of it: a few nodes, though any model might have had a part in it."""
    registry = _warm(folder, models, versions)
    return Benchmark(f"lineage of one of {models * versions:,} versions", 1.0, _pass(folder), _asked(lambda: registry.lineage("model-1@2")))


def every_answer(folder: Path, *, models: int = 200, versions: int = 50) -> Benchmark:
    """What came of a file that every version was trained on: the answer names all of them."""
    registry = _warm(folder, models, versions)
    return Benchmark(
        f"lineage of data of {models * versions:,} versions",
        1.0,
        _pass(folder),
        _asked(lambda: registry.lineage(data=LAKE, direction="down")),
    )


def many_models(folder: Path, models: int, versions: int) -> None:
    """A registry of ``models`` models with ``versions`` versions each: all trained on one file and on one of their own, each from a run
    and measured; those after the first made from the one before, and the second of each from another model's first."""
    registry = Registry(folder, actor="ana")
    names = [f"model-{number}" for number in range(models)]
    registry._journals.created()
    ground = registry._journals.transact_registry(lambda _: [ModelCreated(model=name) for name in names])
    by = registry._journals.by(None)
    for place, name in enumerate(names):
        (folder / entry_path(name, 1)).parent.mkdir(parents=True)
        parent = None
        for seq, events in enumerate(_events(place, name, versions, models), 1):
            said = Envelope(
                registry=ground.registry, model=name, seq=seq, parent=parent, id=f"id-{seq}", at=f"2026-01-01T00:00:{seq % 60:02d}.000Z",
                by=by, under=ground.seq, events=events,
            )  # fmt: skip
            raw = encode_entry(said)
            (folder / entry_path(name, seq)).write_bytes(raw)
            parent = digest_of(raw)


def _events(place: int, name: str, versions: int, models: int) -> Iterator[tuple[Event, ...]]:
    for number in range(1, versions + 1):
        before = (name, number - 1) if number > 2 else (f"model-{(place + 1) % models}", 1)
        run = Run(
            flow="retrain", flow_run=f"{name}-{number}", flow_run_name=f"amber-fox-{number}", deployment=f"retrain/{name}", run_count=1,
            parameters={"day": number, "depth": 6, "source": LAKE}, started_by="a schedule", url=f"http://prefect/runs/{name}-{number}",
            git=Git(commit=f"{number:040x}", branch="main", remote="https://git.example/team/models.git", dirty=False),
            environment=Environment(python="3.11.7", platform="Linux-6.1-x86_64-with-glibc2.36", packages=_digest(1)),
        )  # fmt: skip
        yield (
            VersionRegistered(
                version=number, manifest=_digest(place * 100_000 + number), loader="ubj", size_bytes=1 << 20, file_count=1, run=run,
                key=f"run:{name}-{number}", params={"depth": 6, "eta": 0.1, "rounds": 300}, labels={"team": "risk"},
                data=(Dataset(LAKE, role="train", digest=_digest(7), rows=120_000), Dataset(f"s3://lake/{name}.parquet", role="train")),
                parents=(Parent(model=before[0], version=before[1], manifest=_manifest(*before)),) if number > 1 else (),
            ),
            Evaluated(version=number, dataset="holdout-2026q4", dataset_digest=_digest(8), metrics={"auc": 0.91}, n=4000, run=run),
        )  # fmt: skip
    yield (AliasMoved(alias="champion", version=versions, how="set"),)


def _manifest(model: str, number: int) -> str:
    return _digest(int(model.removeprefix("model-")) * 100_000 + number)


def _digest(number: int) -> str:
    return f"sha256:{number:064x}"


def _warm(folder: Path, models: int, versions: int) -> Registry:
    many_models(folder / "registry", models, versions)
    registry = Registry(folder / "registry", actor="ana")
    registry.lineage("model-0@1")
    return registry


def _pass(folder: Path) -> Callable[[], float]:
    entries = [path.read_bytes() for path in sorted((folder / "registry" / "models").rglob("*.json"))]

    def floor() -> float:
        with stopwatch() as clock:
            for raw in entries:
                json.loads(raw)
        return clock.elapsed_s

    return floor


def _asked(ask: Callable[[], object]) -> Callable[[], float]:
    def ours() -> float:
        with stopwatch() as clock:
            ask()
        return clock.elapsed_s

    return ours
