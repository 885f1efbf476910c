"""Serving: the right version, from as few reads as can be, on every kind of root."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowreg import BadInput, Corrupt, NotFound, Refused, Registry, Signature, serving
from flowreg.core.layout import head_path
from flowreg.serving import Reader
from tests.conftest import Root


@pytest.fixture
def served(any_root: Root) -> tuple[Registry, Reader]:
    """A registry with three versions, champion moved twice, and a reader of it."""
    url, options = any_root
    registry = Registry(url, storage_options=options)
    for weight in (1, 2, 3):
        registry.register("risk/churn", {"w": weight}, trust="pickle")
    registry.promote("risk/churn@1", to="champion")
    registry.promote("risk/churn@3", to="champion")
    registry.flush()
    return registry, Reader(url, storage_options=options)


def test_every_reference_resolves_to_its_version(served: tuple[Registry, Reader]) -> None:
    """Fixed, moving, back, newest and by digest: on every kind of root."""
    registry, reader = served
    digest = registry.get("risk/churn@2").digest

    found = {ref: reader.resolve(f"risk/churn@{ref}").number for ref in ("2", "champion", "champion~1", "newest", digest[:15])}

    assert list(found.values()) == [2, 3, 1, 3, 2]


def test_an_alias_that_moved_a_moment_ago_is_seen(served: tuple[Registry, Reader]) -> None:
    """However stale the head is, a fresh resolve gives the present holder."""
    registry, reader = served
    assert reader.resolve("risk/churn@champion").number == 3

    registry.promote("risk/churn@2", to="champion")  # its head is not written yet

    assert reader.resolve("risk/churn@champion").number == 2


def test_a_stale_answer_is_had_only_where_it_is_asked_for(any_root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``fresh=False`` the last written head answers, in one read."""
    url, options = any_root
    writer = Registry(url, storage_options=options)
    writer.register("m", {"w": 1}, trust="pickle")
    writer.promote("m@1", to="champion")
    writer.flush()
    monkeypatch.setattr(writer._journals.caches, "note", lambda *_: None)  # the writer dies before it writes the next head
    writer.register("m", {"w": 2}, trust="pickle")
    writer.promote("m@2", to="champion")

    assert Reader(url, storage_options=options).resolve("m@champion", fresh=False).number == 1
    assert Reader(url, storage_options=options).resolve("m@champion").number == 2


def test_what_is_loaded_is_what_was_registered(served: tuple[Registry, Reader], tmp_path: Path) -> None:
    """Loading and fetching go by the same reference; the stamp says which version made a prediction."""
    _, reader = served
    resolved = reader.resolve("risk/churn@champion")

    assert reader.load(resolved, trust=True) == {"w": 3}
    assert [p.name for p in reader.fetch("risk/churn@champion~1", tmp_path / "files").iterdir()] == ["model.pkl"]
    assert resolved.stamp == f"risk/churn@3+{resolved.digest[7:13]}"


@pytest.mark.parametrize(
    ("ref", "error"),
    [("risk/churn@9", NotFound), ("risk/churn@challenger", NotFound), ("nobody@1", NotFound), ("risk/churn@sha256:ffffff", NotFound),
     ("risk/churn", BadInput), ("../etc@1", BadInput)],
)  # fmt: skip
def test_what_is_not_there_is_said(served: tuple[Registry, Reader], ref: str, error: type[Exception]) -> None:
    """A missing version, alias or model is ``NotFound``, a reference that cannot be meant ``BadInput``."""
    with pytest.raises(error):
        served[1].resolve(ref)


def test_a_pickle_is_not_loaded_unasked(served: tuple[Registry, Reader]) -> None:
    """Trust is given by whoever loads, not by whoever registered."""
    with pytest.raises(Refused, match="runs code from whoever wrote it"):
        served[1].load("risk/churn@champion")


def test_a_request_is_checked_against_the_recorded_input(any_root: Root) -> None:
    """By the signature of the version that an alias names now; None where none was recorded."""
    url, options = any_root
    registry, reader = Registry(url, storage_options=options), Reader(url, storage_options=options)
    registry.register("churn", {"w": 1}, trust="pickle")
    assert reader.signature("churn@1") is None
    registry.register("churn", {"w": 2}, trust="pickle", signature=Signature.of({"age": [41, 25], "city": ["Bonn", None]}))
    registry.promote("churn@2", to="champion")

    signature = reader.signature("churn@champion")

    assert signature is not None
    assert signature.violations([{"age": 41, "city": "Kiel"}]) == ()
    assert "age" in str(signature.violations([{"age": "41", "city": "Kiel"}]))


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"digest":"sha256:00","head":{}}', b"\xff" * 100])
def test_a_damaged_head_changes_no_answer(tmp_path: Path, damage: bytes) -> None:
    """A head is a cache: torn, emptied or junk, the journal answers."""
    registry = Registry(tmp_path / "r")
    registry.register("m", {"w": 1}, trust="pickle")
    registry.promote("m@1", to="champion")
    registry.flush()
    (tmp_path / "r" / head_path("m")).write_bytes(damage)

    assert serving.resolve("m@champion", root=tmp_path / "r").number == 1


def test_the_functions_take_a_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a root, or with ``$FLOWREG_ROOT``, without making an object first."""
    Registry(tmp_path / "r").register("m", {"w": 5}, trust="pickle")
    loaded: Any = serving.load("m@newest", root=tmp_path / "r", trust=True)
    monkeypatch.setenv("FLOWREG_ROOT", str(tmp_path / "r"))

    assert loaded == serving.load("m@1", trust=True) == {"w": 5}
    assert serving.fetch("m@1", tmp_path / "files") == tmp_path / "files"


def test_a_head_without_its_entry_is_no_answer(tmp_path: Path) -> None:
    """The newest entry is gone and the head remembers it: that is a loss, and is said, not served."""
    registry = Registry(tmp_path / "r")
    registry.register("m", {"w": 1}, trust="pickle")
    registry.promote("m@1", to="champion")
    registry.flush()
    (tmp_path / "r/models/m/journal" / f"{2:020d}.json").unlink()

    with pytest.raises(Corrupt, match="entry 2 of m is gone"):
        serving.resolve("m@champion", root=tmp_path / "r")
    (line,) = Registry(tmp_path / "r").models()
    assert "entry 2 of m is gone" in (line.broken or "")
