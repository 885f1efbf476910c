"""A disk that fails: full, read-only to us, unable to confirm; and what lies where an entry should."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from flowreg import Registry
from flowreg.errors import FlowregError, Unavailable


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(b"weights" * 1_000)
    return path


def folder_only(fd: int) -> bool:
    return stat.S_ISDIR(os.fstat(fd).st_mode)


@pytest.mark.parametrize("fails", [folder_only, lambda fd: not folder_only(fd)], ids=["folder", "file"])
def test_what_the_disk_does_not_confirm_is_not_acknowledged(fails, model, tmp_path, monkeypatch):
    """An fsync that fails is an error, though the bytes can be read back; the same request completes on a sound disk."""
    registry = Registry(tmp_path / "r")
    registry.register("churn", model, key="one")
    real = os.fsync

    def fsync(fd: int) -> None:
        if fails(fd):
            raise OSError(errno.EIO, "Input/output error")
        real(fd)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        patch.setattr("flowreg.storage.journal.DEADLINE_S", 0.2)
        with pytest.raises((FlowregError, OSError)) as failed:
            Registry(tmp_path / "r").evaluate("churn@1", {"auc": 0.9}, on="holdout", key="e")

    assert isinstance(failed.value, Unavailable)
    assert failed.value.facts.get("outcome") == "unknown"
    again = Registry(tmp_path / "r")
    again.evaluate("churn@1", {"auc": 0.9}, on="holdout", key="e")
    assert len(again.get("churn@1").evaluations) == 1


def test_an_fsync_is_never_tried_twice_on_one_file(model, tmp_path, monkeypatch):
    """After a failed fsync the kernel may have dropped the pages: only a new file tells the truth."""
    registry = Registry(tmp_path / "r")
    registry.register("churn", model)
    seen: list[int] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        if not folder_only(fd):
            seen.append(os.fstat(fd).st_ino)
            if len(seen) == 1:
                kept.append(os.dup(fd))  # so that the number of its inode is not given again
                raise OSError(errno.EIO, "Input/output error")
        real(fd)

    kept: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        registry.label("churn@1", {"a": "b"})
    os.close(kept[0])

    assert len(seen) == len(set(seen)) > 1
    assert Registry(tmp_path / "r").get("churn@1").labels == {"a": "b"}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EMFILE])
def test_a_disk_that_will_not_take_it_says_so_at_once_and_keeps_what_is_there(number, model, tmp_path, monkeypatch):
    """Nothing half-written shows; once there is room, the same request completes."""
    registry = Registry(tmp_path / "r")
    registry.register("churn", model)
    real = os.write

    def write(fd: int, data: bytes) -> int:
        if b'"labelled"' in bytes(data):
            raise OSError(number, os.strerror(number))
        return real(fd, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(Unavailable, match=r"did not take an entry") as failed:
            registry.label("churn@1", {"a": "b"})

    assert failed.value.facts["outcome"] == "nothing-written"
    assert not list((tmp_path / "r").rglob(".*.tmp"))
    assert Registry(tmp_path / "r").get("churn@1").labels == {}
    assert registry.label("churn@1", {"a": "b"}).labels == {"a": "b"}


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_file_in_the_place_of_an_entry_is_never_followed(kind, model, tmp_path):
    """A link, a pipe or a folder in the next slot is void: nothing hangs, and the model is written past it."""
    registry = Registry(tmp_path / "r")
    registry.register("churn", model)
    registry.flush()
    slot = tmp_path / "r" / "models" / "churn" / "journal" / f"{2:020d}.json"
    target = tmp_path / "elsewhere"
    target.write_bytes((slot.parent / f"{1:020d}.json").read_bytes())
    {"link": lambda: slot.symlink_to(target), "pipe": lambda: os.mkfifo(slot), "folder": slot.mkdir}[kind]()

    again = Registry(tmp_path / "r")
    again.label("churn@1", {"a": "b"})

    assert again.get("churn@1").labels == {"a": "b"}
    assert [line.void is not None for line in again.history("churn")].count(True) == 1


def test_a_damaged_model_hides_no_other(model, tmp_path):
    """The list of models says of the damaged one that it is, and shows the others."""
    registry = Registry(tmp_path / "r")
    for name in ("churn", "flights"):
        registry.register(name, model)
        registry.label(f"{name}@1", {"a": "b"})
    registry.flush()
    (tmp_path / "r" / "heads" / "churn.json").unlink()
    first = tmp_path / "r" / "models" / "churn" / "journal" / f"{1:020d}.json"
    first.write_bytes(first.read_bytes().replace(b'"size_bytes":7000', b'"size_bytes":7001'))

    churn, flights = Registry(tmp_path / "r").models()

    assert "contradicts itself" in (churn.broken or "")
    assert (flights.broken, flights.newest) == (None, 1)
