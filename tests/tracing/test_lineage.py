"""``Registry.lineage``: by version, by data, by run, by commit; now and in the past; with models that cannot be read."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flowreg import BadInput, Corrupt, Dataset, Lineage, NotFound, Registry
from flowreg.core.codec import encode_entry
from flowreg.core.events import Parent, VersionRegistered
from flowreg.core.layout import entry_path
from flowreg.storage.hashing import digest_of_path
from tests.conftest import Root

from .conftest import LAKE, Family, made_by


def names(found: Lineage, kind: str = "version") -> list[str]:
    """The names of the nodes of a kind but those that were asked about."""
    return sorted(node.name for node in found.nodes if node.kind == kind and node.id not in found.roots)


def test_a_version_has_an_origin_and_a_future(family: Family) -> None:
    """Up: parents, data, code, run. Down: children in other models, aliases. Without a direction both."""
    registry = family.registry
    up, down, both = (registry.lineage("churn@1", direction=way) for way in ("up", "down", None))

    assert up.versions == ("base@1",)
    assert (names(up, "dataset"), names(up, "deployment")) == (["holdout", LAKE], ["retrain/nightly"])
    assert [name[:6] for name in names(up, "commit")] == ["3fa9c1", "3fb000"]
    assert (down.versions, names(down, "alias")) == (("risk/score@1",), ["churn@champion"])
    assert {n.id for n in both.nodes} == {n.id for n in up.nodes} | {n.id for n in down.nodes}
    assert (up.direction, both.direction, up.as_of, up.unread) == ("up", "both", None, ())


def test_a_moving_reference_is_what_it_names_now(family: Family) -> None:
    """``churn@champion``, ``churn@newest``, and a version that was returned before."""
    registry = family.registry
    roots = [registry.lineage(ref, direction="up").roots for ref in ("churn@champion", "churn@newest", registry.get("churn@2"))]

    assert roots[0] == roots[1] == roots[2]
    assert registry.lineage("churn@2").node(roots[0][0]).name == "churn@2"


def test_standing_is_told(family: Family) -> None:
    """Who holds an alias now and who held it, who is retired, whose bytes are dropped."""
    registry = family.registry
    found = registry.lineage(data=LAKE, direction="down")
    by_name = {node.name: node.facts for node in found.nodes}
    spans = {found.node(e.source).name: (e.facts["since"][11:16], e.facts["until"]) for e in found.edges if e.relation == "alias"}

    assert (by_name["churn@1"]["retired"], by_name["churn@2"]["retired"]) == ("leaks", None)
    assert (by_name["churn@1"]["aliases"], by_name["churn@2"]["aliases"]) == ((), ("champion",))
    assert spans == {"churn@1": ("09:04", "2026-11-22T09:06:00.000Z"), "churn@2": ("09:06", None)}


def test_dropped_bytes_are_told(family: Family) -> None:
    """The record stays, and says that there is nothing to load."""
    from datetime import timedelta

    family.registry.collect(dry_run=False, grace=timedelta(0), retired=True)
    found = family.registry.lineage("churn@1")

    assert found.node(found.roots[0]).facts["dropped"]


@pytest.mark.parametrize(
    "how", ["uri", "digest", "start of the digest", "path", "text of a path", "file URI", "dataset", "dataset by digest"]
)
def test_every_version_trained_on_a_file(family: Family, how: str) -> None:
    """Asked by any name it has, or by what is in it; those made from such a version, too."""
    digest = digest_of_path(family.file)
    data: Any = {
        "uri": LAKE, "digest": digest, "start of the digest": digest[:17], "path": family.file, "text of a path": str(family.file),
        "file URI": family.file.as_uri(), "dataset": Dataset(LAKE), "dataset by digest": Dataset("elsewhere", digest=digest),
    }[how]  # fmt: skip
    found = family.registry.lineage(data=data, direction="down")

    assert sorted(found.versions) == ["base@1", "churn@1", "churn@2", "risk/score@1"]
    trained = {found.node(edge.target).name for edge in found.edges if edge.relation == "trained"}
    assert trained == {"base@1", "churn@2"}


def test_a_frame_is_what_is_in_it(family: Family) -> None:
    """Registered as a frame, asked for as an equal one."""
    import pandas

    family.registry.register("x", {"w": 9}, trust="pickle", data=[pandas.DataFrame({"age": [31, 44]})])

    assert family.registry.lineage(data=pandas.DataFrame({"age": [31, 44]}), direction="down").versions == ("x@1",)
    with pytest.raises(NotFound):
        family.registry.lineage(data=pandas.DataFrame({"age": [31, 45]}))


def test_a_folder_is_what_it_is_called(family: Family, tmp_path: Path) -> None:
    """It has no digest."""
    (tmp_path / "lake").mkdir()
    family.registry.register("x", {"w": 9}, trust="pickle", data=[Dataset((tmp_path / "lake").as_uri())])

    assert family.registry.lineage(data=tmp_path / "lake", direction="down").versions == ("x@1",)


def test_a_file_with_other_bytes_is_another_file(family: Family) -> None:
    """And the refusal says what was looked for."""
    family.file.write_bytes(b"changed")

    with pytest.raises(NotFound) as refused:
        family.registry.lineage(data=family.file)

    assert digest_of_path(family.file) in str(refused.value)


def test_measured_on_is_not_trained_on(family: Family) -> None:
    """A holdout leads to the versions that were measured on it and to nothing that was made of them."""
    found = family.registry.lineage(data="holdout", direction="down")

    assert found.versions == ("churn@1",)
    assert {edge.relation for edge in found.edges} == {"measured", "read"}


@pytest.mark.parametrize("name", ["2", "fox-2", "retrain/fox-2"])
def test_by_run(family: Family, name: str) -> None:
    """By its id, its name, or with the flow's."""
    up, down = (family.registry.lineage(run=name, direction=way) for way in ("up", "down"))

    assert (up.versions, names(up, "dataset")) == (("base@1",), ["holdout", LAKE])
    assert down.versions == ("churn@1", "risk/score@1")


