"""What a question costs: nothing is read twice, and a question about many models is a few calls of the store."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowreg import Registry
from tests.benchmarks.scale import CountingStore, opened
from tests.benchmarks.tracing import LAKE, many_models

MODELS = 200


@pytest.fixture
def many(tmp_path: Path) -> tuple[Registry, CountingStore, Path]:
    """A registry of 200 models, which has answered one question."""
    many_models(tmp_path / "registry", MODELS, 3)
    registry, store = opened(tmp_path / "registry")
    registry.lineage("model-0@1")
    store.calls.clear()
    return registry, store, tmp_path / "registry"


def bytes_read(store: CountingStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the files that are read from now on and are there."""
    found: list[str] = []
    inner = store._inner
    read_many, read = inner.read_many, inner.read

    def many(paths: list[str]) -> list[bytes | None]:
        raws: list[bytes | None] = read_many(paths)
        found.extend(path for path, raw in zip(paths, raws, strict=True) if raw is not None)
        return raws

    def one(path: str) -> bytes | None:
        raw: bytes | None = read(path)
        found.extend([path] if raw is not None else [])
        return raw

    class Watched:
        read_many, read = staticmethod(many), staticmethod(one)

        def __getattr__(self, name: str) -> object:
            return getattr(inner, name)

    store._inner = Watched()
    return found


def test_a_warm_question_reads_nothing(many: tuple[Registry, CountingStore, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks whether there is anything new: two numbers of each journal, in three calls, and lists nothing."""
    registry, store, _ = many
    read = bytes_read(store, monkeypatch)

    found = registry.lineage(data=LAKE, direction="down")

    assert len(found.versions) == MODELS * 3
    assert read == []
    assert dict(store.calls) == {"read_many": 3, "files": 2 + 2 * MODELS}


def test_only_what_is_new_is_read(many: tuple[Registry, CountingStore, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Another writer's entry, once; a model that was born meanwhile."""
    registry, store, folder = many
    other = Registry(folder, actor="bo")
    other.register("model-7", {"w": 1}, trust="pickle", parents=["model-0@1"])
    other.register("born", {"w": 2}, trust="pickle", parents=["model-7@4"])
    read = bytes_read(store, monkeypatch)

    found = registry.lineage("model-0@1", direction="down")

    assert {"model-7@4", "born@1"} <= {*found.versions}
    journals = [path for path in read if "/journal/" in path]
    assert sorted(journals) == sorted({*journals})
    assert {path.split("/journal/")[0] for path in journals if path.startswith("models/")} == {"models/model-7", "models/born"}
    read.clear()
    assert registry.lineage("model-0@1", direction="down").versions == found.versions
    assert read == []


def test_upwards_only_the_models_on_the_way_are_read(tmp_path: Path) -> None:
    """A version's own journal says what it comes from."""
    many_models(tmp_path / "registry", 20, 3)
    registry, _ = opened(tmp_path / "registry")

    found = registry.lineage("model-5@3", direction="up")

    assert found.versions == ("model-5@2", "model-6@1")
    assert [*registry._traces._graph.states] == ["model-5", "model-6"]
    assert registry.lineage("model-5@3").versions[:2] == found.versions


def test_upwards_and_everywhere_are_the_same_answer(tmp_path: Path) -> None:
    """Also where only another model knows the run that called this version's run."""
    from tests.lineage.graph.histories import run

    registry = Registry(tmp_path / "registry")
    registry.register("inner", {"w": 1}, trust="pickle", run=run("2", called_by="1"))
    registry.register("outer", {"w": 2}, trust="pickle", run=run("1", commit="abcdef"))
    fresh = Registry(tmp_path / "registry")

    up = fresh.lineage("inner@1", direction="up")

    assert [node.name for node in up.nodes] == ["inner@1", "retrain/fox-2", "retrain/fox-1", "abcdef"]
    assert list(fresh.lineage(commit="abcdef", direction="down").versions) == ["outer@1", "inner@1"]


def test_upwards_a_registry_that_knows_everything_says_the_same(tmp_path: Path) -> None:
    """As one that reads only what is on the way."""
    many_models(tmp_path / "registry", 6, 4)
    warm = Registry(tmp_path / "registry")
    warm.lineage("model-0@1")

    for ref in (f"model-{model}@{number}" for model in (0, 5) for number in (1, 2, 4)):
        lazy, known = (registry.lineage(ref, direction="up") for registry in (Registry(tmp_path / "registry"), warm))
        assert {node.id for node in lazy.nodes} == {node.id for node in known.nodes}
        assert {(e.source, e.target, e.relation) for e in lazy.edges} == {(e.source, e.target, e.relation) for e in known.edges}


def test_threads_get_the_same_answer(many: tuple[Registry, CountingStore, Path]) -> None:
    """While somebody registers, each answer has all that was there before it was asked for."""
    registry, _, _ = many

    def ask(number: int) -> bool:
        made = registry.register("model-1", {"w": number}, trust="pickle", data=["s3://lake/new"])
        return made.ref in registry.lineage(data="s3://lake/new", direction="down").versions

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(12)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_answers(many: tuple[Registry, CountingStore, Path]) -> None:
    """What its parent has read it knows, and builds its own graph from it."""
    registry, _, _ = many
    expected = len(registry.lineage(data=LAKE, direction="down").versions)
    child = os.fork()
    if child == 0:
        os._exit(0 if len(registry.lineage(data=LAKE, direction="down").versions) == expected else 1)

    assert os.waitpid(child, 0)[1] == 0


def test_a_cold_question_lists_no_model_s_folder(tmp_path: Path) -> None:
    """Where heads and the registry's journal name the same models; where the heads are gone, every folder is looked into."""
    registry = Registry(tmp_path / "registry")
    for number in range(12):
        registry.register(f"team/m{number}", {"w": number}, trust="pickle", data=[LAKE])
    registry.flush()
    cold, store = opened(tmp_path / "registry")

    assert len(cold.lineage(data=LAKE, direction="down").versions) == 12
    assert store.calls["names"] <= 2  # the heads; the registry's journal
    for head in (tmp_path / "registry" / "heads").iterdir():
        head.unlink()
    assert len(Registry(tmp_path / "registry").lineage(data=LAKE, direction="down").versions) == 12


def test_a_model_of_older_times_is_asked_too(tmp_path: Path) -> None:
    """One that the registry's journal does not name."""
    registry = Registry(tmp_path / "registry")
    registry._journals.created()
    registry._journals._named = lambda model: registry._journals.registry.state(fresh=False)  # type: ignore[method-assign]
    registry.register("old", {"w": 1}, trust="pickle", data=[LAKE])
    registry.flush()
    fresh = Registry(tmp_path / "registry")

    assert [fresh.lineage(data=LAKE, direction="down").versions for _ in range(2)] == [("old@1",)] * 2
