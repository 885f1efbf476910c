"""The files of retired versions, dropped by a collection: what goes, what stays, and what everybody is told afterwards."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flowreg import Policy, Refused, Registry, serving
from flowreg.core.codec import Entry
from flowreg.core.events import BytesDropped, Fenced, Restored
from flowreg.journals import Journals
from tests.collect.test_interleavings import NOW


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Version 1 is retired, version 2 is not; both have one file in common."""
    registry = Registry(tmp_path / "root", actor="ana")
    for number in (1, 2):
        registry.register("churn", _folder(tmp_path, number), metrics={"auc": 0.9}, on="h", card=f"Card {number}.")
    registry.retire("churn@1", because="biased")
    return registry


def _folder(tmp_path: Path, number: int) -> Path:
    folder = tmp_path / f"model{number}"
    folder.mkdir(exist_ok=True)
    (folder / "weights.bin").write_bytes(b"weights %d" % number)
    (folder / "shared.bin").write_bytes(b"shared")
    return folder


def _dropped(registry: Registry) -> Registry:
    registry.collect(dry_run=False, grace=NOW, retired=True)
    registry.flush()  # its head, so that it comes before those of the other
    return Registry(registry.root, actor="bo")


def test_the_files_go_and_the_record_stays(registry: Registry) -> None:
    """Only what no other version needs is removed; metrics, card, files' digests and history are there, and the check is content."""
    done = registry.collect(dry_run=False, grace=NOW, retired=True)

    assert [(one.ref, one.fate) for one in done.versions] == [("churn@1", "dropped")]
    assert [blob.digest for blob in done.dropped] == [registry.files("churn@1")["weights.bin"]]
    assert (registry.get("churn@1").metrics, registry.card("churn@1")) == ({"auc": 0.9}, "Card 1.")
    assert registry.history("churn")[-1].what == "dropped the bytes of version 1"
    assert registry.check(read_data=True).findings == ()
    assert len(list(registry.fetch("churn@2", Path(registry.root, "..", "two")).iterdir())) == 2


def test_a_dry_run_tells_the_same_and_writes_nothing(registry: Registry) -> None:
    """Which versions and blobs would go is what goes then."""
    told = registry.collect(grace=NOW, retired=True)
    before = registry.history("churn")
    done = registry.collect(dry_run=False, grace=NOW, retired=True)

    assert (told.versions, told.blobs) == (done.versions, done.blobs)
    assert before[-1].kind == "retired"


ASKED: dict[str, Callable[[Registry, Path], object]] = {
    "fetch": lambda registry, into: registry.fetch("churn@1", into),
    "fetch as of then": lambda registry, into: registry.fetch("churn@1", into, as_of=registry.get("churn@1").registered_at),
    "load": lambda registry, into: registry.load("churn@1"),
    "serving": lambda registry, into: serving.fetch("churn@1", into, root=registry.root),
    "restore": lambda registry, into: registry.restore("churn@1", because="x"),
    "promote": lambda registry, into: registry.promote("churn@1", to="champion"),
}


@pytest.mark.parametrize("name", ASKED)
def test_whoever_asks_for_the_bytes_is_told(name: str, registry: Registry, tmp_path: Path) -> None:
    """By whom, when and why they were dropped; nothing is called damaged."""
    with pytest.raises(Refused, match=r"the bytes of .* were dropped by ana on 20..-..-..: flowreg collect") as refused:
        ASKED[name](_dropped(registry), tmp_path / "out")
    assert refused.value.code == "bytes-dropped"


def test_a_gate_that_looks_at_the_files_is_told_the_same(registry: Registry) -> None:
    """It cannot measure, says who dropped the bytes, and does not call anything damaged."""
    registry.set_policy(Policy(policy="p", models=["churn"], alias="champion", gates=[{"check": "scan", "formats": ["unknown"]}]))

    [result] = _dropped(registry).judge("churn@1", to="champion").results

    assert result.status == "error"
    assert re.search(r"the bytes of churn@1 were dropped by ana on 20..-..-..: flowreg collect", result.sentence)
    assert "registering the same files again brings the bytes back" in result.sentence


