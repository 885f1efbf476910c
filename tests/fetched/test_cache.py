"""The folder of the cache: what comes out is what was asked for, and nothing that is found there does any harm."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from pathlib import Path

import pytest

from flowreg.core.manifest import File
from flowreg.storage.fetched import Cache
from flowreg.storage.hashing import no_progress

MIB = 1 << 20


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 100)


def file_of(data: bytes) -> File:
    return File("model.bin", len(data), "sha256:" + hashlib.sha256(data).hexdigest())


def kept(cache: Cache, data: bytes, *, used_at: int = 0) -> File:
    """``data`` in the cache, last used at this second if given."""
    file, source = file_of(data), cache.folder.parent / "source"
    source.write_bytes(data)
    cache.with_room_for([file]).take_in(file, source)
    if used_at:
        os.utime(place(cache, file), (used_at, used_at))
    return file


def place(cache: Cache, file: File) -> Path:
    return cache.folder / file.digest[7:]


def names(cache: Cache) -> list[str]:
    return [one.name for one in cache.files()]


def test_what_was_kept_comes_out(cache: Cache, tmp_path: Path) -> None:
    """The same bytes, in a file of their own."""
    file = kept(cache, b"a model")

    assert cache.copy_out(file, tmp_path / "out", no_progress)
    (tmp_path / "out").write_bytes(b"changed by its new owner")
    assert cache.copy_out(file, tmp_path / "again", no_progress)
    assert (tmp_path / "again").read_bytes() == b"a model"


def test_what_was_never_kept_does_not(cache: Cache, tmp_path: Path) -> None:
    """And makes neither a file nor a folder."""
    assert not cache.copy_out(file_of(b"a model"), tmp_path / "out", no_progress)
    assert cache.files() == ()
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_may_look_into_it(cache: Cache) -> None:
    """Models are private: the folder and its files are their owner's alone, whatever the umask."""
    before = os.umask(0)
    try:
        file = kept(cache, b"a model")
    finally:
        os.umask(before)

    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(place(cache, file).stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", [b"b model", b"", b"a model and more"], ids=["changed", "emptied", "longer"])
def test_a_damaged_file_is_removed_with_a_note(cache: Cache, tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of it comes out, and what the watcher was told is taken back."""
    file, told = kept(cache, b"a model"), [0]
    place(cache, file).write_bytes(damage)

    with caplog.at_level(logging.WARNING, "flowreg"):
        assert not cache.copy_out(file, tmp_path / "out", told.append)

    assert names(cache) == []
    assert not (tmp_path / "out").exists()
    assert sum(told) == 0
    assert "the cache held other bytes" in caplog.text


def test_other_bytes_do_not_come_in(cache: Cache, tmp_path: Path) -> None:
    """The digest is that of the bytes that were kept, or nothing is."""
    source = tmp_path / "source"
    source.write_bytes(b"b model")

    cache.take_in(file_of(b"a model"), source)

    assert [path.name for path in cache.folder.iterdir()] == ["CACHEDIR.TAG"]


@pytest.mark.parametrize(
    "plant", [Path.symlink_to, lambda path, _: os.mkfifo(path), lambda path, _: path.mkdir()], ids=["link", "pipe", "folder"]
)
def test_what_is_no_file_is_not_read(cache: Cache, tmp_path: Path, plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link is not followed, even to the very bytes; nothing waits for a pipe."""
    file = kept(cache, b"a model")
    place(cache, file).rename(tmp_path / "elsewhere")
    plant(place(cache, file), tmp_path / "elsewhere")

    assert not cache.copy_out(file, tmp_path / "out", no_progress)
    assert cache.read(file.digest, limit_bytes=100) is None
    assert (tmp_path / "elsewhere").read_bytes() == b"a model"


@pytest.mark.parametrize("plant", [Path.symlink_to, Path.hardlink_to], ids=["link", "hard link"])
def test_what_arrives_is_not_written_into_a_stranger_s_file(cache: Cache, tmp_path: Path, plant) -> None:
    """A file that has another name as well, or is a link, is not gone on with."""
    file, precious = kept(cache, b"a model"), tmp_path / "precious"
    precious.write_bytes(b"precious")
    plant(cache.folder / f"{file.digest[7:]}.partial", precious)

    with pytest.raises(OSError), cache.arriving(file):
        pytest.fail("it was given out to be written to")
    assert precious.read_bytes() == b"precious"


def test_the_least_recently_used_go(cache: Cache, tmp_path: Path) -> None:
    """When room is needed, and no more of them than needed. Copying out is using."""
    old, used, new = (kept(cache, bytes([n]) * 30, used_at=n) for n in (1, 2, 3))
    assert cache.copy_out(old, tmp_path / "out", no_progress)

    newest = kept(cache, b"n" * 30)

    assert not place(cache, used).exists()
    assert all(place(cache, file).exists() for file in (old, new, newest))
    assert sum(one.size_bytes for one in cache.files()) <= cache.limit_bytes


def test_what_is_asked_for_does_not_make_room_for_itself(cache: Cache) -> None:
    """An artifact of which a part is there keeps that part, however old it is."""
    there, other = kept(cache, b"t" * 40, used_at=1), kept(cache, b"o" * 40, used_at=2)

    cache.with_room_for([there, file_of(b"m" * 50)])

    assert names(cache) == [there.digest[7:]]
    assert not place(cache, other).exists()


def test_what_would_never_fit_drives_nobody_out(cache: Cache) -> None:
    """An artifact larger than the bound is not kept, and what was there stays."""
    there = kept(cache, b"t" * 40)

    large = kept(cache, b"l" * 101)

    assert names(cache) == [there.digest[7:]]
    assert not place(cache, large).exists()


def test_who_is_copying_is_not_disturbed(cache: Cache, tmp_path: Path) -> None:
    """The file goes in the middle of the copy, and the copy is whole."""
    data = os.urandom(40 * MIB)
    cache = Cache(cache.folder, 100 * MIB)
    file, removed = kept(cache, data), []

    assert cache.copy_out(file, tmp_path / "out", lambda _: removed.extend(cache.clear()))
    assert [one.name for one in removed] == [file.digest[7:]]
    assert (tmp_path / "out").read_bytes() == data


def test_a_file_that_is_being_brought_is_not_removed(cache: Cache) -> None:
    """By whoever makes room or clears; once nobody brings it any more, it goes."""
    file = file_of(b"a model")
    kept(cache, b"another")
    with cache.arriving(file) as arriving:
        arriving.take(0, 0, b"a mo")

        assert len(cache.clear()) == 1
        assert [one.whole for one in cache.files()] == [False]
    assert len(cache.clear()) == 1
    assert cache.files() == ()


def test_strangers_files_are_neither_counted_nor_removed(cache: Cache) -> None:
    """The folder may be anybody's: only what has a name of ours goes."""
    kept(cache, b"a model")
    (cache.folder / "thesis.tex").write_bytes(b"precious")
    (cache.folder / ("f" * 64)).mkdir()

    cache.clear()

    assert cache.files() == ()
    assert {path.name for path in cache.folder.iterdir()} == {"CACHEDIR.TAG", "thesis.tex", "f" * 64}


def test_what_a_killed_process_left_is_cleared(cache: Cache) -> None:
    """A file that was being taken in."""
    file = kept(cache, b"a model")
    place(cache, file).rename(cache.folder / f".{file.digest[7:]}.{'0' * 16}.tmp")

    assert [one.whole for one in cache.clear()] == [False]
    assert cache.files() == ()
