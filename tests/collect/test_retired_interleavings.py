"""Collections that drop the files of a retired version, against those who want it back, at every interleaving that a seed can draw."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from flowreg import Refused, Registry, collecting
from flowreg.core.events import BytesDropped
from flowreg.errors import Corrupt
from flowreg.storage import blobs
from tests.collect.scheduler import Stepped, interleaved
from tests.collect.test_interleavings import BYTES, NOW, one_thread_for_each, opened

__all__ = ["one_thread_for_each"]  # a fixture that every test here uses

Wish = Callable[[Registry, Path], object]
WISHES: Mapping[str, Wish] = {
    "restore": lambda registry, file: registry.restore("old@1", because="it was not"),
    "restore and promote": lambda registry, file: [registry.restore("old@1", because="it was not"), _promote(registry)],
    "hold": lambda registry, file: registry.hold("old@1", because="case 7"),
    "register": lambda registry, file: registry.register("old", file),
    "register elsewhere": lambda registry, file: registry.register("new", file),
}


def _promote(registry: Registry) -> object:
    return registry.promote("old@1", to="champion", because="it is good")


def _race(seed: int, file: Path) -> tuple[Stepped, dict[str, object]]:
    """A version is retired; two collections drop its files while three people want something of it."""
    store, chance = Stepped(), random.Random(seed)
    first = opened(store, "first")
    first.register("old", file)
    first.retire("old@1", because="biased")
    wished = chance.sample(sorted(WISHES), 3)
    people = [opened(store, name) for name in wished]
    for registry in people[: chance.randrange(4)]:
        registry._journals.registry.state()
        registry._journals.of("old").state()
    collectors = [opened(store, f"collector{n}") for n in range(2)]
    work = [lambda r=registry, wish=WISHES[name]: wish(r, file) for registry, name in zip(people, wished, strict=True)]
    work += [lambda r=registry: r.collect(dry_run=False, grace=NOW, retired=True) for registry in collectors]
    names = [*wished, "first collection", "second collection"]
    return store, dict(zip(names, interleaved(store, seed, *work), strict=True))


def _wrong(store: Stepped, outcomes: Mapping[str, object]) -> list[str]:
    """What is wrong afterwards: a failure that is no refusal, a yes that does not hold, a version that lacks a byte and does not say so."""
    refused = {name for name, said in outcomes.items() if isinstance(said, Refused) and said.code == "bytes-dropped"}
    wrong = [f"{name}: {said!r}" for name, said in outcomes.items() if isinstance(said, BaseException) and name not in refused]
    reader = opened(store, "reader")
    for line in reader.models():
        for version in reader.versions(line.model):
            try:
                if version.dropped is None:
                    blobs.verify_artifact(store, version.digest, what=version.ref)  # type: ignore[arg-type]
            except Corrupt as error:
                wrong.append(error.what)
    first = reader.get("old@1")
    if {"restore", "restore and promote"} & outcomes.keys() - refused and (first.retired or first.dropped):
        wrong.append("it was restored, and is not")
    return wrong


def _found_by(seeds: range, tmp_path: Path) -> int | None:
    file = tmp_path / "model.bin"
    file.write_bytes(BYTES)
    return next((seed for seed in seeds if _wrong(*_race(seed, file))), None)


def test_who_wants_a_version_back_has_it_or_is_told(tmp_path: Path) -> None:
    """Whatever the order of requests, a version has its bytes or says that they were dropped, and a yes stays one."""
    assert _found_by(range(200), tmp_path) is None


def test_both_ends_of_the_race_are_reached(tmp_path: Path) -> None:
    """The race is one: in some orders the bytes are dropped, in others somebody came first."""
    file = tmp_path / "model.bin"
    file.write_bytes(BYTES)
    ends = {opened(_race(seed, file)[0], "reader").get("old@1").dropped is None for seed in range(20)}

    assert ends == {True, False}


@pytest.mark.slow
def test_who_wants_a_version_back_has_it_or_is_told_in_thousands(tmp_path: Path) -> None:
    """The same, ten thousand times."""
    assert _found_by(range(1_000, 11_000), tmp_path) is None


def test_dooms_before_the_entry_are_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race can fail: where blobs are doomed and removed first and the entry comes last, somebody has it back in between."""
    drop, needed, swept, mine = collecting._drop, collecting._needed, collecting._swept, threading.local()

    def only_told(journals: Any, states: Any, *, retired_before: str, dry_run: bool) -> Any:
        mine.later = lambda: drop(journals, states, retired_before=retired_before, dry_run=dry_run)
        told, mine.without = drop(journals, states, retired_before=retired_before, dry_run=True)
        return told, mine.without

    def dropped_at_last(*given: Any, **more: Any) -> Any:
        mine.later()
        return swept(*given, **more)

    monkeypatch.setattr(collecting, "_drop", only_told)
    monkeypatch.setattr(collecting, "_needed", lambda store, states, without=(): needed(store, states, mine.without))
    monkeypatch.setattr(collecting, "_swept", dropped_at_last)

    assert _found_by(range(500), tmp_path) is not None


def test_a_drop_that_was_decided_before_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race can fail: an entry that is not decided on what stands there when it is written is void, and its writer in error."""

    def decided_before(number: int, retired_before: str) -> Callable[[Any, Any], Sequence[BytesDropped]]:
        return lambda state, _: [BytesDropped(version=number, manifest=state.versions[number - 1].manifest)]

    monkeypatch.setattr(collecting, "_dropping", decided_before)

    assert _found_by(range(500), tmp_path) is not None


def test_needs_that_are_not_looked_at_again_are_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race can fail: what was needed before the fence is not all that is needed behind it."""
    fenced, states, mine = collecting._fenced, collecting._states, threading.local()

    def read(*given: Any) -> Any:
        mine.states = states(*given)
        return mine.states

    def as_before(*given: Any) -> Any:
        fenced(*given)
        return mine.states

    monkeypatch.setattr(collecting, "_states", read)
    monkeypatch.setattr(collecting, "_fenced", as_before)

    assert _found_by(range(500), tmp_path) is not None
