"""Copy and digest in one pass: the digest is of what was stored, at every size and by every way of copying."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from flowreg.storage import hashing
from flowreg.storage.hashing import CHUNK, SMALL, copy_hashing

SIZES = [0, 1, CHUNK - 1, CHUNK, SMALL, SMALL + 1, 3 * SMALL + 17, 20 << 20]


def _copied(tmp_path: Path, data: bytes) -> tuple[int, str, bytes]:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    with source.open("rb") as origin, target.open("w+b") as copy:
        size, digest = copy_hashing(origin.fileno(), copy.fileno())
    return size, digest, target.read_bytes()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kernel_copies", [True, False])
def test_the_copy_and_its_digest_are_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, kernel_copies: bool) -> None:
    """By ``copy_file_range`` and, where a filesystem refuses that, by reading and writing."""
    if not kernel_copies:
        refuse = OSError(errno.EXDEV, "across filesystems")
        monkeypatch.setattr(os, "copy_file_range", lambda *_: (_ for _ in ()).throw(refuse), raising=False)
    data = os.urandom(size)

    assert _copied(tmp_path, data) == (size, "sha256:" + hashlib.sha256(data).hexdigest(), data)


def test_an_error_of_the_copier_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up under the copying thread is an error here, not a short copy."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(hashing, "copy_some", full)

    with pytest.raises(OSError, match="no space left"):
        _copied(tmp_path, os.urandom(SMALL + 1))
