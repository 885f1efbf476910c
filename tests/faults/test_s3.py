"""A real S3 server behind a network and a server that misbehave: each fault has its outcome, and the model is whole afterwards."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

import pytest

from flowreg import Registry
from flowreg.errors import Corrupt, Refused, Unavailable
from tests.servers.counting_proxy import CountingProxy, Fault, Request, counting_proxy
from tests.servers.s3 import S3Server

pytestmark = pytest.mark.s3
MANY = 1_000  # more often than anybody asks
QUICK = {"config_kwargs": {"connect_timeout": 2, "read_timeout": 1, "retries": {"total_max_attempts": 1}}}


class Case(NamedTuple):
    """A fault of the request that writes an entry; how often; and what the caller is told: None for done, or the outcome."""

    fault: Fault | None
    times: int
    outcome: str | None


CASES = {
    "reply lost": Case(None, 1, None),
    "busy for a while": Case(Fault(503, "SlowDown"), 3, None),
    "busy without end": Case(Fault(503, "SlowDown"), MANY, "unknown"),
    "too many requests": Case(Fault(429, "TooManyRequests"), 1, None),
    "internal error": Case(Fault(500, "InternalError"), 1, None),
    "conflict of conditions": Case(Fault(409, "ConditionalRequestConflict"), 1, None),
    "no permission": Case(Fault(403, "AccessDenied"), MANY, "nothing-written"),
    "not implemented": Case(Fault(501, "NotImplemented"), MANY, "nothing-written"),
    "connection reset": Case(Fault(reset=True), 2, None),
    "connection reset without end": Case(Fault(reset=True), MANY, "unknown"),
    "stall": Case(Fault(stalls=True), 1, None),
}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """s3fs asks again at once and the journal gives up after a second, so that what never ends, ends."""
    import s3fs.core

    async def at_once(_: float) -> None:
        return None

    monkeypatch.setattr(s3fs.core.asyncio, "sleep", at_once)
    monkeypatch.setattr("flowreg.storage.journal.DEADLINE_S", 1.0)


def writes_entry(request: Request) -> bool:
    return request.method == "PUT" and "/models/churn/journal/" in request.path


def opened(server: S3Server, root: str) -> Registry:
    return Registry(root, storage_options={**server.storage_options, **QUICK})


@pytest.mark.parametrize("name", CASES)
def test_an_entry_lands_once_or_the_caller_is_told(
    name: str, counted_s3: tuple[S3Server, CountingProxy], quick: None, tmp_path: Path
) -> None:
    """Whatever happens to the request: done exactly once, or an error that says whether anything was written; then it works again."""
    server, proxy = counted_s3
    root = server.new_prefix()
    model = tmp_path / "m"
    model.write_bytes(b"weights")
    opened(server, root).register("churn", model, key="one")
    registry = opened(server, root)
    registry.get("churn@1")
    case = CASES[name]
    if case.fault is None:
        proxy.lose_reply(writes_entry)
    else:
        proxy.spoil(writes_entry, case.fault, times=case.times)

    with pytest.raises(Unavailable) if case.outcome else contextlib.nullcontext() as failed:
        registry.evaluate("churn@1", {"auc": 0.9}, on="holdout", key="e")
    assert case.outcome == (failed.value.facts["outcome"] if failed else None)

    proxy.heal()
    again = opened(server, root)
    if failed:
        again.evaluate("churn@1", {"auc": 0.9}, on="holdout", key="e")
    assert len(again.get("churn@1").evaluations) == 1
    assert [finding for finding in again.check().findings if finding.severity == "fault"] == []
    registry.flush()


def test_a_server_that_ignores_the_condition_gets_no_registry(moto: S3Server, tmp_path: Path) -> None:
    """It answers 200 and overwrites: that is found out before the first entry, and said. (moto, since the proxy breaks the signature.)"""
    model = tmp_path / "m"
    model.write_bytes(b"weights")
    with counting_proxy(moto.endpoint_url) as proxy:
        server = moto.behind(proxy.endpoint_url)
        proxy.spoil(lambda request: request.method == "PUT", Fault(ignores_condition=True), times=MANY)

        with pytest.raises(Refused, match="can be read, but not written"):
            opened(server, server.new_prefix()).register("churn", model)

        assert not [r for r in proxy.requests if r.method == "PUT" and "/journal/" in r.path]


@pytest.fixture(autouse=True)
def nothing_is_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the local cache does about it stands in ``tests/fetched``."""
    monkeypatch.setenv("FLOWREG_CACHE", "off")


