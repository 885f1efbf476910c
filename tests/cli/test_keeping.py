"""``collect``, ``hold`` and ``release`` as they are typed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from flowreg.core.layout import blob_path
from flowreg.registry import Registry
from flowreg.storage import blobs

from .conftest import Cli


def test_every_blob_has_a_reason_in_json(cli: Cli, churn: Registry) -> None:
    """Kept or dropped, each says why; a dry run is the default."""
    said = cli("collect", "--grace", "0s", "--json").json

    assert said["dry_run"] is True
    assert said["blobs"]
    assert all(blob["reason"] and blob["fate"] in ("kept", "dropped") for blob in said["blobs"])


def test_retired_versions_are_told_one_by_one(cli: Cli, churn: Registry) -> None:
    """What would be dropped, and with --now is."""
    churn.retire("churn@2", because="biased")
    told = cli("collect", "--grace", "0s", "--retired")
    done = cli("collect", "--grace", "0s", "--retired", "--now", "--json").json

    assert "churn@2" in told.out
    assert "flowreg collect --now --grace 0s --retired" in told.out, "what is proposed does what was told"
    assert [one["ref"] for one in done["versions"] if one["fate"] == "dropped"] == ["churn@2"]
    assert "bytes dropped" in cli("show", "churn@2").out


def test_what_the_disk_does_not_remove_is_stuck(cli: Cli, churn: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not told as dropped, by blob and by leftover, and the command ends with 7; the next one removes it."""
    left = Path(churn.root, "blobs/incoming/.file.0123456789abcdef.tmp")
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    orphan = blobs.put(churn._store, b"orphan")
    with monkeypatch.context() as forbidden:
        forbidden.setattr(os, "unlink", _not_permitted)
        said = cli("collect", "--grace", "0s", "--now")
        told = cli("collect", "--grace", "0s", "--now", "--json").json
    done = cli("collect", "--grace", "0s", "--now", "--json")

    assert said.code == 7
    assert "0 blobs removed" in said.out
    assert "2 could not be removed" in said.out
    assert [one["where"] for one in (*told["blobs"], *told["leftovers"]) if one["fate"] == "stuck"] == [
        blob_path(orphan), "blobs/incoming/" + left.name,
    ]  # fmt: skip
    assert (done.code, done.json["counts"].get("dropped: no entry refers to it"), left.exists()) == (0, 1, False)


def _not_permitted(path: str, **_: object) -> None:
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), path)


def test_a_grace_that_is_none_is_refused(cli: Cli, churn: Registry) -> None:
    """With the form that is allowed."""
    assert cli("collect", "--grace", "soon").code == 2


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_holding_answers_in_json(dry: tuple[str, ...], cli: Cli, churn: Registry) -> None:
    """What was done, or would be."""
    said = cli("hold", "churn@2", "--because", "case 7", "--json", *dry).json

    assert said == {"ref": "churn@2", "done": "would be on hold" if dry else "on hold", "dry_run": bool(dry)}
    assert (Registry(churn.root).get("churn@2").held is None) == bool(dry)
