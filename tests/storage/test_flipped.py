"""A byte of an entry changes on its way from the storage, and nothing below notices: nobody builds on what never stood there."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest

from flowreg import Registry
from flowreg.check.slots import read_slots
from flowreg.core.layout import entry_path
from flowreg.errors import Corrupt
from flowreg.storage.fsspec_store import FsspecStore
from tests.storage.faulty import FaultyStore


class Flipping:
    """Reads of a store, where the ``nth`` read of an entry from now on arrives with a value that is another."""

    def __init__(self, store: FsspecStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.nth = 0
        self._read_many = store.read_many
        monkeypatch.setattr(store, "read_many", self.read_many)

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        return [raw and self._arrived(path, raw) for path, raw in zip(paths, self._read_many(paths), strict=True)]

    def _arrived(self, path: str, raw: bytes) -> bytes:
        if "/churn/journal/" not in path:
            return raw
        self.nth -= 1
        return raw if self.nth else raw.replace(b'"actor":"ana"', b'"actor":"bna"')


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Registry, Registry, Flipping]:
    """Ana and Ben on one root over a connection that does not guard its bytes; Ben's reads flip."""
    monkeypatch.setattr(FsspecStore, "guards_bytes", property(lambda store: False))
    root = f"memory://flipped-{uuid.uuid4().hex}"
    (tmp_path / "model.bin").write_bytes(b"weights")
    ana, ben = Registry(root, actor="ana"), Registry(root, actor="ben")
    ana.register("churn", tmp_path / "model.bin")
    ben.versions("churn")
    ana.label("churn@1", {"by": "ana"})
    return ana, ben, Flipping(ben._store, monkeypatch)  # type: ignore[arg-type]


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_writer_looks_once_more_at_what_it_builds_on(shared: tuple[Registry, Registry, Flipping], nth: int) -> None:
    """Whichever read it was: the next entry names the digest that is stored, not the one that arrived, and the chain is whole."""
    ana, ben, flipping = shared
    flipping.nth = nth

    ben.label("churn@1", {"after": "ana"})

    assert flipping.nth <= 0, "it was read at all"
    assert ana.get("churn@1").labels == {"by": "ana", "after": "ana"}
    assert [line.by.actor for line in ana.history("churn") if line.by] == ["ana", "ana", "ben"]
    assert not ana.check().faults


def test_a_reader_who_saw_a_flipped_byte_sees_it_no_more(shared: tuple[Registry, Registry, Flipping]) -> None:
    """The next entry tells; the chain is said to be broken once, and is read anew the next time."""
    ana, ben, flipping = shared
    flipping.nth = 1
    ben.get("churn@1", as_of=None)
    ana.label("churn@1", {"more": "yes"})

    with pytest.raises(Corrupt, match="contradicts itself"):
        ben._journals.of("churn").state()

    assert ben._journals.of("churn").state().broken is None


def test_a_check_sees_beyond_a_gap_that_no_listing_shows() -> None:
    """Readers find an entry after the one that is missing; so does a check, however old its listing is."""
    store = FaultyStore()
    store.files = {entry_path("churn", seq): b"x" for seq in (1, 2, 3, 5)}

    found = read_slots(store, "churn", [])  # type: ignore[arg-type]

    assert (len(found.run), sorted(found.beyond)) == (3, [5])
