"""An entry that is gone is noticed, wherever the windows end; and what is known is not asked for twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from flowreg import Policy, Registry
from flowreg.core import decide
from flowreg.core.events import PolicySet, VersionRegistered
from flowreg.core.layout import entry_path, head_path
from flowreg.errors import Corrupt
from flowreg.journals import Journals
from flowreg.storage.windows import read_on
from tests.storage.faulty import FaultyStore


class Noting(FaultyStore):
    """Remembers what was asked for together."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[str]] = []

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        self.batches.append(list(paths))
        return super().read_many(paths)


def stored(*numbers: int) -> Noting:
    store = Noting()
    store.files = {entry_path("churn", n): b"%d" % n for n in numbers}
    return store


@pytest.mark.parametrize("count", range(2, 50))
def test_a_hole_is_noticed_wherever_the_windows_end(count: int) -> None:
    """One entry before the last is gone, and nothing else says how many there were."""
    for gone in range(1, count):
        store = stored(*(n for n in range(1, count + 1) if n != gone))
        with pytest.raises(Corrupt, match=f"entry {gone} of churn is gone"):
            list(read_on(store, "churn", 0))


@pytest.mark.parametrize("known", [5, 300, 700])
def test_a_known_number_is_read_up_to_in_one_batch(known: int) -> None:
    """And two more, which say that it is the end. A very long tail takes some batches, and asks for nothing twice."""
    store = stored(*range(1, known + 1))

    assert [seq for seq, _ in read_on(store, "churn", 0, known=known)] == list(range(1, known + 1))
    assert len(store.batches) == -(-known // 256)
    assert Counter(path for batch in store.batches for path in batch) == Counter(entry_path("churn", n) for n in range(1, known + 3))


@pytest.mark.parametrize("gone", [(5,), (4, 5), (2, 3, 4, 5)])
def test_entries_below_a_known_number_are_missed(gone: tuple[int, ...]) -> None:
    """Also the last ones."""
    with pytest.raises(Corrupt, match=f"entry {gone[0]} of churn is gone, though (it|entry 5) was written"):
        list(read_on(stored(*(n for n in range(1, 6) if n not in gone)), "churn", 0, known=5))


def registered(store: FaultyStore, count: int) -> Journals:
    journals = Journals(store, "ana")
    for number in range(count):
        draft = VersionRegistered(
            version=1, manifest=f"sha256:{number:064x}", loader="files", size_bytes=1, file_count=1, key=f"k{number}"
        )  # fmt: skip
        journals.transact("churn", lambda state, _, draft=draft: decide.register(state, draft, None))  # type: ignore[misc]
    journals.caches.flush()
    return journals


def test_a_listing_tells_of_entries_beyond_a_wide_hole() -> None:
    """No head, no checkpoint, and two entries in a row are gone."""
    store = Noting()
    registered(store, 6)
    del store.files[head_path("churn")]
    for seq in (4, 5):
        del store.files[entry_path("churn", seq)]

    with pytest.raises(Corrupt, match="entry 4 of churn is gone, though entry 6 was written after it"):
        Journals(store, None).of("churn").state()


def test_opening_with_a_head_reads_nothing_twice() -> None:
    """The head, then in one batch every entry up to the one that it names and two more."""
    store = Noting()
    registered(store, 40)
    journals = Journals(store, None)
    journals.registry.state()
    store.batches.clear()

    assert journals.of("churn").state().newest == 40
    assert store.batches == [[entry_path("churn", n) for n in range(1, 43)]]


def test_who_lost_a_slot_reads_what_is_new_in_one_batch() -> None:
    """However many there are in a busy journal; what was read before is not asked for again."""
    store = Noting()
    mine, theirs = registered(store, 1), Journals(store, "ben")
    for turn in range(3):
        for _ in range(5):
            draft = VersionRegistered(version=1, manifest="sha256:" + "1" * 64, loader="files", size_bytes=1, file_count=1)
            theirs.transact("churn", lambda state, _, draft=draft: decide.register(state, draft, None))  # type: ignore[misc]
        store.batches.clear()
        mine.transact("churn", lambda state, _: decide.label(state, 1, {"turn": str(turn)}))  # noqa: B023
        asked = [path for batch in store.batches for path in batch]

    assert len(store.batches) == 1
    assert len(asked) == len(set(asked)) <= 8


def test_a_policy_that_was_lost_stops_those_who_read_under_it(tmp_path: Path) -> None:
    """The registry's newest entry is gone: models that were decided under it do not look empty, and nothing is written."""
    registry = Registry(tmp_path / "registry")
    (tmp_path / "model").write_bytes(b"w")
    registry.register("churn", tmp_path / "model")
    registry.set_policy(Policy.parse({"policy": "p", "models": ["churn"], "alias": "champion", "gates": ["auc >= 0.5"]}))
    registry.register("churn", tmp_path / "model", labels={"a": "b"})
    registry.flush()
    (tmp_path / "registry" / entry_path(None, 2)).unlink()
    before = set((tmp_path / "registry").rglob("journal/*.json"))

    for ask in (
        lambda r: r.get("churn@1"),
        lambda r: r.history("churn"),
        lambda r: r.label("churn@1", {"x": "y"}),
        lambda r: r.register("churn", tmp_path / "model", labels={"c": "d"}),
    ):
        with pytest.raises(Corrupt, match="entry 2 of the registry is gone"):
            ask(Registry(tmp_path / "registry"))  # type: ignore[no-untyped-call]
    assert set((tmp_path / "registry").rglob("journal/*.json")) == before


def test_a_policy_set_while_one_reads_is_no_loss() -> None:
    """What this handle remembers of the registry is older than the entry: it reads again before it says anything."""
    store = FaultyStore()
    mine = registered(store, 1)
    theirs = Journals(store, "ben")
    policy = PolicySet(name="p", models=("other",), alias="champion", digest="sha256:" + "0" * 64, policy={})
    theirs.transact_registry(lambda state: [policy.model_copy(update={"digest": _digest(policy)})])
    theirs.transact("churn", lambda state, _: decide.label(state, 1, {"a": "b"}))

    assert mine.of("churn").state().under == 2


def _digest(policy: PolicySet) -> str:
    from flowreg.core.codec import digest_of, encode

    return digest_of(encode(policy.policy))