def test_by_commit(family: Family) -> None:
    """By its first digits; where several begin like that, all of them."""
    one, two = (family.registry.lineage(commit=start, direction="down") for start in ("3FA9", "3fb0"))

    assert sorted(one.versions) == ["base@1", "churn@1", "risk/score@1"]
    assert sorted(two.versions) == ["churn@1", "risk/score@1"]
    family.registry.register("x", {"w": 9}, trust="pickle", run=made_by("7", commit="3fa9c1" + "1" * 34))
    assert len(family.registry.lineage(commit="3fa9c1").roots) == 2


def test_a_reproduction_is_told(family: Family) -> None:
    """It is below what it was made again from the record of."""
    folder, journals = family.folder, family.registry._journals
    state = journals.of("churn").state()
    original = Parent(model="churn", version=2, manifest=state.versions[1].manifest)
    again = VersionRegistered(version=3, manifest=original.manifest, loader="pickle", size_bytes=1, file_count=1, reproduces=original)
    journals.transact("churn", lambda state, _: [again])
    found = Registry(folder).lineage("churn@2", direction="down")

    assert ("churn@3", "reproduced") in [(found.node(edge.target).name, edge.relation) for edge in found.edges]


# ---- the past ----


def at(minute: int) -> str:
    return f"2026-11-22T09:{minute:02d}:30Z"


def test_each_moment_has_its_answer(family: Family) -> None:
    """Versions, holders and retirement as they were then."""
    registry = family.registry
    found: Mapping[int, Lineage] = {m: registry.lineage("base@1", direction="down", as_of=at(m)) for m in (1, 3, 4, 6, 8, 9)}

    assert [len(of.versions) for of in found.values()] == [0, 1, 1, 1, 2, 2]
    assert [names(of, "alias") for of in found.values()] == [[], [], *[["churn@champion"]] * 4]
    churn = [next(n.facts for n in found[m].nodes if n.name == "churn@1") for m in (4, 6, 8, 9)]
    assert [facts["aliases"] for facts in churn] == [("champion",), (), (), ()]
    assert [facts["retired"] for facts in churn] == [None, None, None, "leaks"]
    assert found[4].as_of == "2026-11-22T09:04:30.000Z"
    assert registry.lineage("base@1", direction="down").versions == found[9].versions  # the present is not overwritten


def test_what_was_not_there_yet_is_not_found(family: Family) -> None:
    """By version and by data; upwards and in all directions."""
    for asked in ({"ref": "churn@2"}, {"ref": "churn@2", "direction": "up"}, {"data": "s3://lake/more.parquet"}):
        with pytest.raises(NotFound):
            family.registry.lineage(**asked, as_of=at(4))  # type: ignore[arg-type]
        assert family.registry.lineage(**asked, as_of=at(5)).roots  # type: ignore[arg-type]


