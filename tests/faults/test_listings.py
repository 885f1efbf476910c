"""Listings that lag: what is listed may be old or missing, so nothing that is said or removed may depend on it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flowreg import Registry
from flowreg.storage.store import open_store

from .lagging import Lag, LaggingStore

LAGS = (1, 7, 10_000)  # changes that no listing shows yet; the last hides everything
Open = Callable[[], Registry]


@pytest.fixture(params=LAGS)
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens one registry for another client each time."""
    lag, root = Lag(request.param), f"memory://flowreg-{uuid.uuid4().hex}"
    monkeypatch.setattr("flowreg.registry.open_store", lambda *given: LaggingStore(open_store(root), lag))
    return lambda: Registry(root)


def lived(ana: Registry, ben: Registry, folder: Path) -> None:
    """Two clients take turns, so that each has caches from before the other's last change."""
    for n in range(3):
        for who, name in ((ana, "ana"), (ben, "ben")):
            model = folder / f"{name}-{n}.bin"
            model.write_bytes(f"{name} {n}".encode() * 1_000)
            version = who.register("churn", model, key=f"{name}-{n}", metrics={"auc": 0.9}, on="july", card=f"# {name}")
            who.promote(version, to="champion")
            who.register(f"{name}/{n}", model)
            who.flush()


def test_two_clients_with_warm_caches_see_each_other(client: Open, tmp_path: Path) -> None:
    """Every model and every version, at once, whatever the listings show."""
    ana, ben = client(), client()
    lived(ana, ben, tmp_path)
    models = sorted(["churn", *(f"{who}/{n}" for who in ("ana", "ben") for n in range(3))])

    for registry in (ana, ben, client()):
        assert [line.model for line in registry.models()] == models
        assert [version.key for version in registry.versions("churn")] == [f"{who}-{n}" for n in range(3) for who in ("ana", "ben")]
        assert registry.get("churn@champion").number == 6


def test_check_finds_no_fault_that_is_none(client: Open, tmp_path: Path) -> None:
    """What a listing does not show is asked for before it is missed, and what it still shows is not counted as there."""
    ana, ben = client(), client()
    lived(ana, ben, tmp_path)

    for registry in (ana, client()):
        report = registry.check(read_data=True)
        assert [str(finding) for finding in report.findings] == []
        assert report.checked.models == 7


def test_collect_removes_nothing_that_is_needed(client: Open, tmp_path: Path) -> None:
    """Neither says so in a dry run, nor does it; what nobody needs may stay for the next time."""
    ana, ben = client(), client()
    lived(ana, ben, tmp_path)
    ana._store.put_bytes("blobs/sha256/ab/" + "ab" * 32, b"nobody's")
    dry = ben.collect(dry_run=True, grace=timedelta(0))
    done = ben.collect(dry_run=False, grace=timedelta(0))
    ana.register("churn", tmp_path / "ana-0.bin", key="again")
    ben.collect(dry_run=False, grace=timedelta(0))

    assert {blob.digest for blob in (*dry.dropped, *done.dropped)} <= {"sha256:" + "ab" * 32}
    for registry in (ana, ben, client()):
        for version in registry.versions("churn"):
            registry.fetch(version, tmp_path / uuid.uuid4().hex)
        assert registry.check(read_data=True).faults == ()
