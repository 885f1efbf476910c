"""Registering and measuring: exactly once, as it was given, and whole or not at all."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowreg import Registry
from flowreg.core.events import Dataset, Run
from flowreg.errors import BadInput, NotFound, Refused
from tests.registry.conftest import everything

Artifact = Callable[[str], Path]


def test_everything_given_is_kept(registry: Registry, artifact: Artifact, folder: Path) -> None:
    """Another process reads what this one registered, field for field."""
    base = registry.register("base", artifact("base"))
    registry.register(
        "risk/churn", artifact("a"), metrics={"auc": 0.91, "n": 500}, on=Dataset(name="holdout", digest="sha256:00"),
        params={"depth": [1, {"x": None}]}, labels={"team": "risk"}, data=["s3://lake/customers.parquet"], parents=["base@1"],
        signature={"inputs": []}, card="# Über", because="nightly", slices={"region=south": {"recall": 0.69, "n": 7}},
    )  # fmt: skip

    version = Registry(folder).get("risk/churn@newest")

    assert (version.ref, version.because, version.by.actor) == ("risk/churn@1", "nightly", "ana")
    assert (version.metrics, version.params, version.labels) == ({"auc": 0.91}, {"depth": [1, {"x": None}]}, {"team": "risk"})
    assert [(p.model, p.version, p.manifest) for p in version.parents] == [("base", 1, base.digest)]
    assert (version.data[0].uri, version.signature) == ("s3://lake/customers.parquet", {"inputs": []})
    (evaluation,) = version.evaluations
    assert (evaluation.dataset, evaluation.dataset_digest, evaluation.n) == ("holdout", "sha256:00", 500)
    assert Registry(folder).slices(evaluation) == [{"slice": {"region": "south"}, "metric": "recall", "value": 0.69, "n": 7}]
    assert Registry(folder).card("risk/churn@1") == "# Über"


def test_the_same_key_is_the_same_version(registry: Registry, artifact: Artifact, folder: Path) -> None:
    """In this process, in another, and whoever asks in between: one version, and nothing is written for the second request."""
    first = registry.register("churn", artifact("a"), key="run-7", metrics={"auc": 0.9})
    registry.register("churn", artifact("b"))
    registry.flush()
    before = everything(folder)

    again = [registry.register("churn", artifact("a"), key="run-7"), Registry(folder).register("churn", artifact("a"), key="run-7")]

    assert [v.number for v in again] == [first.number] * 2
    assert again[0].metrics == {"auc": 0.9}
    assert everything(folder) == before


def test_another_artifact_under_a_used_key_is_refused(registry: Registry, artifact: Artifact) -> None:
    """With both digests, and nothing registered."""
    registry.register("churn", artifact("a"), key="run-7")

    with pytest.raises(Refused, match="used before, for a different artifact") as error:
        registry.register("churn", artifact("b"), key="run-7")

    assert error.value.code == "key-reused"
    assert len(registry.versions("churn")) == 1


def test_a_key_belongs_to_a_model(registry: Registry, artifact: Artifact) -> None:
    """The same key under another name is another registration."""
    assert [registry.register(name, artifact("a"), key="k").ref for name in ("a", "b")] == ["a@1", "b@1"]


def test_a_run_registers_the_same_bytes_once(registry: Registry, artifact: Artifact) -> None:
    """A retried run makes no twin; another run, or other bytes, are another version."""
    run, other = Run(flow_run="f1"), Run(flow_run="f2")

    numbers = [
        registry.register("churn", artifact(text), run=who).number for text, who in [("a", run), ("a", run), ("b", run), ("a", other)]
    ]

    assert numbers == [1, 1, 2, 3]


def test_the_same_evaluation_of_a_run_is_recorded_once(three: Registry) -> None:
    """Same values from the same run: one; a key does the same without a run; otherwise each is its own."""
    run = Run(flow_run="f1")
    for _ in range(2):
        three.evaluate("churn@1", {"f1": 0.5}, on="holdout", run=run)
        three.evaluate("churn@1", {"f1": 0.6}, on="holdout", key="k")
        three.evaluate("churn@1", {"f1": 0.7}, on="holdout")

    assert sorted(e.metrics["f1"] for e in three.get("churn@1").evaluations if "f1" in e.metrics) == [0.5, 0.6, 0.7, 0.7]


def test_threads_of_one_registry_and_of_many_agree(folder: Path, artifact: Artifact) -> None:
    """Registrations from 6 threads, half of them sharing a registry: consecutive, each returned to the one who asked."""
    shared, path = Registry(folder), artifact("a")

    def write(n: int) -> list[tuple[str | None, int]]:
        mine = shared if n % 2 else Registry(folder)
        versions = [mine.register("churn", path, key=f"{n}-{i}") for i in range(5)]
        return [(v.key, v.number) for v in versions]

    with ThreadPoolExecutor(6) as pool:
        returned = [pair for pairs in pool.map(write, range(6)) for pair in pairs]

    assert sorted(number for _, number in returned) == list(range(1, 31))
    assert {v.key: v.number for v in Registry(folder).versions("churn")} == dict(returned)


def test_metrics_that_are_no_numbers_are_kept(registry: Registry, artifact: Artifact, folder: Path) -> None:
    """NaN and infinities, over the whole and by slice; large counts too. Two versions with NaN do not differ in it."""
    for text in "ab":
        registry.register(
            "churn",
            artifact(text),
            metrics={"loss": math.nan, "worst": math.inf, "rows": 1e17},
            slices={"a=b": {"loss": -math.inf, "rows": 3e16}},
        )

    version = Registry(folder).get("churn@1")

    assert math.isnan(version.metrics["loss"])
    assert (version.metrics["worst"], version.metrics["rows"]) == (math.inf, 1e17)
    assert [row["value"] for row in Registry(folder).slices(version.evaluations[0])] == [-math.inf, 3e16]
    assert set(registry.diff("churn@1", "churn@2").sections) == {"files"}
    assert registry.diff("churn@1", "churn@1").sections == {}


def test_labels_are_set_and_taken_away(three: Registry, folder: Path) -> None:
    """What stands already writes nothing."""
    three.label("churn@1", {"team": "risk", "tier": "1"})
    three.label("churn@1", {"tier": None, "team": "ops", "none": None})
    three.flush()
    before = everything(folder)

    assert three.label("churn@1", {"team": "ops", "tier": None}).labels == {"team": "ops"}
    assert everything(folder) == before


def test_what_is_not_there_is_not_found(three: Registry) -> None:
    """Each with what there is."""
    for ask in (
        lambda: three.get("churn@4"),
        lambda: three.get("churn@champion"),
        lambda: three.get("other@1"),
        lambda: three.versions("other"),
        lambda: three.history("other"),
        lambda: three.get("churn@sha256:000000"),
        lambda: three.evaluate("churn@9", {"auc": 1}),
        lambda: three.promote("churn@9", to="champion"),
        lambda: three.rollback("churn@champion", because="x"),
        lambda: three.judge("churn@1", to="champion"),
        lambda: three.remove_policy("none", because="x"),
        lambda: three.register("new", "x", parents=["churn@9"]),
    ):
        with pytest.raises(NotFound):
            ask()
    assert [line.model for line in three.models()] == ["churn"]


def test_examples_are_looked_at_before_they_are_stored(registry: Registry, tmp_path: Path) -> None:
    """What no gate could read, or has more or fewer rows than were measured, is refused; else their number is recorded."""
    numpy = pytest.importorskip("numpy")
    registry.register("churn", {"w": 1}, trust="pickle")
    table, junk = tmp_path / "examples.npz", tmp_path / "examples.parquet"
    numpy.savez_compressed(table, id=[1, 2, 3], y=[0, 1, 1], score=[0.2, 0.9, 0.4])
    junk.write_bytes(b"PAR0")

    with pytest.raises(BadInput, match="neither NPZ nor Parquet"):
        registry.evaluate("churn@1", {"auc": 1.0}, examples=junk)
    with pytest.raises(BadInput, match=r"4 examples were measured, and .* has 3"):
        registry.evaluate("churn@1", {"auc": 1.0, "n": 4}, examples=table)
    assert registry.get("churn@1").evaluations == ()

    assert registry.evaluate("churn@1", {"auc": 1.0}, examples=table).n == 3


def test_more_slices_than_can_be_read_are_not_recorded(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of reading is that of writing."""
    monkeypatch.setattr("flowreg.tables.TABLE_LIMIT", 1000)
    registry.register("churn", {"w": 1}, trust="pickle")

    with pytest.raises(BadInput, match="is the most"):
        registry.evaluate("churn@1", slices={f"customer={n}": {"auc": 0.5} for n in range(100)})

    assert registry.get("churn@1").evaluations == ()