BLOBS = {"whole": 100_000, "in ranges": 40 << 20}


def reads_blob(request: Request) -> bool:
    return request.method == "GET" and "/blobs/sha256/" in request.path


@pytest.fixture(params=BLOBS)
def stored(
    request: pytest.FixtureRequest, counted_s3: tuple[S3Server, CountingProxy], tmp_path: Path
) -> tuple[Registry, CountingProxy, str]:
    server, proxy = counted_s3
    root = server.new_prefix()
    model = tmp_path / "model.bin"
    model.write_bytes(b"w" * BLOBS[request.param])
    registry = opened(server, root)
    version = registry.register("churn", model)
    registry.flush()
    digest = registry.files(version)["model.bin"].removeprefix("sha256:")
    return opened(server, root), proxy, digest


def test_a_flipped_byte_never_arrives(stored: tuple[Registry, CountingProxy, str], tmp_path: Path) -> None:
    """What is changed on the way each time is refused, and nothing is left where it should have gone."""
    registry, proxy, digest = stored
    proxy.spoil(lambda request: reads_blob(request) and digest in request.path, Fault(flipped=True), times=MANY)

    with pytest.raises((Corrupt, Unavailable), match=r"sha256 of|Checksum"):  # botocore finds it out where the server sent a checksum
        registry.fetch("churn@1", tmp_path / "out")

    proxy.heal()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.bin"]
    assert (registry.fetch("churn@1", tmp_path / "out") / "model.bin").read_bytes() == (tmp_path / "model.bin").read_bytes()


@pytest.mark.parametrize("fault", [Fault(short=True), Fault(reset=True), Fault(503, "SlowDown")], ids=["short", "reset", "busy"])
def test_a_download_that_breaks_off_goes_on(fault: Fault, stored: tuple[Registry, CountingProxy, str], tmp_path: Path) -> None:
    """The whole artifact arrives, or an error says that it did not; never a part of it."""
    registry, proxy, digest = stored
    proxy.spoil(lambda request: reads_blob(request) and digest in request.path, fault)

    assert (registry.fetch("churn@1", tmp_path / "out") / "model.bin").read_bytes() == (tmp_path / "model.bin").read_bytes()


@pytest.mark.parametrize("times", [1, 2])
def test_nobody_builds_on_an_entry_that_arrived_with_a_flipped_byte(
    times: int, counted_s3: tuple[S3Server, CountingProxy], tmp_path: Path
) -> None:
    """The next entry names the digest of the one before for ever, so over plain HTTP that one is read once more before."""
    server, proxy = counted_s3
    root = f"{server.new_prefix()}/registry"
    (tmp_path / "model.bin").write_bytes(b"weights")
    ana, ben = opened(server, root), opened(server, root)
    ana.register("churn", tmp_path / "model.bin")
    ben.versions("churn")
    ana.label("churn@1", {"by": "ana"})
    ana.flush()
    proxy.spoil(lambda request: request.method == "GET" and "/models/churn/journal/" in request.path, Fault(flipped=True), times=times)

    with contextlib.suppress(Unavailable):  # botocore finds it out where the server sent a checksum
        ben.label("churn@1", {"after": "ana"})
    proxy.heal()
    ben.label("churn@1", {"after": "ana"})
    ben.flush()
    assert not ben._store.guards_bytes

    assert opened(server, root).get("churn@1").labels == {"by": "ana", "after": "ana"}
    assert not opened(server, root).check().faults
