"""One of every operation that writes, each as a request that may be repeated: the same one again makes no twin."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from flowreg import Policy, Registry
from tests.conftest import Root

Operation = Callable[[Registry, Path], object]
POLICY = Policy.model_validate({"policy": "high", "models": ["churn"], "alias": "champion", "gates": ["auc >= 0.5"]})


def prepared(root: Path | Root, artifact: Path) -> None:
    """A registry with something to lose: two versions, an alias that has moved, a retired version, an orphan."""
    artifact.mkdir()
    for name in ("a", "b"):
        (artifact / name).write_bytes(name.encode() * 3_000)
    registry = opened(root)
    for n in (1, 2, 3):
        registry.register("churn", _file(artifact.parent, n), key=f"k{n}", metrics={"auc": 0.9}, on="holdout")
    registry.promote("churn@1", to="champion")
    registry.promote("churn@2", to="champion")
    registry.retire("churn@3", because="not good")
    registry.flush()


def opened(root: Path | Root) -> Registry:
    return Registry(root.url, storage_options=root.storage_options) if isinstance(root, Root) else Registry(root)


def _file(folder: Path, n: int) -> Path:
    path = folder / f"model-{n}.bin"
    path.write_bytes(b"%d" % n * 1_000)
    return path


def retired_again(registry: Registry, _: Path) -> object:
    if registry.get("churn@1").retired is None:
        return registry.retire("churn@1", because="old")
    return None


def restored(registry: Registry, _: Path) -> object:
    return registry.restore("churn@3", because="good after all") if registry.get("churn@3").retired is not None else None


def rolled_back(registry: Registry, _: Path) -> object:
    return registry.rollback("churn@champion", because="bad") if registry.get("churn@champion").number == 2 else None


def with_policy(registry: Registry, _: Path) -> object:
    registry.set_policy(POLICY)
    return registry.promote("churn@1", to="champion", because="gates pass")


def held(registry: Registry, _: Path) -> object:
    return registry.hold("churn@1", because="a case") if registry.get("churn@1").held is None else None


def new_model(registry: Registry, artifact: Path) -> object:
    return registry.register("risk/new", artifact, key="first")


def fetched(registry: Registry, artifact: Path) -> object:
    """Into a folder that was not there; all that ever came of it is whole."""
    registry.fetch("churn@2", artifact.parent / f"out-{secrets.token_hex(4)}")
    for folder in artifact.parent.glob("out-*"):
        assert (folder / "model-2.bin").read_bytes() == b"2" * 1_000
    return None


OPERATIONS: dict[str, Operation] = {
    "register a folder": lambda r, a: r.register(
        "churn", a, key="again", metrics={"auc": 0.8}, on="holdout", card="# it", labels={"a": "b"}
    ),
    "register a new model": new_model,
    "evaluate": lambda r, _: r.evaluate("churn@1", {"auc": 0.7}, on="later", slices={"a=b": {"auc": 0.6}}, key="later"),
    "label": lambda r, _: r.label("churn@1", {"team": "risk"}),
    "promote": lambda r, _: r.promote("churn@1", to="challenger"),
    "policy and promote": with_policy,
    "roll back": rolled_back,
    "retire": retired_again,
    "restore": restored,
    "hold": held,
    "fetch": fetched,
    "collect": lambda r, _: r.collect(dry_run=False, grace=timedelta(0)),
}
