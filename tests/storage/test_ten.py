"""Ten at once ask for the same, and a request is repeated whose outcome nobody knew: nothing happens twice."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from types import SimpleNamespace

import pytest

from flowreg import Registry
from flowreg.errors import Refused, Unavailable
from flowreg.storage import journal, landing

PATIENCE_S = 60


def artifact(folder: Path, text: str = "weights") -> Path:
    path = folder / text / "model.bin"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def register(root: Path, model: Path, barrier: Barrier | threading.Barrier, registry: Registry | None = None) -> tuple[str, str]:
    registry = registry or Registry(root)
    barrier.wait(PATIENCE_S)
    version = registry.register("churn", model, key="same", metrics={"auc": 0.9})
    return version.ref, version.registered_at


def register_in_process(root: Path, model: Path, barrier: Barrier, told: multiprocessing.Queue[tuple[str, str]]) -> None:
    told.put(register(root, model, barrier))


def blobs_of(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "blobs" / "sha256").rglob("*") if path.is_file())


def require_once(root: Path, model: Path, answers: list[tuple[str, str]]) -> None:
    registry = Registry(root)
    assert len(answers) == 10
    assert len(set(answers)) == 1
    assert [version.ref for version in registry.versions("churn")] == ["churn@1"]
    assert len(registry.versions("churn")[0].metrics) == 1
    assert len(blobs_of(root)) == 2, "the file and its manifest"
    assert not registry.check(read_data=True).faults


def test_ten_threads_register_the_same(tmp_path: Path) -> None:
    """One version, ten equal answers, the bytes stored once; with one registry for all, and with one for each."""
    for shared in (True, False):
        root, barrier = tmp_path / f"registry-{shared}", threading.Barrier(10)
        one, model = Registry(root) if shared else None, artifact(tmp_path)
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda _, r=root, b=barrier, o=one, m=model: register(r, m, b, o), range(10)))  # type: ignore[misc]

        require_once(root, model, answers)


def test_ten_processes_register_the_same(tmp_path: Path) -> None:
    """The same with real processes, which also race for who creates the registry."""
    context = multiprocessing.get_context("fork")
    barrier, told, model = context.Barrier(10), context.Queue(), artifact(tmp_path)
    workers = [context.Process(target=register_in_process, args=(tmp_path / "registry", model, barrier, told)) for _ in range(10)]
    for worker in workers:
        worker.start()
    answers = [told.get(timeout=PATIENCE_S) for _ in workers]
    for worker in workers:
        worker.join(PATIENCE_S)

    require_once(tmp_path / "registry", model, answers)


@pytest.mark.parametrize("landed", [True, False])
def test_a_rollback_repeated_after_an_unknown_outcome_steps_once(tmp_path: Path, landed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no key, and must not go back two holders where the first had been written."""
    registry = Registry(tmp_path / "registry")
    for number in range(3):
        registry.promote(registry.register("churn", artifact(tmp_path, f"v{number}")), to="mine")
    create, read = registry._store.create, registry._store.read

    def lose(path: str, data: bytes) -> None:
        if landed:
            create(path, data)
        raise TimeoutError("no reply")

    def unreadable(path: str) -> bytes | None:
        if "/journal/" in path:
            raise TimeoutError("no reply")
        return read(path)

    clock = iter(range(0, 10**9, 40))
    with monkeypatch.context() as faults:
        faults.setattr(registry._store, "create", lose)
        faults.setattr(registry._store, "read", unreadable)
        for module in (journal, landing):
            faults.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda s: None))
        with pytest.raises(Unavailable) as error:
            registry.rollback("churn@mine", because="it is worse")
    assert error.value.outcome == "unknown"

    assert registry.rollback("churn@mine", because="it is worse").version.number == 2
    assert [move.version for move in registry.history("churn") if move.what.startswith("rolled")] in ([2], [])
    assert registry.get("churn@mine").number == 2
    assert registry.rollback("churn@mine", because="it is worse").version.number == 1


def test_a_rollback_can_be_repeated_from_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the target; with it the same again steps once, also for who remembers nothing, and a wrong target is refused."""
    root = tmp_path / "registry"
    registry = Registry(root)
    for number in range(3):
        registry.promote(registry.register("churn", artifact(tmp_path, f"v{number}")), to="mine")
    create, clock = registry._store.create, iter(range(0, 10**9, 40))

    def landed_and_silent(path: str, data: bytes) -> None:
        create(path, data)
        monkeypatch.setattr(registry._store, "read", silent)
        raise TimeoutError("no reply")

    def silent(path: str) -> bytes | None:
        raise TimeoutError("no reply")

    monkeypatch.setattr(registry._store, "create", landed_and_silent)
    for module in (journal, landing):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda s: None))
    with pytest.raises(Unavailable, match=r"flowreg rollback churn@mine --to 2") as error:
        registry.rollback("churn@mine", because="it is worse")

    for _ in range(2):
        again = Registry(root).rollback("churn@mine", to=error.value.facts["to"], because="it is worse")
        assert (again.version.number, again.how) == (2, "rollback")
    assert len([line for line in Registry(root).history("churn") if line.kind == "alias_moved"]) == 3 + 1
    with pytest.raises(Refused):
        Registry(root).rollback("churn@mine", to=3, because="it was retired by the rollback")
