"""A blob that is doomed between its storing and its entry is stored once more, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from flowreg import BadInput, Registry
from flowreg.core.codec import digest_of
from flowreg.core.events import BlobsDoomed
from flowreg.core.layout import LAST_INCARNATION, blob_path, journal_folder
from tests.collect.scheduler import Stepped
from tests.collect.test_interleavings import opened

FILES = {f"part{number}.bin": b"part %d" % number for number in range(5)}
CARD = "# churn"


class Noting(Stepped):
    """Notes the paths of the blobs that are put. Just before an entry of churn is created, the next of ``meanwhile`` happens."""

    def __init__(self) -> None:
        super().__init__()
        self.put: list[str] = []
        self.meanwhile: list[Callable[[], object]] = []
        self._happening = False

    def create(self, path: str, data: bytes) -> None:
        if path.startswith(journal_folder("churn")) and self.meanwhile and not self._happening:
            self._happening = True
            self.meanwhile.pop(0)()
            self._happening = False
        super().create(path, data)

    def put_bytes(self, path: str, data: bytes) -> None:
        self.put.append(path)
        super().put_bytes(path, data)

    def put_files(self, sources: Sequence[Path], place: Callable[[str], str], progress: Any = None) -> list[tuple[int, str]]:
        return [self.put_file(source, place, progress) for source in sources]


@pytest.fixture
def store(tmp_path: Path) -> Noting:
    """It has ``churn@1``; a folder with ``FILES`` waits to be registered."""
    store = Noting()
    folder, first = tmp_path / "model", tmp_path / "first.bin"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    first.write_bytes(b"first")
    opened(store, "ana").register("churn", first)
    return store


@pytest.fixture
def ana(store: Noting) -> Registry:
    """She has read the registry, and does not hear of what others do."""
    ana = opened(store, "ana")
    ana.versions("churn")
    return ana


def _doom(store: Noting, digests: Iterable[str]) -> None:
    """What a collection does: the event, a fence for the model, and the bytes are gone. What is put is noted from here on."""
    journals = opened(store, "collector")._journals
    event = BlobsDoomed(digests=tuple(sorted(digests)))
    journals.fence("churn", journals.transact_registry(lambda _: [event]).seq, because="collect")
    store.put.clear()
    for path in [blob_path(digest, incarnation) for digest in event.digests for incarnation in range(LAST_INCARNATION)]:
        store.files.pop(path, None)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    "doomed",
    [(FILES["part3.bin"],), (FILES["part0.bin"], FILES["part4.bin"]), (CARD.encode(),), (*FILES.values(), CARD.encode())],
    ids=["one file", "two files", "the card", "everything but the manifest"],
)  # fmt: skip
def test_only_what_was_doomed_is_stored_again(doomed: tuple[bytes, ...], times: int, store: Noting, ana: Registry, tmp_path: Path) -> None:
    """However often it happens: so many blobs are put as were doomed, at the path that is theirs then, and every byte is there."""
    digests = [digest_of(content) for content in doomed]
    store.meanwhile = [lambda: _doom(store, digests)] * times

    version = ana.register("churn", tmp_path / "model", card=CARD)

    assert sorted(store.put) == sorted(blob_path(digest, times) for digest in digests)
    assert version.number == 2
    fetched = opened(store, "ben").fetch("churn@2", tmp_path / "out")
    assert {path.name: path.read_bytes() for path in fetched.iterdir()} == FILES


def test_a_file_that_is_another_by_then_is_refused(store: Noting, ana: Registry, tmp_path: Path) -> None:
    """Its old bytes are nowhere any more; no version refers to them."""

    def happens() -> None:
        _doom(store, [digest_of(FILES["part3.bin"])])
        (tmp_path / "model" / "part3.bin").write_bytes(b"others")

    store.meanwhile = [happens]

    with pytest.raises(BadInput, match="changed while it was read"):
        ana.register("churn", tmp_path / "model", card=CARD)
    assert [version.number for version in opened(store, "ben").versions("churn")] == [1]
