"""Collections against registrations of the very bytes that they remove, at every interleaving that a seed can draw."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

import flowreg.collecting
from flowreg import Registry
from flowreg.journals import Journals
from flowreg.storage import blobs
from flowreg.storage.incarnations import Places
from tests.collect.scheduler import Crashed, Stepped, interleaved

NOW = timedelta(0)
BYTES = b"the same bytes"


@pytest.fixture(autouse=True)
def one_thread_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parallel requests of one caller become one after the other, so that a seed decides all."""
    for place in (
        "flowreg.storage.blobs",
        "flowreg.storage.incarnations",
        "flowreg.storage.leftovers",
        "flowreg.journals",
        "flowreg.collecting",
    ):
        monkeypatch.setattr(f"{place}.parallel_map", lambda work, items, threads: [work(item) for item in items])
    monkeypatch.setattr("flowreg.storage.caches.Caches.note", lambda *_: None)


def opened(store: Stepped, actor: str) -> Registry:
    registry = Registry("/nowhere", actor=actor)
    registry._store = store  # type: ignore[assignment]
    registry._journals = Journals(store, actor)  # type: ignore[arg-type]
    return registry


def _race(seed: int, file: Path) -> tuple[Stepped, list[object]]:
    """Orphans of these bytes, writers who register them (to an old model, to a new one, or all to new ones), and two collections."""
    store, chance = Stepped(), random.Random(seed)
    first = opened(store, "first")
    other = file.parent / "other"
    other.write_bytes(b"something else")
    first.register("old", other)
    blobs.put(store, BYTES)  # type: ignore[arg-type]
    warm = [opened(store, f"writer{n}") for n in range(3)]
    for registry in warm[: chance.randrange(4)]:
        registry._journals.registry.state()
        registry._journals.of("old").state()
    collectors = [opened(store, f"collector{n}") for n in range(2)]
    models = chance.choice([("old", "old", "new"), ("old", "new", "new"), ("new", "new", "newer")])  # an old one keeps them for the rest
    work = [
        *(lambda registry=registry, model=model: registry.register(model, file) for registry, model in zip(warm, models, strict=True)),
        lambda: collectors[0].collect(dry_run=False, grace=NOW),
        lambda: (collectors[1].collect(dry_run=False, grace=NOW), collectors[1].collect(dry_run=False, grace=NOW)),
    ]
    return store, interleaved(store, seed, *work)


def _missing(store: Stepped, outcomes: list[object]) -> list[str]:
    """What is wrong afterwards: a failure, a registration that is not there, a version that lacks a byte."""
    wrong = [repr(o) for o in outcomes if isinstance(o, BaseException)]
    reader = opened(store, "reader")
    for version in outcomes[:3]:
        if not isinstance(version, BaseException):
            assert reader.get(str(version)).digest == version.digest  # type: ignore[attr-defined]
    for line in reader.models():
        for version in reader.versions(line.model):
            try:
                blobs.verify_artifact(store, version.digest, what=version.ref)  # type: ignore[arg-type]
            except flowreg.Corrupt as error:
                wrong.append(error.what)
    return wrong


def _found_by(seeds: range, tmp_path: Path) -> int | None:
    file = tmp_path / "model.bin"
    file.write_bytes(BYTES)
    return next((seed for seed in seeds if _missing(*_race(seed, file))), None)


def test_no_version_ever_lacks_a_byte(tmp_path: Path) -> None:
    """Whatever the order of requests, each registration succeeds, is there, and has its bytes."""
    assert _found_by(range(300), tmp_path) is None


@pytest.mark.slow
def test_no_version_ever_lacks_a_byte_in_thousands(tmp_path: Path) -> None:
    """The same, ten thousand times."""
    assert _found_by(range(1_000, 11_000), tmp_path) is None


def test_a_collection_without_fences_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race can fail: without the fence it loses bytes."""
    monkeypatch.setattr(Journals, "fence", lambda self, model, under, because: self.of(model).state())

    assert _found_by(range(2_000), tmp_path) is not None


def test_a_writer_that_does_not_store_again_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race can fail: without the second store it loses bytes."""
    monkeypatch.setattr(Places, "refuse_doomed", lambda self, doomed: None)

    assert _found_by(range(2_000), tmp_path) is not None


def test_models_that_are_born_without_being_named_are_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race can fail: without ``model_created`` a model is born behind the collection's back."""
    monkeypatch.setattr(Journals, "_named", lambda self, model: self.created())

    assert _found_by(range(2_000), tmp_path) is not None


def test_a_collection_that_crashes_anywhere_is_finished_by_the_next(tmp_path: Path) -> None:
    """It is stopped before each of its requests in turn; the next one leaves what one without a crash leaves."""
    file = tmp_path / "model.bin"
    file.write_bytes(b"kept")
    crashed_at = 0
    while True:
        store = Stepped()
        opened(store, "writer").register("old", file)
        needed = {path for path in store.files if path.startswith("blobs/")}
        for orphan in (b"one", b"two", b"three"):
            blobs.put(store, orphan)  # type: ignore[arg-type]
        left = crashed_at

        def step() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Crashed

        store.step = step
        try:
            opened(store, "collector").collect(dry_run=False, grace=NOW)
        except Crashed:
            store.step = lambda: None
            opened(store, "next").collect(dry_run=False, grace=NOW)
        else:
            break
        assert {path for path in store.files if path.startswith("blobs/")} == needed, crashed_at
        crashed_at += 1

    assert crashed_at > 10