def test_the_same_files_registered_again_bring_the_bytes_back(registry: Registry, tmp_path: Path) -> None:
    """For the old number, too; they are barred still until they are restored."""
    again = _dropped(registry)
    third = again.register("churn", _folder(tmp_path, 1))

    assert (third.number, third.retired) == (3, "biased")
    assert again.get("churn@1").dropped is None
    assert again.restore("churn@1", because="it was not").retired is None
    assert (again.fetch("churn@1", tmp_path / "out") / "weights.bin").read_bytes() == b"weights 1"
    assert again.check(read_data=True).findings == ()


def test_what_may_be_wanted_still_is_kept(registry: Registry) -> None:
    """A version within the grace, and one on hold, with the reason; without being asked nothing is dropped at all."""
    assert not registry.collect(dry_run=False, grace=NOW).dropped
    young = registry.collect(dry_run=False, grace=timedelta(days=7), retired=True)
    registry.hold("churn", because="case 7")
    held = registry.collect(dry_run=False, grace=NOW, retired=True)

    assert [(one.fate, one.reason.partition(" on ")[0]) for one in young.versions] == [("kept", "it was retired")]
    assert [(one.fate, one.reason.endswith("case 7")) for one in held.versions] == [("kept", True)]
    assert registry.check(read_data=True).findings == ()


@pytest.mark.parametrize("unsound", ["not retired", "held", "other bytes", "restored after"])
def test_an_entry_against_the_rules_has_no_effect(unsound: str, registry: Registry) -> None:
    """Whoever skips the rules of writing achieves nothing: readers find the entry without effect."""
    manifest = {number: registry.get(f"churn@{number}").digest for number in (1, 2)}
    events = {
        "not retired": [BytesDropped(version=2, manifest=manifest[2])],
        "held": [BytesDropped(version=1, manifest=manifest[1])],
        "other bytes": [BytesDropped(version=1, manifest=manifest[2])],
        "restored after": [BytesDropped(version=1, manifest=manifest[1]), Restored(version=1)],
    }[unsound]
    if unsound == "held":
        registry.hold("churn@1", because="case 7")

    with pytest.raises(Refused, match="this would have no effect"):
        registry._journals.transact("churn", lambda *_: events, because="x")
    assert [v.dropped for v in registry.versions("churn")] == [None, None]


def test_a_model_that_was_born_before_births_were_recorded_is_fenced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy fences what only a listing shows, too."""
    registry = Registry(tmp_path / "old", actor="ana")
    with monkeypatch.context() as older:
        older.setattr(Journals, "_named", lambda self, model: self.created())
        registry.register("churn", _folder(tmp_path, 1))
    assert not registry._journals.registry.state().models
    registry.set_policy(Policy(policy="p", models=["ch*"], alias="champion", gates=["auc >= 0.5"], dataset="h"))

    last = list(registry._journals.of("churn").slots())[-1]
    assert isinstance(last, Entry)
    assert last.said.events == (Fenced(),)


@pytest.mark.parametrize("days", [0, 3])
def test_what_an_interrupted_upload_left_is_swept_when_it_is_old(days: int, registry: Registry) -> None:
    """A temporary file of three days goes, one that is being written stays whatever the grace; a stranger's hidden file stays."""
    folder = Path(registry.root, "blobs", "incoming")
    folder.mkdir(exist_ok=True)
    left, strange = folder / ".file.0123456789abcdef.tmp", folder / ".DS_Store"
    for file in (left, strange):
        file.write_bytes(b"half")
        os.utime(file, (time.time() - days * 86_400,) * 2)
    told = registry.collect(grace=NOW).leftovers
    done = registry.collect(dry_run=False, grace=NOW).leftovers

    assert told == done
    assert [(one.where, one.fate) for one in done] == [("blobs/incoming/" + left.name, "dropped" if days else "kept")]
    assert (left.exists(), strange.exists()) == (not days, True)
