"""Blobs: what may come in, that it stays what it was, and that nothing half-done is left behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from flowreg import Registry
from flowreg.core.layout import blob_path
from flowreg.errors import BadInput, Corrupt, Refused
from flowreg.storage import blobs
from flowreg.storage.local import LocalStore
from flowreg.storage.source_files import regular_file
from flowreg.storage.store import open_store


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "registry")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "artifact"
    (made / "sub").mkdir(parents=True)
    (made / "a.txt").write_bytes(b"a")
    (made / "sub" / "b.bin").write_bytes(b"b" * 3_000_000)
    return made


def stored_files(root: Path) -> list[str]:
    return sorted(str(file.relative_to(root)) for file in root.rglob("*") if file.is_file())


def _link(folder: Path) -> None:
    (folder / "sub" / "link").symlink_to(folder / "a.txt")


def _link_out(folder: Path) -> None:
    (folder / "passwd").symlink_to("/etc/passwd")


def _link_to_folder(folder: Path) -> None:
    (folder / "up").symlink_to(folder.parent)


def _dangling(folder: Path) -> None:
    (folder / "dangling").symlink_to("/no/such/file")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def _socket(folder: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "s"))


def _backslash(folder: Path) -> None:
    (folder / "..\\up").write_bytes(b"")


def _newline(folder: Path) -> None:
    (folder / "a\nb").write_bytes(b"")


def _not_utf8(folder: Path) -> None:
    (folder / os.fsdecode(b"\xff")).write_bytes(b"")


def _device_name(folder: Path) -> None:
    (folder / "NUL.txt").write_bytes(b"")


def _decomposed(folder: Path) -> None:
    (folder / "e\u0301").write_bytes(b"")


HOSTILE = [_link, _link_out, _link_to_folder, _dangling, _pipe, _socket, _backslash, _newline, _not_utf8, _device_name, _decomposed]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda f: f.__name__[1:])
def test_a_folder_with_what_cannot_be_stored_is_refused_whole(hostile: Any, folder: Path, store: LocalStore) -> None:
    """Links, pipes, sockets and names that are not safe everywhere: refused before a byte is written, and nothing hangs."""
    hostile(folder)

    with pytest.raises(BadInput):
        blobs.put_artifact(store, folder, loader="files")

    assert stored_files(store.folder) == []


@pytest.mark.parametrize("hostile", [_link, _pipe], ids=["link", "pipe"])
def test_a_single_file_must_be_one(hostile: Any, folder: Path, store: LocalStore) -> None:
    """Handed in by its own name."""
    hostile(folder)
    path = next(p for p in folder.rglob("*") if p.is_symlink() or p.is_fifo())

    with pytest.raises(BadInput):
        blobs.put_artifact(store, path, loader="files")

    assert stored_files(store.folder) == []


def test_a_file_that_changes_while_it_is_read_is_refused(folder: Path) -> None:
    """In length, or in content alone."""

    def read_while_it_becomes(content: bytes) -> None:
        with regular_file(folder / "a.txt") as fd:
            blobs.read_all(fd)
            (folder / "a.txt").write_bytes(content)

    for content in (b"longer", b"b"):
        with pytest.raises(BadInput, match="changed while it was read"):
            read_while_it_becomes(content)


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_a_file_that_changes_while_it_is_stored_makes_no_version(kind: str, folder: Path, tmp_path: Path) -> None:
    """Whatever was read of it, nothing refers to it."""
    store = open_store(tmp_path / "registry" if kind == "local" else f"memory://{tmp_path.name}")

    def place(digest: str) -> str:
        (folder / "sub" / "b.bin").write_bytes(b"c" * 3_000_000)
        return blob_path(digest)

    with pytest.raises(BadInput, match="changed while it was read"):
        store.put_file(folder / "sub" / "b.bin", place)


def test_what_was_stored_comes_back(folder: Path, store: LocalStore, tmp_path: Path) -> None:
    """Every file under its path, and nothing else; the same artifact again adds nothing."""
    manifest, digest = blobs.put_artifact(store, folder, loader="files")
    before = stored_files(store.folder)

    again = blobs.put_artifact(store, folder, loader="files")
    out = blobs.get_artifact(store, manifest, tmp_path / "out", what="churn@1")

    assert again == (manifest, digest)
    assert stored_files(store.folder) == before
    assert {f: (out / f).read_bytes() for f in stored_files(out)} == {f: (folder / f).read_bytes() for f in stored_files(folder)}
    assert blobs.get_manifest(store, digest, what="churn@1") == manifest


def _flip(blob: Path) -> None:
    raw = bytearray(blob.read_bytes())
    raw[len(raw) // 2] ^= 1
    blob.write_bytes(raw)


def _cut(blob: Path) -> None:
    blob.write_bytes(blob.read_bytes()[:-1])


def _empty(blob: Path) -> None:
    blob.write_bytes(b"")


def _grow(blob: Path) -> None:
    blob.write_bytes(blob.read_bytes() + b"\0")


def _remove(blob: Path) -> None:
    blob.unlink()


DAMAGE = [_flip, _cut, _empty, _grow, _remove]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda f: f.__name__[1:])
@pytest.mark.parametrize("which", ["small", "large", "manifest"])
def test_damaged_bytes_reach_nobody(damage: Any, which: str, folder: Path, store: LocalStore, tmp_path: Path) -> None:
    """One wrong byte anywhere: Corrupt, the folder does not appear, and nothing half-done stays."""
    manifest, digest = blobs.put_artifact(store, folder, loader="files")
    chosen = {"small": manifest.files[0].digest, "large": manifest.files[1].digest, "manifest": digest}[which]
    damage(store.folder / blob_path(chosen))

    with pytest.raises(Corrupt, match=r"gone|the record says"):
        blobs.get_artifact(store, blobs.get_manifest(store, digest, what="churn@1"), tmp_path / "out" / "here", what="churn@1")

    assert not (tmp_path / "out" / "here").exists()
    assert list((tmp_path / "out").iterdir() if (tmp_path / "out").exists() else []) == []


def test_a_folder_that_has_something_is_left_alone(folder: Path, store: LocalStore, tmp_path: Path) -> None:
    """An existing folder with files, a file, a link: refused, untouched. An empty folder is filled."""
    manifest, _ = blobs.put_artifact(store, folder, loader="files")
    full, file, link, empty = tmp_path / "full", tmp_path / "file", tmp_path / "link", tmp_path / "empty"
    full.mkdir()
    (full / "mine").write_bytes(b"mine")
    file.write_bytes(b"mine")
    empty.mkdir()
    link.symlink_to(empty)
    for into in (full, file, link):
        with pytest.raises(Refused, match="exists already"):
            blobs.get_artifact(store, manifest, into, what="churn@1")

    blobs.get_artifact(store, manifest, empty, what="churn@1")

    assert (stored_files(full), file.read_bytes(), stored_files(empty)) == (["mine"], b"mine", stored_files(folder))
    assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []


class Bomb:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda f: f.__name__[1:])
def test_no_loader_sees_bytes_that_were_changed(damage: Any, tmp_path: Path) -> None:
    """Corrupt comes before any loader runs, also when trusted."""
    registry, mark = Registry(tmp_path / "registry"), tmp_path / "exploded"
    version = registry.register("churn", Bomb(mark), trust="pickle")
    assert not mark.exists()
    registry.load("churn@1", trust=True)
    mark.rmdir()  # the bomb works
    (file,) = registry.files(version).values()
    damage(tmp_path / "registry" / blob_path(file))

    with pytest.raises(Corrupt):
        registry.load("churn@1", trust=True)
    with pytest.raises(Refused):
        registry.load("churn@1")

    assert not mark.exists()
