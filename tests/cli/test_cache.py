"""``flowreg cache``: where it is, what it holds, and making it smaller."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from flowreg.core.manifest import File
from flowreg.storage.fetched import cache_here
from tests.cli.conftest import Cli


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with three files of 1000 bytes, last used in 1970, 1971 and now."""
    monkeypatch.setenv("FLOWREG_CACHE", str(tmp_path / "cache"))
    cache = cache_here()
    assert cache is not None
    for number, used_at in enumerate((10, 31_536_000, None)):
        source = tmp_path / "source"
        source.write_bytes(b"%d" % number * 1000)
        file = File("model.bin", 1000, "sha256:" + hashlib.sha256(source.read_bytes()).hexdigest())
        cache.with_room_for([file]).take_in(file, source)
        if used_at:
            os.utime(cache.folder / file.digest[7:], (used_at, used_at))
    return cache.folder


def test_it_is_shown(cli: Cli, folder: Path) -> None:
    """Where, how much of how much, how many, and how long the oldest was not used."""
    answer = cli("cache")

    assert answer.code == 0
    assert str(folder) in answer.out
    assert "2.9 KiB of at most 10.0 GiB, in 3 files" in answer.out
    assert "years ago" in answer.out
    assert cli("cache", "--json").json == {
        "folder": str(folder), "size_bytes": 3000, "limit_bytes": 10 << 30, "files": 3, "unfinished": 0,
        "oldest_use": "1970-01-01T00:00:10+00:00", "removed": 0, "removed_bytes": 0,
    }  # fmt: skip


def test_it_is_trimmed_to_a_size(cli: Cli, folder: Path) -> None:
    """The least recently used go first."""
    answer = cli("cache", "--trim", "2kB")

    assert "✓ 1 file removed, 1000 B" in answer.out
    assert cli("cache", "--json").json["oldest_use"] == "1971-01-01T00:00:00+00:00"


def test_it_is_trimmed_to_its_bound(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a size."""
    assert cli("cache", "--trim", "--json").json["removed"] == 0

    monkeypatch.setenv("FLOWREG_CACHE_SIZE", "1000")
    assert cli("cache", "--trim", "--json").json["removed"] == 2


def test_it_is_cleared(cli: Cli, folder: Path) -> None:
    """Nothing of it is left."""
    assert cli("cache", "--clear", "--json").json["size_bytes"] == 0
    assert [path.name for path in folder.iterdir()] == ["CACHEDIR.TAG"]


@pytest.mark.parametrize("words", [("--trim", "much"), ("--trim", "1", "2"), ("--trim", "1", "--clear")])
def test_what_is_not_meant_removes_nothing(cli: Cli, folder: Path, words: tuple[str, ...]) -> None:
    """A size that is none, two sizes, two wishes."""
    assert cli("cache", *words).code == 2
    assert cli("cache", "--json").json["files"] == 3


def test_that_it_is_off_is_said(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """And how it is set."""
    monkeypatch.setenv("FLOWREG_CACHE", "off")

    assert "the cache is off" in cli("cache").out
    assert cli("cache", "--json").json == {"folder": None}
