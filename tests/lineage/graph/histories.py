"""States of models as journals would make them, without a file: say what happens, and replay it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from flowreg.core.codec import Entry
from flowreg.core.events import AliasMoved, By, Dataset, Envelope, Evaluated, Event, Git, Parent, Retired, Run, VersionRegistered
from flowreg.core.replaying import replay
from flowreg.core.state import EMPTY, ModelState

BY = By(actor="ana")


def digest(number: int) -> str:
    return "sha256:" + hashlib.sha256(b"%d" % number).hexdigest()


def manifest(model: str, number: int) -> str:
    return digest(sum(map(ord, model)) * 1000 + number)


def parent(model: str, number: int) -> Parent:
    return Parent(model=model, version=number, manifest=manifest(model, number))


def version(model: str, number: int, **said: Any) -> VersionRegistered:
    return VersionRegistered(version=number, manifest=manifest(model, number), loader="files", size_bytes=1, file_count=1, **said)


def run(id: str, *, commit: str | None = None, called_by: str | None = None, deployment: str | None = None, dirty: bool = False) -> Run:
    git = Git(commit=commit, dirty=dirty) if commit else None
    return Run(flow="retrain", flow_run=id, flow_run_name=f"fox-{id}", git=git, parent_flow_run=called_by, deployment=deployment)


def told(model: str, events: Iterable[Sequence[Event]], start: ModelState = EMPTY) -> ModelState:
    """The state after entries with these events, one minute apart."""
    state = start
    for happened in events:
        seq = state.seq + 1
        said = Envelope(
            model=model, seq=seq, parent=state.digest, id=f"{seq}", at=f"2026-11-22T{seq // 60:02d}:{seq % 60:02d}:00.000Z", by=BY,
            because="so it is", events=tuple(happened),
        )  # fmt: skip
        state = replay([Entry(said, digest(seq))], state)
        assert not state.voids, state.voids
    return state


def family() -> dict[str, ModelState]:
    """``base@1`` from a file; ``churn@1`` and ``churn@2`` made from it, measured on ``holdout``; ``risk@1`` from ``churn@2``."""
    lake = Dataset("s3://lake/c.parquet", digest=digest(7), role="train", rows=12)
    return {
        "base": told("base", [[version("base", 1, data=(lake,), run=run("1", commit="3fa9c1", deployment="retrain/nightly"))]]),
        "churn": told(
            "churn",
            [
                [version("churn", 1, parents=(parent("base", 1),), run=run("2", commit="3fa9c2", called_by="9", dirty=True))],
                [Evaluated(version=1, dataset="holdout", dataset_digest=digest(8), metrics={"auc": 0.9}, run=run("3"))],
                [AliasMoved(alias="champion", version=1, how="set")],
                [version("churn", 2, parents=(parent("base", 1),), data=(Dataset("s3://lake/d.parquet"),), reproduces=parent("churn", 1))],
                [AliasMoved(alias="champion", version=2, base=1, how="set")],
                [Retired(version=1)],
            ],
        ),
        "risk": told("risk", [[version("risk", 1, parents=(parent("churn", 2), parent("gone", 4)))]]),
    }
