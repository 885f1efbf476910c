"""Collections against registrations of the very bytes that they remove, by real processes on a real disk and a real S3 server."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path

import pytest

from flowreg import Refused, Registry
from flowreg.core.codec import digest_of
from tests.collect.test_interleavings import NOW
from tests.conftest import Root

TIMES = 4  # that each content is registered
PATIENCE_S = 0.5  # with the collector


def _register(root: Root, folder: str, writer: int, rounds: int) -> int:
    """Every writer registers its contents, each several times, to a model of its own; how many of them it has in the end.

    A version is retired at once, and the same bytes come again while the collector goes on: as soon as somebody else sees that it drops
    them, or that it dooms them. The last time the version is wanted back, which the collector may forestall.
    """
    registry, watcher = (Registry(root[0], storage_options=root[1], actor=f"{name}{writer}") for name in ("writer", "watcher"))
    restored = 0
    for number in range(rounds):
        content = b"the same %d of %d" % (number, writer)
        file = Path(folder, f"content{writer}")
        file.write_bytes(content)
        for turn in range(TIMES - 1):
            version = registry.register(f"model{writer}", file)
            dooms = _dooms(watcher, content)
            registry.retire(version, because="race")
            _wait_for(lambda v=version: watcher.get(v).dropped is not None)
            if (number + turn) % 3:
                _wait_for(lambda dooms=dooms, content=content: _dooms(watcher, content) > dooms)
        with contextlib.suppress(Refused):
            restored += registry.restore(registry.register(f"model{writer}", file), because="race").dropped is None
    return restored


def _dooms(watcher: Registry, content: bytes) -> int:
    return watcher._journals.registry.state().doomed.get(digest_of(content), 0)


def _wait_for(seen: Callable[[], bool]) -> None:
    """It may never come: somebody else may be first."""
    deadline = time.monotonic() + PATIENCE_S
    while not seen() and time.monotonic() < deadline:
        pass


def _collect(root: Root, done: str) -> int:
    """One collection after the other while there are writers; how many blobs went."""
    registry, dropped = Registry(root[0], storage_options=root[1], actor="collector"), 0
    while not Path(done).exists():
        dropped += len(registry.collect(dry_run=False, grace=NOW, retired=True).dropped)
    return dropped


def _raced(root: Root, folder: Path, rounds: int) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        collector = pool.submit(_collect, root, str(folder / "done"))
        writers = [pool.submit(_register, root, str(folder), writer, rounds) for writer in range(2)]
        wait(writers)
        (folder / "done").touch()
        restored, removed = sum(writer.result() for writer in writers), collector.result()
    registry = Registry(root[0], storage_options=root[1])
    there = [version for writer in range(2) for version in registry.versions(f"model{writer}") if not version.retired]
    assert registry.check(read_data=True).faults == ()
    assert len({version.digest for version in there}) == restored
    assert removed, "the collector was part of the race"


LONG = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.mark.parametrize(
    ("where", "rounds"),
    [
        ("local", 2),
        pytest.param("seaweed", 1, marks=pytest.mark.s3),
        pytest.param("local", 100, marks=LONG),
        pytest.param("seaweed", 30, marks=[*LONG, pytest.mark.s3]),
    ],
)
def test_no_visible_version_loses_a_byte(where: str, rounds: int, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Whatever the collector removed meanwhile, every version has its bytes or says that they were dropped."""
    server = request.getfixturevalue(where) if where != "local" else None
    _raced(Root(f"{server.new_prefix()}/r", server.storage_options) if server else Root(str(tmp_path / "r"), {}), tmp_path, rounds)
