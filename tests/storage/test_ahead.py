"""Reading many journals on in one batch: what was read ahead is given once, and a hole is still told from an entry that has just landed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flowreg.core.layout import entry_path
from flowreg.errors import Corrupt
from flowreg.storage.ahead import Ahead
from flowreg.storage.windows import MOST_AT_ONCE, read_on


class Files:
    """Files in memory; ``asked`` are the paths of each call."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[list[str]] = []

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        self.asked.append(list(paths))
        return [self.files.get(path) for path in paths]


def paths(model: str, *numbers: int) -> list[str]:
    return [entry_path(model, number) for number in numbers]


def test_models_with_nothing_new_cost_one_batch_together() -> None:
    """And are not read again when each is read on."""
    store = Files({entry_path("b", 6): b"new"})
    ahead = Ahead(store, {"a": 3, "b": 5})

    assert ahead.moved == ("b",)
    assert list(read_on(ahead, "a", 3)) == []
    assert list(read_on(ahead, "b", 5)) == [(6, b"new")]
    assert store.asked[0] == paths("a", 4, 5) + paths("b", 6, 7)
    assert [path for asked in store.asked[1:] for path in asked if path in store.files] == []


def test_what_follows_is_read_from_the_storage() -> None:
    """Only the two next entries are read ahead."""
    store = Files(dict.fromkeys(paths("a", 1, 2, 3), b"x"))
    ahead = Ahead(store, {"a": 0})

    assert [seq for seq, _ in read_on(ahead, "a", 0)] == [1, 2, 3]
    assert store.asked[1][0] == entry_path("a", 3)


def test_a_hole_is_looked_at_again() -> None:
    """An entry that landed after the batch was read is no loss; one that is missing the second time, too, is."""
    store = Files({entry_path("a", 2): b"second"})
    landed, lost = Ahead(store, {"a": 0}), Ahead(store, {"a": 0})
    with pytest.raises(Corrupt, match="entry 1 of a is gone"):
        list(read_on(lost, "a", 0))

    store.files[entry_path("a", 1)] = b"first"

    assert list(read_on(landed, "a", 0)) == [(1, b"first"), (2, b"second")]


def test_many_models_are_read_in_batches_of_bounded_size() -> None:
    """However many there are."""
    store = Files({})
    Ahead(store, {f"m{number}": 0 for number in range(MOST_AT_ONCE)})

    assert [len(asked) for asked in store.asked] == [MOST_AT_ONCE, MOST_AT_ONCE]
