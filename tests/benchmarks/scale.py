"""One model with many versions: what opening, resolving, registering and promoting cost, in time and in calls of the store.

The journal is written by ``many_versions`` without an fsync for each entry; heads and checkpoints are then flowreg's own.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowreg import Registry
from flowreg.core.codec import digest_of, encode_entry
from flowreg.core.events import AliasMoved, Envelope, Evaluated, Event, VersionRegistered
from flowreg.core.layout import entry_path
from flowreg.journals import Journals
from flowreg.storage.store import open_store

MODEL = "churn"
SIZES = (100, 1_000, 5_000, 20_000)
REPEATS = 5


class CountingStore:
    """The store ``inner``; ``calls`` counts what was asked of it, ``files`` the files that were read."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._counted(name, found) if callable(found) else found

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            if threading.current_thread() is threading.main_thread() or name != "replace":  # heads are written behind, whenever that is
                self.calls[name] += 1
                self.calls["files"] += len(given[0]) if name == "read_many" else name == "read"
            return call(*given, **named)

        return counted


@dataclass(frozen=True, slots=True)
class Cost:
    """One operation on a model of ``versions`` versions: the median time, and the calls of one time."""

    operation: str
    versions: int
    seconds: float
    calls: Counter[str]


def many_versions(folder: Path, count: int) -> None:
    """A registry whose model has ``count`` versions, each evaluated, every tenth promoted; with the caches that flowreg writes."""
    registry = Registry(folder, actor="ana")
    first = registry.register(MODEL, {"w": 1}, trust="pickle", key="key-1", metrics={"auc": 0.9}, on="july")
    ground = registry._journals.created()
    parent = digest_of((folder / entry_path(MODEL, 1)).read_bytes())
    by, at = registry._journals.by(None), "2026-01-01T00:00:00.000Z"
    for seq, events in enumerate(_events(first.digest, count), 2):
        raw = encode_entry(
            Envelope(
                registry=ground.registry, model=MODEL, seq=seq, parent=parent, id=f"id-{seq}", at=at, by=by, under=ground.seq, events=events
            )
        )
        (folder / entry_path(MODEL, seq)).write_bytes(raw)
        parent = digest_of(raw)
    registry = Registry(folder, actor="ana")
    registry.label(f"{MODEL}@{count}", {"team": "risk"})
    registry.flush()


def _events(manifest: str, count: int) -> Iterator[tuple[Event, ...]]:
    holder = None
    for number in range(2, count + 1):
        yield (
            VersionRegistered(version=number, manifest=manifest, loader="pickle", size_bytes=1, file_count=1, key=f"key-{number}"),
            Evaluated(version=number, dataset="july", metrics={"auc": 0.9}),
        )
        if number % 10 == 0 or number == count:
            yield (AliasMoved(alias="champion", version=number, base=holder, how="set"),)
            holder = number


def opened(folder: Path) -> tuple[Registry, CountingStore]:
    """A registry, and the counter of all that it asks of the store."""
    store = CountingStore(open_store(folder))
    registry = Registry(folder, actor="ana")
    registry._store, registry._journals = store, Journals(store, "ana")  # type: ignore[assignment, arg-type]
    return registry, store


def costs(folder: Path, count: int, *, repeats: int = REPEATS) -> list[Cost]:
    """What each operation costs on the registry that ``many_versions`` made in ``folder``."""
    warm, store = opened(folder)
    warm.get(f"{MODEL}@champion")
    numbers = iter(range(1, 1_000_000))
    model = {"w": 1}

    def register() -> None:
        warm.register(MODEL, model, trust="pickle", key=f"new-{count}-{next(numbers)}")

    def promote() -> None:
        warm.promote(f"{MODEL}@{1 + next(numbers) % count}", to="challenger")

    def cold() -> None:
        registry, counted = opened(folder)
        registry.get(f"{MODEL}@champion")
        store.calls += counted.calls

    def listed() -> None:
        registry, counted = opened(folder)
        registry.models()
        store.calls += counted.calls

    operations = {
        "open cold and resolve": cold,
        "list models": listed,
        "resolve": lambda: warm.get(f"{MODEL}@champion"),
        "register": register,
        "promote": promote,
    }
    return [_cost(name, count, work, store, warm, repeats) for name, work in operations.items()]


def _cost(name: str, count: int, work: Callable[[], object], store: CountingStore, warm: Registry, repeats: int) -> Cost:
    took: list[float] = []
    calls: Counter[str] = Counter()
    for _ in range(repeats):
        warm.flush()  # the caches are written off the hot path
        store.calls.clear()
        before = time.perf_counter()
        work()
        took.append(time.perf_counter() - before)
        calls = Counter(store.calls)
    warm.flush()
    return Cost(name, count, sorted(took)[len(took) // 2], calls)


def measured(sizes: Sequence[int] = SIZES, *, repeats: int = REPEATS) -> list[Cost]:
    """The costs at each size, in folders of their own."""
    found: list[Cost] = []
    for count in sizes:
        with tempfile.TemporaryDirectory(prefix="flowreg-benchmark-") as folder:
            many_versions(Path(folder, "registry"), count)
            found += costs(Path(folder, "registry"), count, repeats=repeats)
    return found


def lines(found: list[Cost]) -> Iterator[str]:
    """A table with a bar for each: as long as the time, to the longest of its operation."""
    yield f"{'operation':<24} {'versions':>8} {'time':>10}  calls"
    longest = {cost.operation: max(other.seconds for other in found if other.operation == cost.operation) for cost in found}
    for cost in sorted(found, key=lambda cost: (list(longest).index(cost.operation), cost.versions)):
        bar = "#" * max(1, round(20 * cost.seconds / longest[cost.operation]))
        calls = ", ".join(f"{name} {number}" for name, number in sorted(cost.calls.items()))
        yield f"{cost.operation:<24} {cost.versions:>8} {cost.seconds * 1e3:>7.1f} ms  {bar:<20}  {calls}"
