"""Checking a registry: what it looks at, that it never raises, and that a registry in use is not found at fault."""

from __future__ import annotations

import os
import random
import shutil
import threading
from pathlib import Path

import pytest

from flowreg import NotFound, Registry
from flowreg.check import check
from flowreg.core.layout import blob_path, entry_path, head_path
from flowreg.storage.store import open_store
from tests.broken import zoo
from tests.conftest import Root

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"


@pytest.fixture
def root_of_zoo(tmp_path: Path) -> Path:
    zoo.write(tmp_path / "registry")
    return tmp_path / "registry"


def codes(root: Path) -> list[str]:
    return [finding.code for finding in Registry(root).check(read_data=True).findings]


def test_the_golden_registry_has_no_fault(tmp_path: Path) -> None:
    """Its torn entry is a note, since a later entry was knowingly written after it."""
    shutil.copytree(GOLDEN, tmp_path / "v1")

    report = Registry(tmp_path / "v1").check(read_data=True)

    assert report.ok
    assert [(f.code, f.where) for f in report.findings] == [("torn-entry", entry_path("flights", 13))]


def test_a_clean_registry_is_clean_everywhere(any_root: Root) -> None:
    """Local, in memory, on S3; also with every byte read, and for one model."""
    registry = Registry(any_root.url, storage_options=any_root.storage_options)
    registry.register("risk/Überfall", {"w": 1}, trust="pickle", metrics={"auc": float("nan")}, on="july")
    registry.register("churn", {"w": 2}, trust="pickle", card="a card")

    assert registry.check(read_data=True).findings == ()
    one = registry.check("churn")
    assert (one.findings, one.checked.models, one.checked.entries) == ((), 1, 1)


def test_an_empty_root_is_clean(tmp_path: Path) -> None:
    """And stays empty."""
    assert Registry(tmp_path / "none").check().ok
    assert not (tmp_path / "none").exists()


def test_a_model_that_is_not_there_is_not_found(root_of_zoo: Path) -> None:
    """As everywhere else."""
    with pytest.raises(NotFound, match="there is no model 'nobody'"):
        Registry(root_of_zoo).check("nobody")


def test_one_model_can_be_checked_alone(root_of_zoo: Path) -> None:
    """The damage of another is not its business."""
    zoo.flip(entry_path("churn", 4), b'"actor":"')(root_of_zoo)

    assert Registry(root_of_zoo).check("risk/fraud").ok
    assert not Registry(root_of_zoo).check("churn").ok


def test_several_damages_are_all_named(root_of_zoo: Path) -> None:
    """Each with its own finding, in one run."""
    zoo.flip(entry_path("churn", 4), b'"actor":"')(root_of_zoo)
    zoo.flip(entry_path("churn", 9), b'"actor":"')(root_of_zoo)
    zoo.flip(head_path("risk/fraud"))(root_of_zoo)

    assert sorted(codes(root_of_zoo)) == ["changed-entry", "changed-entry", "unreadable-head"]


def test_a_forged_entry_that_was_passed_by_is_history(root_of_zoo: Path) -> None:
    """A fault while it is the newest; a note when somebody has knowingly written after it."""
    zoo.append(zoo.PROTECTED)(root_of_zoo)
    before = Registry(root_of_zoo).check()
    Registry(root_of_zoo).label("churn@1", {"a": "b"})
    after = Registry(root_of_zoo).check()

    assert [f.code for f in before.faults] == ["refused-entry"]
    assert [f.code for f in after.findings if f.severity == "note" and f.code == "refused-entry"] == ["refused-entry"]
    assert after.ok


def test_lost_blobs_are_named_beyond_a_broken_entry(root_of_zoo: Path) -> None:
    """A changed entry does not hide that bytes are gone."""
    lost = zoo.blob_of("file")(root_of_zoo)
    (root_of_zoo / lost).unlink()
    zoo.flip(entry_path("churn", 4), b'"actor":"')(root_of_zoo)

    assert sorted(codes(root_of_zoo)) == ["changed-entry", "missing-blob"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("where", [entry_path("churn", 13), blob_path(zoo.NOWHERE), head_path("ghost")])
def test_a_pipe_is_not_waited_for(where: str, root_of_zoo: Path) -> None:
    """Whatever place it has, the check ends."""
    (root_of_zoo / where).parent.mkdir(exist_ok=True)
    os.mkfifo(root_of_zoo / where)

    assert codes(root_of_zoo)


def test_a_blob_that_is_a_link_is_not_followed(root_of_zoo: Path, tmp_path: Path) -> None:
    """Though the right bytes are at its end."""
    path = root_of_zoo / zoo.blob_of("file")(root_of_zoo)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    assert codes(root_of_zoo) == ["unreadable"]


@pytest.mark.parametrize("seed", range(30))
def test_hostile_bytes_never_raise(seed: int, root_of_zoo: Path) -> None:
    """A dozen files cut, flipped, emptied, swapped, or replaced by JSON of all shapes: a report comes all the same."""
    chance = random.Random(seed)
    files = sorted(path for path in root_of_zoo.rglob("*") if path.is_file())
    shapes = [
        b"",
        b"\0" * 99,
        b"[]\n",
        b"{}\n",
        b"null",
        b'{"head":[],"digest":1}',
        b"[" * 5000,
        b'{"format":1e400}\n',
        b'{"state":{"seq":"6"}}',
    ]
    for path in chance.sample(files, 12):
        raw = bytearray(path.read_bytes()) or bytearray(b"x")
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        other = chance.choice(files).read_bytes()
        path.write_bytes(chance.choice([bytes(raw), bytes(raw[: len(raw) // 2]), other, *shapes]))

    report = Registry(root_of_zoo).check(read_data=True)

    assert not report.ok


def test_a_registry_in_use_is_not_found_at_fault(tmp_path: Path) -> None:
    """Checked again and again while others register: heads, journals and blobs are never seen at odds."""
    Registry(tmp_path).register("churn", {"w": 0}, trust="pickle")

    def write(name: str) -> None:
        registry = Registry(tmp_path)
        for number in range(25):
            registry.register(name, {name: number}, trust="pickle")

    writers = [threading.Thread(target=write, args=(name,)) for name in ("churn", "fraud")]
    for writer in writers:
        writer.start()
    reports = [check(open_store(tmp_path), read_data=True)]
    while any(writer.is_alive() for writer in writers):
        reports.append(check(open_store(tmp_path), read_data=True))

    assert [report.faults for report in reports if not report.ok] == []
    assert Registry(tmp_path).check().checked.entries == 51
