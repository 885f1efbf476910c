"""A disk that fails: full, read-only to us, unable to confirm; and what lies where an entry should."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from flowreg import Registry
from flowreg.errors import FlowregError, Unavailable
from flowreg.storage import local


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


# ---- a disk that is really full, a process that really has no descriptor left ----

REPOSITORY = Path(__file__).parents[2]
FULL = """
import sys
from pathlib import Path
from flowreg import FlowregError, Registry

root, models = Path(sys.argv[1], "registry"), Path(sys.argv[2])
registry = Registry(root)
said, kept, reserve = [], [], Path(sys.argv[1], "reserve")
reserve.write_bytes(bytes(200_000))  # what there will be room for at the end, however full the rest becomes
for number in range(64):
    (models / str(number)).write_bytes(bytes([number]) * 100_000)
    try:
        kept.append(registry.register("churn", models / str(number), key=str(number)).key)
    except (FlowregError, OSError) as error:
        said.append(error)
        if len(said) == 3:
            break
ballast = Path(sys.argv[1], "ballast")
with ballast.open("wb", buffering=0) as file:  # now not even an entry fits
    try:
        while file.write(b"x" * 4096):
            pass
    except OSError as error:
        assert error.errno == 28, error
try:
    registry.label("churn@1", {"a": "b"})
except (FlowregError, OSError) as error:
    said.append(error)

assert len(said) == 4, said
assert all("No space left" in str(error) for error in said), said
assert not list(root.rglob(".*.tmp"))
again = Registry(root)
assert [v.key for v in again.versions("churn")] == kept and kept
assert again.check(read_data=True).faults == ()
ballast.unlink()
reserve.unlink()
assert again.label("churn@1", {"a": "b"}).labels == {"a": "b"}
again.retire("churn@1", because="there is room again")
again.flush()
assert again.check(read_data=True).faults == ()
"""
MOUNTED = 'mount -t tmpfs -o size=2m tmpfs "$1" && exec "$2" -c "$3" "$1" "$4"'


def test_a_full_disk_loses_nothing_and_works_again_with_room(tmp_path):
    """A filesystem of 2 MiB, in a namespace of its own, is filled by registering; what was acknowledged is whole."""
    unshare = shutil.which("unshare")
    as_root = [] if os.geteuid() == 0 else ["-Ur"]
    if not unshare or subprocess.run([unshare, *as_root, "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")
    (tmp_path / "disk").mkdir()
    (tmp_path / "models").mkdir()
    shell = [unshare, *as_root, "-m", "sh", "-c", MOUNTED, "sh", str(tmp_path / "disk"), sys.executable, FULL, str(tmp_path / "models")]

    done = subprocess.run(shell, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr


NO_DESCRIPTORS = """
import os, resource, sys
from pathlib import Path
from flowreg import FlowregError, Registry

registry = Registry(sys.argv[1])
registry.register("churn", sys.argv[2], key="one")
registry.flush()
requests = (
    lambda: registry.register("churn", sys.argv[2], key="two"),
    lambda: registry.label("churn@1", {"a": "b"}),
    lambda: registry.fetch("churn@1", sys.argv[3]),
)
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
for ask in requests:
    low = os.dup(0)
    os.close(low)
    for free in range(12):  # with so many left; enough in the end
        resource.setrlimit(resource.RLIMIT_NOFILE, (low + free, hard))
        try:
            ask()
            told = None
        except (FlowregError, OSError) as error:
            told = error
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if told is None:
            break
        assert "open files" in str(told), told
        assert free < 11
    assert free > 0  # the first attempts had none
again = Registry(sys.argv[1])
assert [(v.key, v.labels) for v in again.versions("churn")] == [("one", {"a": "b"}), ("two", {})]
assert Path(sys.argv[3]).is_dir()
assert again.check(read_data=True).faults == ()
"""


def test_without_descriptors_it_says_so_and_goes_on_when_there_are_some(model, tmp_path):
    """With none left, one, two … until the request completes: never a wrong answer, and no twin."""
    pytest.importorskip("resource")
    command = [sys.executable, "-c", NO_DESCRIPTORS, str(tmp_path / "r"), str(model), str(tmp_path / "out")]

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr


def test_a_disk_that_cannot_be_read_is_no_empty_registry(model, tmp_path, monkeypatch):
    """EIO on any read is said as it is: not as a missing entry, and never answered with less than there is."""
    first = Registry(tmp_path / "r")
    first.register("churn", model, key="one")
    first.flush()
    real, reads, said = local.read_all, itertools.count(1), []

    def read_all(fd: int) -> bytes:
        if next(reads) == len(said) + 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(fd)

    with monkeypatch.context() as patch:
        patch.setattr(local, "read_all", read_all)
        found = None
        while found is None:
            reads = itertools.count(1)
            try:
                found = [version.key for version in Registry(tmp_path / "r").versions("churn")]
            except (FlowregError, OSError) as error:
                said.append(str(error))

    assert found == ["one"]
    assert [text for text in said if "Input/output error" not in text] == []
    assert len(said) >= 2  # an entry of the model and one of the registry at least
    assert Registry(tmp_path / "r").register("churn", model, key="one").number == 1
