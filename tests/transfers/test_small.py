"""Many small files to S3: each sent once, none asked for, and what is there already not sent again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowreg import Registry
from flowreg.errors import BadInput
from tests.servers.counting_proxy import CountingProxy
from tests.servers.s3 import S3Server

pytestmark = pytest.mark.s3
FILES = 100
FILE_BYTES = 20 << 10


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of small files that nobody has registered before."""
    made = tmp_path / "model"
    made.mkdir()
    for number in range(FILES):
        (made / f"{number:03d}.bin").write_bytes(os.urandom(FILE_BYTES))
    return made


def begun(server: S3Server, folder: Path) -> Registry:
    """A registry that has a model: it begins with a trial of the server."""
    registry = Registry(server.new_prefix(), storage_options=server.storage_options)
    (folder.parent / "other.bin").write_bytes(os.urandom(10))
    registry.register("other", folder.parent / "other.bin")
    return registry


def test_each_file_is_one_request(counted_s3: tuple[S3Server, CountingProxy], folder: Path) -> None:
    """A hundred files and their manifest are a hundred and one writes, and no question."""
    server, proxy = counted_s3
    registry = begun(server, folder)
    with proxy.counting() as seen:
        registry.register("churn", folder)

    assert sorted(f"{r.method} {r.status}" for r in seen if "/blobs/" in r.path) == ["PUT 200"] * (FILES + 1)
    assert registry.check(read_data=True).faults == ()


def test_files_that_are_there_are_not_sent_again(counted_s3: tuple[S3Server, CountingProxy], folder: Path) -> None:
    """Where one file of the folder is new, little more than it is sent: as many files as are on their way at one moment."""
    server, proxy = counted_s3
    registry = Registry(server.new_prefix(), storage_options=server.storage_options)
    registry.register("churn", folder)
    (folder / "050.bin").write_bytes(b"changed")
    with proxy.counting() as seen:
        registry.register("churn", folder)

    assert sum(r.bytes_up for r in seen if r.method == "PUT" and "/blobs/" in r.path) < 0.75 * FILES * FILE_BYTES
    assert registry.check(read_data=True).faults == ()
    assert len(registry.versions("churn")) == 2


def test_equal_files_are_one_blob(counted_s3: tuple[S3Server, CountingProxy], folder: Path, tmp_path: Path) -> None:
    """Files with the same bytes under several names do not send the others a slower way, and all of them come back."""
    server, proxy = counted_s3
    for number in range(10):
        (folder / f"empty-{number}.txt").write_bytes(b"")
    registry = begun(server, folder)
    with proxy.counting() as seen:
        registry.register("churn", folder)
    fetched = registry.fetch("churn@1", tmp_path / "out")

    assert [f"{r.method} {r.status}" for r in seen if "/blobs/" in r.path].count("PUT 200") == FILES + 2
    assert {p.name: p.read_bytes() for p in fetched.iterdir()} == {p.name: p.read_bytes() for p in folder.iterdir()}


def test_one_file_that_cannot_be_read_refuses_the_folder(counted_s3: tuple[S3Server, CountingProxy], folder: Path) -> None:
    """The reason is named, and there is no version."""
    server, _ = counted_s3
    registry = Registry(server.new_prefix(), storage_options=server.storage_options)
    (folder / "050.bin").unlink()
    (folder / "050.bin").symlink_to(folder / "051.bin")
    with pytest.raises(BadInput, match="is a link"):
        registry.register("churn", folder)

    assert registry.models() == ()
