"""Which filesystems may be written: those with a proof, from a version on, and those that keep the promise when tried."""

from __future__ import annotations

import threading
import uuid
from importlib import metadata
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from flowreg import Refused, Registry
from flowreg.storage.proofs import PROOFS, too_old


@pytest.mark.parametrize(
    ("installed", "refused"),
    [("2025.6.9", True), ("2024.12", True), ("2025.7", False), ("2025.7.0", False), ("2025.10.1", False), ("2026.1+ours.1", False)],
)
def test_a_library_below_the_floor_is_too_old(installed: str, refused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers are compared as numbers."""
    monkeypatch.setattr(metadata, "version", lambda package: installed)

    assert too_old(PROOFS["s3"]) == (installed if refused else None)


def test_what_has_no_version_is_known_by_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendored library has no metadata; a local folder needs no library at all."""

    def unknown(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", unknown)

    assert [too_old(PROOFS[protocol]) for protocol in ("s3", "file")] == [None, None]


def test_an_old_library_reads_and_does_not_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal names both versions, and nothing was written."""
    registry = Registry(f"memory://flowreg-{uuid.uuid4().hex}")
    registry.register("churn", {"w": 1}, trust="pickle")
    monkeypatch.setattr(metadata, "version", lambda package: "2024.1")

    with pytest.raises(Refused, match=r"fsspec>=2025\.7 is needed, and 2024\.1 is installed"):
        registry.register("churn", {"w": 2}, trust="pickle")
    assert [version.number for version in registry.versions("churn")] == [1]


class Honest(MemoryFileSystem):
    """A filesystem that nobody has heard of, with a conditional write of its own that holds."""

    protocol = "honest"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    lock = threading.Lock()

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        return MemoryFileSystem._strip_protocol(str(path).partition("://")[2] if "://" in str(path) else path)

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **more: Any) -> None:
        with self.lock:
            super().pipe_file(path, value, mode=mode, **more)


class Careless(Honest):
    """The same, that takes the condition and ignores it."""

    protocol = "careless"

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **more: Any) -> None:
        super().pipe_file(path, value, mode="overwrite", **more)


class Racy(Honest):
    """The same, that looks, lets others go first, and then writes."""

    protocol = "racy"
    waiting = threading.Barrier(2)

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **more: Any) -> None:
        if mode == "create" and self.exists(path):
            raise FileExistsError(path)
        try:
            self.waiting.wait(0.2)
        except threading.BrokenBarrierError:
            self.waiting.reset()
        super().pipe_file(path, value, mode="overwrite", **more)


@pytest.fixture
def unknown_root(request: pytest.FixtureRequest) -> str:
    made = request.param
    fsspec.register_implementation(made.protocol, made, clobber=True)
    return f"{made.protocol}://flowreg-{uuid.uuid4().hex}"


@pytest.mark.parametrize("unknown_root", [Honest], indirect=True)
def test_a_filesystem_without_a_proof_that_keeps_the_promise_is_written(unknown_root: str) -> None:
    """It is tried before the first byte, and leaves nothing of the trial."""
    registry = Registry(unknown_root)
    registry.promote(registry.register("churn", {"w": 1}, trust="pickle"), to="champion")
    registry.flush()

    again = Registry(unknown_root)
    assert again.load("churn@champion", trust=True) == {"w": 1}
    assert again.check(read_data=True).findings == ()
    assert not [path for path in Honest.store if "probe" in path]


@pytest.mark.parametrize("unknown_root", [Careless, Racy], indirect=True)
def test_one_that_does_not_keep_it_is_refused(unknown_root: str) -> None:
    """With what was seen; nothing is left."""
    with pytest.raises(Refused, match=r"takes a file a second time|writers at once"):
        Registry(unknown_root).register("churn", {"w": 1}, trust="pickle")

    assert not [path for path in Honest.store if unknown_root.partition("://")[2] in path]
