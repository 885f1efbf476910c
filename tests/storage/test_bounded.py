"""Nothing that stands in a root is taken into memory beyond the limit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowreg import Registry
from flowreg.core.layout import entry_path
from flowreg.storage.bounded import READ_LIMIT
from flowreg.storage.store import open_store
from tests.servers.s3 import S3Server

MIB = 1 << 20
HUGE = 5 << 30
UNDER_LIMIT = """
import resource, sys
from flowreg import Registry
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
print([v.number for v in Registry(sys.argv[1]).versions("churn")])
"""


def test_a_journal_with_a_huge_file_in_it_is_read_in_little_memory(tmp_path: Path) -> None:
    """Five gigabytes where the next entry belongs are a void slot to a process that could not hold them."""
    registry = Registry(tmp_path / "root")
    (tmp_path / "model").write_bytes(b"model")
    registry.register("churn", tmp_path / "model")
    registry.flush()
    with (tmp_path / "root" / entry_path("churn", 2)).open("wb") as file:
        file.truncate(HUGE)  # a hole: it takes no room on the disk

    arguments = [str(tmp_path / "root"), str(HUGE // 2)]
    ended = subprocess.run([sys.executable, "-c", UNDER_LIMIT, *arguments], check=True, capture_output=True, text=True)

    assert ended.stdout.strip() == "[1]"
    registry = Registry(tmp_path / "root")
    assert registry.register("churn", tmp_path / "model").number == 2  # behind it


def test_what_just_fits_is_read_and_a_byte_more_is_not(tmp_path: Path) -> None:
    """The limit is of the file's size; above it there are no bytes, and yet the name is taken."""
    store = open_store(tmp_path)
    for name, size in (("fits", READ_LIMIT), ("not", READ_LIMIT + 1)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)

    assert [len(raw) for raw in store.read_many(["fits", "not"]) if raw is not None] == [READ_LIMIT, 0]


def test_the_same_in_memory() -> None:
    """A filesystem that knows no more than fsspec's own calls is asked for no more than the limit."""
    store = open_store(f"memory://{os.urandom(6).hex()}")
    for name, size in (("fits", READ_LIMIT), ("not", READ_LIMIT + 1), ("empty", 0)):
        store.create(name, bytes(size))

    assert [len(raw) for raw in store.read_many(["fits", "not", "empty"]) if raw is not None] == [READ_LIMIT, 0, 0]


@pytest.mark.s3
def test_on_s3_the_bytes_of_what_is_too_large_are_not_taken_in(seaweed: S3Server) -> None:
    """The size comes with the answer."""
    root = seaweed.new_prefix()
    files, store = seaweed.filesystem(), open_store(root, seaweed.storage_options)
    for name, size in (("fits", MIB), ("not", READ_LIMIT + MIB), ("empty", 0)):
        files.pipe_file(f"{root}/{name}", bytes(size))

    assert [len(raw) for raw in store.read_many(["fits", "not", "empty"]) if raw is not None] == [MIB, 0, 0]
