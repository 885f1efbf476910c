"""``repair`` writes heads and checkpoints from replay, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowreg import Registry
from flowreg.check import check, repair
from flowreg.storage.store import open_store
from tests.broken import zoo
from tests.cli.conftest import every_byte

CACHES = [name for name, damage in zoo.ZOO.items() if ("head" in name or "checkpoint" in name) and "entry before" not in name]
LEFT = {"checkpoint by a newer flowreg"}  # it is as it should be, for another version


@pytest.fixture
def root(tmp_path: Path) -> Path:
    zoo.write(tmp_path / "registry")
    return tmp_path / "registry"


@pytest.mark.parametrize("name", [name for name in CACHES if name not in LEFT])
def test_a_wrong_head_or_checkpoint_is_written_anew(name: str, root: Path) -> None:
    """Then the registry is clean, and no file but these was touched."""
    zoo.ZOO[name].do(root)
    before = every_byte(root)
    store = open_store(root)

    written = repair(store, check(store))

    assert check(store, read_data=True).findings == ()
    assert written
    assert set(written) <= {zoo.HEAD, zoo.POINT, "models/churn/checkpoints/00000000000000000005.json"}
    assert {path for path, raw in every_byte(root).items() if before.get(path) != raw} == set(written)
    assert Registry(root).get("churn@champion").number == 1


@pytest.mark.parametrize("name", [name for name in zoo.ZOO if name not in CACHES or name in LEFT])
def test_what_is_no_cache_is_left_alone(name: str, root: Path) -> None:
    """Above all a head that remembers a lost entry: it is the only evidence."""
    zoo.ZOO[name].do(root)
    before = every_byte(root)
    store = open_store(root)

    written = repair(store, check(store))

    assert set(written) <= {zoo.HEAD}
    assert {path for path, raw in every_byte(root).items() if before.get(path) != raw} == set(written)
    if not zoo.ZOO[name].answers:
        assert written == ()


def test_a_journal_with_a_hole_gets_no_new_head(root: Path) -> None:
    """It would tell of an old state as if it were the newest."""
    zoo.delete(zoo.entry(4), zoo.HEAD)(root)
    store = open_store(root)

    assert repair(store, check(store)) == ()
    assert not (root / zoo.HEAD).exists()
