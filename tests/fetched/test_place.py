"""Where the cache lies, and how large it may become."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowreg import BadInput
from flowreg.storage.fetched import Cache, cache_here
from flowreg.storage.fetched.place import bytes_of


def test_it_lies_where_the_system_keeps_caches(a_home_of_its_own: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Below ``$XDG_CACHE_HOME`` if that is set and absolute; 10 GiB at most."""
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_here() == Cache(a_home_of_its_own / ".cache/flowreg", 10 << 30)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_here() == Cache(tmp_path / "flowreg", 10 << 30)

    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_here() == Cache(a_home_of_its_own / ".cache/flowreg", 10 << 30)


def test_the_environment_says_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another folder, another bound."""
    monkeypatch.setenv("FLOWREG_CACHE", str(tmp_path))
    monkeypatch.setenv("FLOWREG_CACHE_SIZE", "500 MB")

    assert cache_here() == Cache(tmp_path, 500_000_000)


@pytest.mark.parametrize(("name", "value"), [("FLOWREG_CACHE", "off"), ("FLOWREG_CACHE", ""), ("FLOWREG_CACHE_SIZE", "0")])
def test_it_can_be_turned_off(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By either of the two."""
    monkeypatch.setenv(name, value)

    assert cache_here() is None


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("0", 0), ("17", 17), ("17B", 17), ("1k", 1000), ("1KiB", 1024), ("1.5 GiB", 3 << 29), ("2TB", 2 * 10**12), ("1Mi", 1 << 20)],
)
def test_a_size_is_read_as_people_write_it(text: str, size_bytes: int) -> None:
    """Decimal units and binary ones."""
    assert bytes_of(text, where="") == size_bytes


@pytest.mark.parametrize("text", ["much", "-1", "10 GiBB", "1e9", "", "10PB", "٣GB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """With the form that would be one."""
    with pytest.raises(BadInput, match="10GiB"):
        bytes_of(text, where="$FLOWREG_CACHE_SIZE")
