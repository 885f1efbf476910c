"""What a collection says and does on a real folder; holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flowreg import Corrupt, Policy, Refused, Registry
from flowreg.core.events import Fenced
from flowreg.core.layout import blob_path
from flowreg.storage import blobs
from flowreg.storage.store import open_store
from tests.collect.test_interleavings import NOW


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path / "root", actor="ana")
    registry.register(
        "churn", _file(tmp_path, b"one"), metrics={"auc": 0.9}, slices={"region=south": {"recall": 0.5}}, on="h", card="A card."
    )
    return registry


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "model.bin"
    path.write_bytes(content)
    return path


def _stored(registry: Registry) -> set[str]:
    return {path.name for path in Path(registry.root, "blobs", "sha256").rglob("*") if path.is_file()}


def test_a_dry_run_removes_nothing_and_writes_nothing(registry: Registry) -> None:
    """It says what would go, and leaves every file as it was."""
    orphan = blobs.put(registry._store, b"orphan")
    registry.flush()  # a head may still wait to be written
    before = {path: path.read_bytes() for path in Path(registry.root).rglob("*") if path.is_file()}

    told = registry.collect(grace=NOW)

    assert [blob.digest for blob in told.dropped] == [orphan]
    assert before == {path: path.read_bytes() for path in Path(registry.root).rglob("*") if path.is_file()}


def test_what_is_referred_to_stays_with_its_reason(registry: Registry) -> None:
    """Files, manifests, cards, sliced values: each is named with the version that needs it."""
    blobs.put(registry._store, b"orphan")

    done = registry.collect(dry_run=False, grace=NOW)

    assert len(done.dropped) == 1
    assert {b.reason for b in done.blobs if b.fate == "kept"} == {
        "the manifest of churn@1", "a file of churn@1", "the card of churn@1", "sliced values of churn@1",
    }  # fmt: skip
    assert registry.card("churn@1") == "A card."
    assert registry.check().ok


def test_a_young_blob_is_spared(registry: Registry) -> None:
    """An upload whose entry is still on the way is left alone."""
    blobs.put(registry._store, b"orphan")

    done = registry.collect(dry_run=False, grace=timedelta(days=7))

    assert not done.dropped
    assert "kept: young: its entry may still be on the way" in done.counts


def test_removed_bytes_can_be_registered_again(registry: Registry, tmp_path: Path) -> None:
    """They come back under their next incarnation, as often as need be, and every reader and the check find them."""
    for _ in range(2):
        blobs.put(registry._store, b"orphan")
        registry.collect(dry_run=False, grace=NOW)
    version = registry.register("churn", _file(tmp_path, b"orphan"))

    assert [name for name in _stored(registry) if name.endswith(".1")] != []
    assert next(registry.fetch(version, tmp_path / "out").iterdir()).read_bytes() == b"orphan"
    assert registry.check(read_data=True).findings == ()


def test_a_lost_manifest_stops_the_collection(registry: Registry) -> None:
    """What its version needs is unknown, so nothing is removed."""
    digest = registry.get("churn@1").digest.removeprefix("sha256:")
    Path(registry.root, "blobs", "sha256", digest[:2], digest).unlink()
    blobs.put(registry._store, b"orphan")
    before = _stored(registry)

    with pytest.raises(Corrupt):
        registry.collect(dry_run=False, grace=NOW)
    assert _stored(registry) == before


@pytest.mark.parametrize(("where", "looks"), [("local", "_confirm"), ("memory", "size")])
@pytest.mark.parametrize("put", ["bytes", "file"])
def test_a_blob_that_is_removed_while_it_is_stored_again_is_stored(
    put: str, where: str, looks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer has learnt that the path is taken, and a collection comes before it looks at what is there."""
    store = open_store(tmp_path / "r" if where == "local" else f"memory://{tmp_path}")
    path = blob_path(store.put_file(_file(tmp_path, b"weights"), blob_path)[1])
    look = getattr(type(store), looks)

    def removed_before(self: Any, *given: Any) -> Any:
        monkeypatch.undo()
        store.remove(path)
        return look(self, *given)

    monkeypatch.setattr(type(store), looks, removed_before)
    if put == "bytes":
        store.put_bytes(path, b"weights")
    else:
        store.put_file(_file(tmp_path, b"weights"), blob_path)

    assert store.read(path) == b"weights"


def test_a_held_version_is_not_retired(registry: Registry) -> None:
    """Neither under its own hold nor under its model's; after the release it may be."""
    registry.hold("churn@1", because="case 7")
    registry.hold("churn", because="case 8")

    with pytest.raises(Refused, match="held by ana"):
        registry.retire("churn@1", because="old")
    registry.release("churn@1", because="closed")
    assert registry.get("churn@1").held == "case 8"
    with pytest.raises(Refused, match="the whole model"):
        registry.release("churn@1", because="closed")
    registry.release("churn", because="closed")
    assert Registry(registry.root).retire("churn@1", because="old").retired == "old"


def test_a_policy_fences_the_models_that_it_covers(registry: Registry) -> None:
    """From then on no entry may claim to be older than the policy; histories and listings do not tell of it."""
    before = [line.what for line in registry.history("churn")]
    registry.set_policy(Policy(policy="p", models=["ch*"], alias="champion", gates=["auc >= 0.5"], dataset="h"))

    last = list(registry._journals.of("churn").slots())[-1]
    assert isinstance(last.said.events[0], Fenced)
    assert last.said.under == registry._journals.registry.state().seq
    assert [line.what for line in registry.history("churn")] == before
    assert registry.check().ok


def test_a_model_with_nothing_but_a_fence_does_not_exist(registry: Registry) -> None:
    """A collection may fence a model that was about to be born."""
    registry._journals.fence("unborn", registry._journals.registry.state().seq, because="collect")

    assert [line.model for line in registry.models()] == ["churn"]
    with pytest.raises(LookupError, match="there is no model 'unborn'"):
        registry.versions("unborn")
