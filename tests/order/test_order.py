"""Eight writers and eight readers on a few models, with a nemesis: each model's journal is linearizable afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from flowreg import Registry
from tests.conftest import Root
from tests.servers.counting_proxy import CountingProxy
from tests.servers.s3 import S3Server

from .checker import READS, Violation, violations
from .nemesis import Trouble, live_through, losing_replies
from .observed import Operation
from .workload import Run, written

MODELS = ("churn", "risk/fraud", "price")


@pytest.mark.parametrize("seconds", [4, pytest.param(150, marks=pytest.mark.slow)])
def test_everybody_saw_one_order_on_local_disk(root: Root, tmp_path: Path, seconds: int) -> None:
    """Writers are killed and come back all the time."""
    seen, found = lived(root, tmp_path, seconds, None)

    assert found == []
    require_life(seen)


@pytest.mark.s3
@pytest.mark.parametrize("seconds", [pytest.param(180, marks=pytest.mark.slow)])  # in seconds too little happens
def test_everybody_saw_one_order_on_s3(counted_s3: tuple[S3Server, CountingProxy], tmp_path: Path, seconds: int) -> None:
    """Writers are killed, and answers of the server are lost after it has acted."""
    server, proxy = counted_s3
    root = Root(f"{server.new_prefix()}/registry", server.storage_options)
    seen, found = lived(root, tmp_path, seconds, losing_replies(proxy))

    assert found == []
    require_life(seen)
    assert any(request.lost for request in proxy.requests)


def lived(root: Root, folder: Path, seconds: float, trouble: Trouble | None) -> tuple[list[Operation], list[tuple[str, Violation]]]:
    """What was seen in such a run, and what in it contradicts the journals and the check."""
    (folder / "diaries").mkdir()
    run = Run(root.url, folder / "diaries", MODELS, time.monotonic() + seconds, root.storage_options)
    seen = live_through(run, seed=seconds, kill_every_s=min(0.5, seconds / 10), trouble=trouble)
    registry = Registry(root.url, storage_options=root.storage_options)
    found = [
        (model, violation) for model in MODELS for violation in violations(written(registry, model), [o for o in seen if o.model == model])
    ]
    assert registry.check().faults == ()
    return seen, found


def require_life(seen: Sequence[Operation]) -> None:
    """A run in which nothing happened proves nothing."""
    done = Counter(operation.kind for operation in seen if operation.outcome == "done")

    assert done["register"]
    assert sum(done[kind] for kind in ("evaluate", "promote", "rollback"))
    assert sum(done[kind] for kind in READS) >= 10
    assert any(operation.answered is None for operation in seen)  # somebody was killed in the middle
