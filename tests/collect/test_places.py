"""A collection on every filesystem that may be written: it removes what nothing needs, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from flowreg import Registry, collecting
from flowreg.core.layout import blob_path
from flowreg.storage import blobs
from tests.collect.test_interleavings import NOW
from tests.conftest import Root
from tests.contract.conftest import place  # noqa: F401  (a fixture)
from tests.servers.counting_proxy import CountingProxy, Fault
from tests.servers.s3 import S3Server


def test_only_what_nothing_needs_is_removed(place: Root, tmp_path: Path) -> None:  # noqa: F811
    """An orphan and the bytes of a retired version go, by the listings of a real server; the check reads all the rest."""
    registry = Registry(place[0], storage_options=place[1], actor="ana")
    for number in (1, 2):
        file = tmp_path / "model.bin"
        file.write_bytes(b"weights %d" % number)
        registry.register("churn", file)
    registry.retire("churn@1", because="old")
    orphan = blobs.put(registry._store, b"orphan")

    done = registry.collect(dry_run=False, grace=NOW, retired=True)

    assert {blob.digest for blob in done.dropped} == {orphan, registry.files("churn@1")["model.bin"]}
    assert registry.check(read_data=True).findings == ()
    assert (registry.fetch("churn@2", tmp_path / "out") / "model.bin").read_bytes() == b"weights 2"


@pytest.fixture
def uploading(seaweed: S3Server) -> tuple[Registry, str]:
    """A registry with one upload that was begun and never finished, and the path that it was to have."""
    return _uploading(seaweed)


def _uploading(server: S3Server) -> tuple[Registry, str]:
    root, path = f"{server.new_prefix()}/registry", f"blobs/sha256/00/{'0' * 64}"
    registry = Registry(root, storage_options=server.storage_options, actor="ana")
    registry.register("churn", {"w": 1}, trust="pickle")
    files = server.filesystem()
    bucket, key, _ = files.split_path(f"{root}/{path}")
    files.call_s3("create_multipart_upload", Bucket=bucket, Key=key)
    return registry, path


@pytest.mark.s3
@pytest.mark.parametrize("age", [timedelta(seconds=-2), timedelta(days=1)])
def test_an_unfinished_upload_is_given_up_when_it_is_old(
    age: timedelta, uploading: tuple[Registry, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the moment that the server lists; a young one stays, and is told of. How much is there, nobody says."""
    registry, path = uploading
    monkeypatch.setattr(collecting, "UNFINISHED_FOR", age)

    done = registry.collect(dry_run=False, grace=min(age, NOW))

    fate = "kept" if age > NOW else "dropped"
    assert [(one.where.partition("?")[0], one.fate, one.size_bytes) for one in done.leftovers] == [(path, fate, None)]
    assert len(registry.collect().leftovers) == (age > NOW)


FORBIDDEN = Fault(403, "AccessDenied")


@pytest.mark.s3
def test_what_the_server_does_not_remove_is_not_told_as_dropped(
    counted_s3: tuple[S3Server, CountingProxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that may write and not delete: blob and upload are stuck, with the server's word; with the right key the next one does it."""
    server, proxy = counted_s3
    registry, path = _uploading(server)
    orphan = blobs.put(registry._store, b"orphan")
    monkeypatch.setattr(collecting, "UNFINISHED_FOR", NOW - timedelta(seconds=2))
    proxy.spoil(lambda request: request.method == "DELETE", FORBIDDEN, times=1_000)

    done = registry.collect(dry_run=False, grace=NOW - timedelta(seconds=2))
    proxy.heal()
    again = registry.collect(dry_run=False, grace=NOW - timedelta(seconds=2))

    assert [one.where.partition("?")[0] for one in done.stuck] == [blob_path(orphan), path]
    assert all(one.reason.startswith("it could not be removed: s3:") and one.reason.endswith("planted") for one in done.stuck)
    assert done.dropped == ()
    assert ([one.digest for one in again.dropped], [one.fate for one in again.leftovers], again.stuck) == ([orphan], ["dropped"], ())


@pytest.mark.s3
def test_uploads_that_may_not_be_listed_are_told_of(counted_s3: tuple[S3Server, CountingProxy]) -> None:
    """The rest of the collection goes on, and says what it has not seen, and why."""
    server, proxy = counted_s3
    registry, _ = _uploading(server)
    orphan = blobs.put(registry._store, b"orphan")
    proxy.spoil(lambda request: "uploads" in request.query, FORBIDDEN, times=1_000)

    done = registry.collect(dry_run=False, grace=NOW - timedelta(seconds=2))

    assert [blob.digest for blob in done.dropped] == [orphan]
    assert done.leftovers == ()
    assert ["never finished cannot be listed" in unseen and unseen.endswith("planted") for unseen in done.unseen] == [True]
