"""Bad input: each a BadInput that says the allowed form; nothing written, nothing executed, no hang."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowreg import Registry
from flowreg.core.events import Dataset
from flowreg.errors import BadInput, FlowregError
from tests.registry.conftest import everything

Artifact = Callable[[str], Path]
LONG, SURROGATE = "x" * 10**6, "\ud800"

REGISTER: dict[str, dict[str, Any]] = {
    "a model that climbs": {"model": "../churn"},
    "a model of a megabyte": {"model": LONG},
    "a model of namespaces": {"model": "/".join("a" * 100)},
    "no file": {"artifact": "no such file"},
    "a path of a megabyte": {"artifact": LONG},
    "a path with a zero": {"artifact": "a\0b"},
    "no path": {"artifact": ""},
    "a device": {"artifact": "/dev/zero"},
    "true for a metric": {"metrics": {"auc": True}},
    "text for a metric": {"metrics": {"auc": "0.9"}},
    "a huge integer": {"metrics": {"auc": 10**400}},
    "a metric named by a surrogate": {"metrics": {SURROGATE: 1}},
    "a huge n": {"metrics": {"auc": 1, "n": 2.0**60}},
    "metrics in a list": {"metrics": [0.9]},
    "a bad slice": {"metrics": {"auc": 1}, "slices": {"region": {"auc": 1}}},
    "a slice twice": {"slices": {"a=1,b=2": {"auc": 1}, "b=2,a=1": {"auc": 2}}},
    "a good slice and a bad path": {"slices": {"a=1": {"auc": 1}}, "artifact": "no such file"},
    "a dataset of surrogates": {"metrics": {"auc": 1}, "on": Dataset(name=SURROGATE)},
    "a dataset of too many rows": {"metrics": {"auc": 1}, "on": Dataset(name="a", rows=2**60)},
    "data that is a number": {"data": 5},
    "data of a megabyte": {"data": [Dataset(uri=LONG)]},
    "a param of a megabyte": {"params": {"a": LONG}},
    "a param that is an object": {"params": {"a": object()}},
    "params with a loop": {"params": {"a": (lambda loop: (loop.extend([loop] * 50), loop)[1])([])}},
    "labels beyond an entry": {"labels": {f"l{n}": "x" * 2000 for n in range(1000)}},
    "a label of a surrogate": {"labels": {"a": SURROGATE}},
    "a key of control characters": {"key": "a\x00"},
    "a reason of a megabyte": {"because": LONG},
    "a card of a surrogate": {"card": SURROGATE},
    "a card that is bytes": {"card": b"# x"},
    "a signature that is a number": {"signature": 5},
    "parents that are a number": {"parents": 5},
    "a parent that cannot be read": {"parents": ["churn"]},
    "a run that is none": {"run": "f1"},
    "trust in anything": {"trust": True},
}


@pytest.mark.parametrize("case", REGISTER)
@pytest.mark.parametrize("fresh", [True, False], ids=["fresh", "used"])
def test_what_cannot_be_registered_writes_nothing(registry: Registry, artifact: Artifact, folder: Path, case: str, fresh: bool) -> None:
    """On a root that does not exist yet, and on one that is in use."""
    if not fresh:
        registry.register("churn", artifact("a"))
        registry.flush()
    before = everything(folder)
    wanted = {"model": "churn", "artifact": artifact("b"), **REGISTER[case]}

    with pytest.raises(BadInput) as error:
        registry.register(wanted.pop("model"), wanted.pop("artifact"), **wanted)
    registry.flush()

    assert everything(folder) == before
    assert len(str(error.value)) < 1500
    assert str(error.value).isprintable() or "\n" in str(error.value)
    assert all(line.isprintable() for line in str(error.value).split("\n"))


def test_special_files_are_refused(registry: Registry, artifact: Artifact, folder: Path, tmp_path: Path) -> None:
    """A pipe does not hang, a link is not followed, wherever they stand."""
    inside = tmp_path / "inside"
    inside.mkdir()
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(inside / "pipe")
    (tmp_path / "link").symlink_to(artifact("a"))
    (tmp_path / "link-to-folder").symlink_to(inside)
    (tmp_path / "dangling").symlink_to("nowhere")

    for name in ("pipe", "link", "link-to-folder", "dangling", "inside"):
        with pytest.raises(BadInput):
            registry.register("churn", tmp_path / name)
        with pytest.raises(BadInput):
            registry.register("churn", tmp_path / name, loader="files")

    assert everything(folder) == {}


OTHER: dict[str, Callable[[Registry], Any]] = {
    "evaluate nothing readable": lambda r: r.evaluate("churn", {"auc": 1}),
    "evaluate with a bad reason": lambda r: r.evaluate("churn@1", {"auc": 1}, slices={"a=1": {"auc": 1}}, because=LONG),
    "evaluate with a bad evaluator": lambda r: r.evaluate("churn@1", {"auc": 1}, examples=__file__, evaluator=SURROGATE),
    "evaluate with a bad key": lambda r: r.evaluate("churn@1", {"auc": 1}, examples=__file__, key=""),
    "evaluate with no such examples": lambda r: r.evaluate("churn@1", {"auc": 1}, slices={"a=1": {"auc": 1}}, examples="no such file"),
    "label with a number": lambda r: r.label("churn@1", {"a": 5}),  # type: ignore[dict-item]
    "promote to newest": lambda r: r.promote("churn@1", to="newest"),
    "promote to v1": lambda r: r.promote("churn@1", to="v1"),
    "promote with a bad reason": lambda r: r.promote("churn@1", to="champion", because=SURROGATE),
    "promote with a bad run": lambda r: r.promote("churn@1", to="champion", run=5),
    "rollback of a number": lambda r: r.rollback("churn@1", because="x"),
    "rollback without a reason": lambda r: r.rollback("churn@mine", because=" "),
    "retire without a reason": lambda r: r.retire("churn@1", because=""),
    "restore without a reason": lambda r: r.restore("churn@1", because=None),  # type: ignore[arg-type]
    "remove what is no alias": lambda r: r.remove_alias("churn@1"),
    "remove a policy without a reason": lambda r: r.remove_policy("x", because=""),
    "a digest too short": lambda r: r.get("churn@sha256:00000"),
}


@pytest.mark.parametrize("case", OTHER)
def test_what_cannot_be_meant_writes_nothing(registry: Registry, artifact: Artifact, folder: Path, case: str) -> None:
    """By any other method."""
    registry.register("churn", artifact("a"))
    registry.promote("churn@1", to="mine")
    registry.flush()
    before = everything(folder)

    with pytest.raises(BadInput):
        OTHER[case](registry)
    registry.flush()

    assert everything(folder) == before


@pytest.mark.parametrize("actor", ["", "a\0b", SURROGATE, LONG, 5])
def test_an_actor_is_a_printable_name(folder: Path, actor: Any) -> None:
    """Said when the registry is opened."""
    with pytest.raises(BadInput):
        Registry(folder, actor=actor)


def test_a_stranger_in_the_environment_is_appears_in_no_entry(folder: Path, artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control character in FLOWREG_ACTOR would stand in every history."""
    monkeypatch.setenv("FLOWREG_ACTOR", "ana\x1b[31m")

    with pytest.raises(BadInput, match="actor"):
        Registry(folder).register("churn", artifact("a"))

    assert [name for name in everything(folder) if not name.startswith("blobs/")] == []


ROW = {"slice": {"a": "b"}, "metric": "auc", "value": 1, "n": 1}
ODD = [{"slice": 5}, {"slice": {"a": 1}}, {"value": "high"}, {"value": True}, {"metric": 5}, {"n": "x"}]
JUNK: list[Any] = [5, [5], [{}], *([{**ROW, **odd}] for odd in ODD)]


def test_a_table_of_junk_is_corrupt_and_blocks(registry: Registry, artifact: Artifact, folder: Path) -> None:
    """Somebody recorded an evaluation whose table is not one: the gates do not run on it."""
    from flowreg.core.codec import encode
    from flowreg.core.events import Evaluated
    from flowreg.errors import Corrupt
    from flowreg.storage import blobs
    from tests.registry.conftest import policy

    registry.register("churn", artifact("a"), metrics={"auc": 0.9}, on="holdout")
    registry.set_policy(policy())
    for rows in JUNK:
        table = blobs.put(registry._store, encode({"rows": rows}))
        registry._journals.transact("churn", lambda state, _, table=table: [Evaluated(version=1, table=table)])

        with pytest.raises(Corrupt, match="sliced values"):
            registry.promote("churn@1", to="champion")
    with pytest.raises(FlowregError):
        registry.get("churn@champion")
