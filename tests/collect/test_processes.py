"""Collections against registrations of the very bytes that they remove, by real processes on a real disk and a real S3 server."""

from __future__ import annotations

import contextlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from flowreg import Refused, Registry
from tests.collect.test_interleavings import NOW
from tests.conftest import Root


def _register(root: Root, folder: str, writer: int, rounds: int) -> int:
    """Every writer registers the same few contents, each to a model of its own and retired at once: its bytes may go again."""
    registry = Registry(root[0], storage_options=root[1], actor=f"writer{writer}")
    for turn in range(rounds):
        file = Path(folder, f"content{turn % 2}")
        version = registry.register(f"model{writer}", file)
        if turn % 2:
            registry.retire(version, because="race")
            with contextlib.suppress(Refused):  # the collector may have dropped its bytes first
                registry.restore(version, because="race")
    return rounds


def _collect(root: Root, rounds: int) -> int:
    registry = Registry(root[0], storage_options=root[1], actor="collector")
    return sum(len(registry.collect(dry_run=False, grace=NOW, retired=True).dropped) for _ in range(rounds))


def _raced(root: Root, folder: Path, rounds: int) -> None:
    for number in range(2):
        (folder / f"content{number}").write_bytes(b"the same %d" % number)
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        work: list[Any] = [pool.submit(_register, root, str(folder), writer, rounds) for writer in range(2)]
        work.append(pool.submit(_collect, root, rounds))
        assert [one.result() for one in work][:2] == [rounds] * 2
    assert Registry(root[0], storage_options=root[1]).check(read_data=True).faults == ()


@pytest.mark.parametrize("rounds", [3, pytest.param(300, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
@pytest.mark.parametrize("where", ["local", pytest.param("seaweed", marks=pytest.mark.s3)])
def test_no_visible_version_loses_a_byte(where: str, rounds: int, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Whatever the collector removed meanwhile, every version has its bytes or says that they were dropped."""
    server = request.getfixturevalue(where) if where != "local" else None
    _raced(Root(f"{server.new_prefix()}/r", server.storage_options) if server else Root(str(tmp_path / "r"), {}), tmp_path, rounds)
