"""Every damage of the zoo is named by ``check``: that fault, its file, and nothing else; what is not damaged works."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flowreg import Corrupt, NotFound, Registry
from flowreg.check.report import KINDS
from flowreg.core.layout import blob_path

from . import zoo
from .zoo import ZOO, Damage, Said


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zoo") / "good"
    zoo.write(folder)
    return folder


@pytest.fixture
def root(good: Path, tmp_path: Path) -> Path:
    """A copy of the good registry."""
    return Path(shutil.copytree(good, tmp_path / "registry"))


def said_about(root: Path, *, read_data: bool = False) -> set[Said]:
    return {Said(f.severity, f.code, f.where) for f in Registry(root).check(read_data=read_data).findings}


def test_the_good_registry_is_clean(root: Path) -> None:
    """No fault and no note, with every byte read; and what it is about is really there."""
    report = Registry(root).check(read_data=True)

    assert report.findings == ()
    assert (report.checked.models, report.checked.entries, report.checked.checkpoints) == (2, zoo.LAST + 2, 1)
    assert report.checked.bytes_read > 0


@pytest.mark.parametrize("name", ZOO)
def test_the_damage_is_named_with_its_file(name: str, root: Path) -> None:
    """Exactly that, and nothing that merely follows from it."""
    damage: Damage = ZOO[name]
    expected = damage.said(root)
    damage.do(root)

    found = said_about(root, read_data=damage.read_data)

    # Whoever adds a well-formed entry by hand leaves the head behind, which is then true of an older entry.
    added = {Said("note", "stale-head", zoo.HEAD)} if (root / zoo.entry(zoo.LAST + 1)).exists() else set()
    assert found - added == expected - added
    assert found >= expected


@pytest.mark.parametrize("name", ZOO)
def test_what_readers_refuse_is_a_fault(name: str, root: Path) -> None:
    """Where ``Registry.get`` refuses, ``check`` has a fault; where it has none, the model answers."""
    damage = ZOO[name]
    damage.do(root)
    registry = Registry(root)

    if damage.answers:
        assert registry.get("churn@1").number == 1
        return
    with pytest.raises((Corrupt, NotFound)):
        registry.get("churn@champion")
    assert not registry.check().ok


@pytest.mark.parametrize("name", sorted(ZOO.keys() - zoo.OF_ALL))
def test_the_other_model_stays_usable_and_clean(name: str, root: Path) -> None:
    """Damage ends at the model it is in."""
    ZOO[name].do(root)
    registry = Registry(root)

    assert registry.load("risk/fraud@live-eu", trust=True) == {"w": 9}
    assert [f for f in registry.check(read_data=True).findings if f.model == "risk/fraud"] == []


@pytest.mark.parametrize("name", sorted(ZOO.keys() - zoo.OF_ALL - {"deleted journal of the registry"}))
def test_the_other_model_can_still_be_written(name: str, root: Path) -> None:
    """Register, evaluate, move and take back, beside any damage of a neighbour."""
    ZOO[name].do(root)
    registry = Registry(root, actor="ana")

    version = registry.register("risk/fraud", {"w": 10}, trust="pickle")
    registry.evaluate(version, {"auc": 0.9}, on="july")
    registry.promote(version, to="live-eu")
    assert Registry(root).get("risk/fraud@live-eu").number == 2
    registry.rollback("risk/fraud@live-eu", because="worse")
    assert Registry(root).load("risk/fraud@live-eu", trust=True) == {"w": 9}


def test_every_code_is_shown_by_some_damage(good: Path) -> None:
    """No code exists that no damage brings about; each says what it means."""
    shown = {said.code for damage in ZOO.values() for said in damage.said(good)}

    assert shown == set(KINDS)
    assert all(kind.meaning for kind in KINDS.values())


def test_a_blob_shared_by_two_models_is_named_for_both(root: Path) -> None:
    """Who looks at one model learns of it too."""
    registry = Registry(root)
    registry.register("risk/other", {"w": 9}, trust="pickle")
    shared = next(iter(registry.files("risk/other@1").values()))
    (root / blob_path(shared)).unlink()

    faults = registry.check().faults

    assert [(f.code, f.model) for f in faults] == [("missing-blob", "risk/fraud"), ("missing-blob", "risk/other")]