# ---- what is wrong ----


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ({"ref": "churn@9"}, "no-version", "churn@9"),
        ({"ref": "nobody@1", "direction": "up"}, "no-version", "nobody@1"),
        ({"data": "s3://lake/nothing"}, "no-data", "searched: 4 versions of 3 models"),
        ({"data": "sha256:aa"}, "no-data", "sha256:aa"),
        ({"run": "nobody"}, "no-run", "flow run id or name"),
        ({"commit": "3fa"}, "no-commit", "at least 4 digits"),
        ({"commit": "beef"}, "no-commit", "searched: 4 versions"),
    ],
)
def test_what_is_not_recorded_is_not_found(family: Family, asked: Mapping[str, Any], code: str, said: str) -> None:
    """The text says what was searched."""
    with pytest.raises(NotFound) as refused:
        family.registry.lineage(**asked)

    assert refused.value.code == code
    assert said in str(refused.value)


def test_a_password_in_a_uri_is_not_repeated(family: Family) -> None:
    """Nor is it looked for: what is recorded without it is found."""
    with pytest.raises(NotFound) as refused:
        family.registry.lineage(data="s3://key:hunter2@lake/nothing?token=hunter2")

    assert "hunter2" not in str(refused.value)
    secret = LAKE.replace("s3://", "s3://key:hunter2@")
    assert family.registry.lineage(data=secret).roots == family.registry.lineage(data=Dataset(secret)).roots


@pytest.mark.parametrize(
    "asked",
    [{}, {"ref": "churn@1", "run": "2"}, {"ref": "churn@1", "direction": "left"}, {"ref": "churn"}, {"data": Dataset()}, {"run": " "}],
)
def test_a_question_that_is_none_is_refused(family: Family, asked: Mapping[str, Any]) -> None:
    """One thing in one direction."""
    with pytest.raises(BadInput):
        family.registry.lineage(**asked)


@pytest.mark.parametrize("warm", [False, True])
def test_a_damaged_model_costs_only_what_it_knows(family: Family, warm: bool) -> None:
    """The others answer, and say which could not be read; a question about the damaged one is an error."""
    registry = family.registry if warm else Registry(family.folder)
    if warm:
        assert registry.lineage("base@1", direction="down").versions
    _damage(family.folder, "churn", warm)
    for _ in range(2):
        found = registry.lineage("base@1", direction="down")
        assert (found.versions, [model.model for model in found.unread]) == ((), ["churn"])
    assert [m.model for m in registry.lineage("risk/score@1", direction="up").unread] == ["churn"]
    with pytest.raises(Corrupt):
        registry.lineage("churn@1")
    with pytest.raises(NotFound, match="not searched, since they cannot be read: churn"):
        registry.lineage(data="s3://lake/more.parquet")


def _damage(folder: Path, model: str, warm: bool) -> None:
    """An entry that contradicts the chain: the second, or after the last where all others are known already."""
    journal = folder / "models" / model / "journal"
    seq = len(list(journal.iterdir())) + 1 if warm else 2
    state = Registry(folder)._journals.of(model)
    first = next(iter(state.slots()))
    said = first.said.model_copy(update={"seq": seq, "parent": "sha256:" + "0" * 64})  # type: ignore[union-attr]
    (folder / entry_path(model, seq)).write_bytes(encode_entry(said))
    shutil.rmtree(folder / "models" / model / "checkpoints", ignore_errors=True)


@pytest.mark.s3
def test_on_s3(s3_root: Root) -> None:
    """The same on object storage, by another process's registry."""
    registry = Registry(s3_root.url, storage_options=s3_root.storage_options)
    registry.register("base", {"w": 1}, trust="pickle", data=[LAKE])
    registry.register("churn", {"w": 2}, trust="pickle", parents=["base@1"])
    other = Registry(s3_root.url, storage_options=s3_root.storage_options)

    assert other.lineage(data=LAKE, direction="down").versions == ("base@1", "churn@1")
    registry.register("late", {"w": 3}, trust="pickle", parents=["churn@1"])
    assert other.lineage("base@1", direction="down").versions == ("churn@1", "late@1")
    assert other.lineage("late@1", direction="up").versions == ("churn@1", "base@1")
