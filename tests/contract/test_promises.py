"""What every store promises, on every filesystem that may be written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flowreg import Corrupt, Policy, Registry
from flowreg.storage.store import Store, open_store
from tests.conftest import Root


def test_a_file_is_created_once(store: Store) -> None:
    """The second creation is refused, by the same client or by another, and the first one's bytes stand."""
    store.create("journal/1.json", b"first")

    with pytest.raises(FileExistsError):
        store.create("journal/1.json", b"second")
    assert store.read("journal/1.json") == b"first"


def test_another_client_is_refused_and_reads_whose_it_is(store: Store, place: Root) -> None:
    """A store of its own sees what the other one wrote at once."""
    other = open_store(*place)
    assert other.read("journal/1.json") is None

    store.create("journal/1.json", b"first")

    with pytest.raises(FileExistsError):
        other.create("journal/1.json", b"other")
    assert other.read("journal/1.json") == b"first"
    assert other.names("journal") == ["1.json"]


def test_what_is_not_there_is_none_and_has_no_names(store: Store) -> None:
    """Before anything was written, and beside what was."""
    assert store.read("journal/1.json") is None
    assert store.names("journal") == []

    store.create("journal/1.json", b"x")

    assert store.read("journal/2.json") is None
    assert store.names("elsewhere") == []


def test_many_are_read_in_their_order(store: Store) -> None:
    """Each at its place, None where there is none, the same one as often as asked."""
    for n in (1, 3):
        store.create(f"journal/{n}", f"{n}".encode())

    assert store.read_many([f"journal/{n}" for n in (3, 2, 1, 3)]) == [b"3", None, b"1", b"3"]
    assert store.read_many([]) == []


def test_names_are_those_of_one_folder(store: Store) -> None:
    """Files by their name, folders with a slash, nothing from further down."""
    for path in ("a/1", "a/2", "a/b/3", "c/4"):
        store.create(path, b"x")

    assert sorted(store.names("a")) == ["1", "2", "b/"]
    assert sorted(store.names("")) == ["a/", "c/"]


ODD = ["m/50%25", "m/a b", "m/%23x", "m/ü", "m/a+b", "m/a=b&c", "m/" + "l" * 200]


@pytest.mark.parametrize("path", ODD)
def test_odd_names_are_names(store: Store, path: str) -> None:
    """Nothing is decoded on the way."""
    store.create(path, b"x")

    assert store.read(path) == b"x"
    assert store.names("m") == [path[2:]]


def test_a_hint_is_replaced(store: Store) -> None:
    """The new bytes are read by everybody, shorter ones too."""
    for data in (b"long long", b"short"):
        store.replace("heads/m.json", data)

    assert store.read("heads/m.json") == b"short"


def test_what_is_removed_is_gone(store: Store) -> None:
    """And removing it again is no error."""
    store.create("blobs/x", b"x")

    for _ in range(2):
        store.remove("blobs/x")
    assert store.read("blobs/x") is None


@pytest.mark.parametrize("data", [b"", b"x", b"\0" * 100_000], ids=["empty", "byte", "100 kB"])
def test_equal_blobs_are_one(store: Store, data: bytes) -> None:
    """Put twice, stored once, read back whole."""
    for _ in range(2):
        store.put_bytes("blobs/x", data)

    assert store.read("blobs/x") == data
    assert store.names("blobs") == ["x"]


def test_nothing_is_built_on_a_blob_that_was_cut_off(store: Store) -> None:
    """What stands under the digest has another size."""
    store.create("blobs/x", b"cut")

    with pytest.raises(Corrupt, match="is stored with 3 bytes"):
        store.put_bytes("blobs/x", b"the whole")


@pytest.mark.parametrize("size_bytes", [0, 1, 1 << 20, 17 << 20], ids=["empty", "byte", "1 MiB", "17 MiB"])
def test_a_file_goes_in_and_comes_back(store: Store, tmp_path: Path, size_bytes: int) -> None:
    """Small or larger than one request, twice the same: the digest says that it is whole."""
    data = (os.urandom(1 << 20) * (size_bytes // (1 << 20) + 1))[:size_bytes]
    (tmp_path / "source").write_bytes(data)

    first, again = (store.put_file(tmp_path / "source", lambda d: f"blobs/{d[7:]}") for _ in range(2))

    assert first == again
    assert first[0] == size_bytes
    assert store.get_file(f"blobs/{first[1][7:]}", tmp_path / "back") == first[1]
    assert (tmp_path / "back").read_bytes() == data
    assert store.get_file("blobs/none", tmp_path / "none") is None


def test_a_registry_lives_there(place: Root, tmp_path: Path) -> None:
    """Registered, protected, promoted, loaded by another client, and its history holds."""
    registry = Registry(place.url, storage_options=place.storage_options)
    registry.set_policy(Policy(policy="m", models=["m"], alias="champion", dataset="d", no_baseline="skip", gates=["auc >= 0.9"]))
    registry.promote(registry.register("m", {"w": 1}, metrics={"auc": 0.95}, on="d", trust="pickle"), to="champion")
    registry.flush()

    other = Registry(place.url, storage_options=place.storage_options)

    assert other.load("m@champion", trust=True) == {"w": 1}
    assert [version.number for version in other.versions("m")] == [1]
    assert other.check().ok
