"""One ``Registry`` among many who run at once: threads, asyncio, Prefect's and Dask's runners, forked children.

Nobody hangs, nothing is corrupt, and whatever was acknowledged is there, once.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flowreg import Registry
from tests.conftest import Root
from tests.servers.need import need_module


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.s3)])
def shared(request: pytest.FixtureRequest) -> Root:
    """A root on local disk, and one on S3, whose client has an event loop in a thread."""
    found: Root = request.getfixturevalue("root" if request.param == "local" else "s3_root")
    return found


def opened(root: Root) -> Registry:
    return Registry(root.url, storage_options=root.storage_options)


def one(registry: Registry, key: str) -> str:
    """What each of many does: writes, reads, moves an alias and reads again."""
    version = registry.register("churn", {"made by": key}, trust="pickle", key=key)
    assert registry.load(version, trust=True) == {"made by": key}
    registry.promote(version, to="newest-seen")
    assert registry.get("churn@newest").number >= version.number
    return version.ref


def require_all(root: Root, acknowledged: Iterable[str], *, asked: Iterable[str] | None = None) -> None:
    """Each acknowledged key is one version, no number is missing, nothing else is there, and the check finds no fault."""
    registry = opened(root)
    versions = registry.versions("churn")
    keys = [version.key for version in versions]

    assert [version.number for version in versions] == list(range(1, len(versions) + 1))
    assert len(keys) == len(set(keys))
    assert set(acknowledged) <= set(keys) <= set(acknowledged if asked is None else asked)
    assert [str(finding) for finding in registry.check(read_data=True).faults] == []


def test_sixteen_threads_share_one_registry(shared: Root) -> None:
    """Two lives each, all at once."""
    registry, keys = opened(shared), [f"{n}" for n in range(32)]
    with ThreadPoolExecutor(16) as pool:
        refs = list(pool.map(lambda key: one(registry, key), keys))

    assert len(set(refs)) == len(keys)
    require_all(shared, keys)


def test_asyncio_gathers_and_cancels(shared: Root) -> None:
    """Whoever is cancelled has happened or not, and finds out by asking again; the others do not notice."""
    registry, keys = opened(shared), [f"{n}" for n in range(16)]

    async def life() -> list[Any]:
        tasks = [asyncio.create_task(asyncio.to_thread(one, registry, key)) for key in keys]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks[::2]:
            task.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    ended = asyncio.run(life())

    assert [type(each) for each in ended if not isinstance(each, str | asyncio.CancelledError)] == []
    assert any(isinstance(each, asyncio.CancelledError) for each in ended)
    require_all(shared, [key for key, each in zip(keys, ended, strict=True) if isinstance(each, str)], asked=keys)
    for key in keys:
        one(registry, key)
    require_all(shared, keys)


@pytest.mark.prefect
@pytest.mark.usefixtures("prefect_env")
def test_prefects_thread_pool_shares_one_registry(root: Root) -> None:
    """Twelve tasks of one flow run, submitted at once."""
    from prefect import flow
    from prefect.task_runners import ThreadPoolTaskRunner

    from flowreg.prefect import register_model

    registry, keys = opened(root), [f"{n}" for n in range(12)]

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=8))
    def many() -> list[str]:
        futures = [register_model.submit("churn", {"n": key}, trust="pickle", key=key, registry=registry) for key in keys]
        return [future.result().ref for future in futures]

    assert sorted(many()) == sorted(f"churn@{n}" for n in range(1, 13))
    require_all(root, keys)


# ---- Dask ----


@pytest.fixture(scope="module", params=[False, True], ids=["threads", "processes"])
def dask(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of a cluster on this machine."""
    distributed = need_module("distributed", "pip install distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=2, processes=request.param, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def by_root(key: str, root: Root) -> str:
    return one(opened(root), key)


def by_block(key: str, block: Any) -> str:
    return one(block.get_registry(), key)


def test_dask_is_given_the_root_or_the_block(dask: Any, shared: Root) -> None:
    """Each worker opens the registry for itself; the block brings its options along."""
    from flowreg.prefect import ModelRegistry

    block = ModelRegistry(root=shared.url, storage_options=shared.storage_options)
    keys = [f"{n}" for n in range(6)]

    refs = dask.gather([
        *(dask.submit(by_root, key, shared, pure=False) for key in keys[::2]),
        *(dask.submit(by_block, key, block, pure=False) for key in keys[1::2]),
    ])  # fmt: skip

    assert len(set(refs)) == len(keys)
    require_all(shared, keys)


def test_a_registry_is_not_pickled(root: Root, dask: Any) -> None:
    """The error says what to pass instead."""
    registry = opened(root)

    with pytest.raises(TypeError, match="pass its root and open it where it is used"):
        pickle.dumps(registry)
    with pytest.raises(TypeError, match="serialize") as refused:
        dask.submit(one, registry, "a", pure=False).result()
    assert "pass its root and open it where it is used" in f"{refused.value} {refused.value.__cause__}"


@pytest.mark.prefect
@pytest.mark.usefixtures("prefect_env")
def test_prefects_dask_runner_is_given_the_block(root: Root) -> None:
    """Tasks of one flow run in processes of their own."""
    runners = need_module("prefect_dask", "pip install prefect-dask")
    from prefect import flow

    from flowreg.prefect import ModelRegistry, register_model

    block, keys = ModelRegistry(root=root.url), [f"{n}" for n in range(8)]
    cluster = {"n_workers": 2, "threads_per_worker": 2, "dashboard_address": None}

    @flow(task_runner=runners.DaskTaskRunner(cluster_kwargs=cluster))
    def many() -> list[str]:
        futures = [register_model.submit("churn", {"n": key}, trust="pickle", key=key, registry=block) for key in keys]
        return [future.result().ref for future in futures]

    assert sorted(many()) == sorted(f"churn@{n}" for n in range(1, 9))
    require_all(root, keys)


# ---- forks ----

FORKS = 5
FORKING = """
import json, os, signal, sys, threading
from tests.faults.test_hosts import FORKS, Root, one, opened

root, children, done = Root(*json.loads(sys.argv[1])), [], threading.Event()
registry = opened(root)

def append():
    number = 0
    while not done.is_set():
        one(registry, f"parent-{number}")
        print(f"parent-{number}", flush=True)
        number += 1

thread = threading.Thread(target=append)
thread.start()
for number in range(FORKS):
    sys.stdin.readline()
    child = os.fork()
    if child == 0:
        signal.alarm(90)
        one(registry, f"child-{number}")
        registry.flush()
        os._exit(0)
    children.append(child)
    one(registry, f"between-{number}")
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
done.set()
thread.join()
registry.flush()
sys.exit(any(codes) and f"children ended with {codes}")
"""


def test_children_forked_while_a_thread_appends_hang_nowhere(shared: Root) -> None:
    """Each is forked in the middle of whatever the thread does, and uses the registry that its parent had opened."""

    command = [sys.executable, "-W", "ignore", "-c", FORKING, json.dumps(shared)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told = []
        for _ in range(FORKS):
            told.append(process.stdout.readline().strip())  # an append is done: the next one is under way
            process.stdin.write("fork\n")
            process.stdin.flush()
        rest, _ = process.communicate(timeout=120)
        told += rest.split()

    assert process.returncode == 0
    require_all(shared, [*told, *(f"{who}-{n}" for who in ("child", "between") for n in range(FORKS))])


def test_a_fork_in_the_middle_of_a_write_blocks_no_child(tmp_path: Path) -> None:
    """Another thread wrote at that moment, held every lock, and does not exist in the child."""
    code = f"""
import os, signal, sys, threading
from flowreg import Registry
registry = Registry({str(tmp_path / "registry")!r})
registry.register("churn", {str(tmp_path / "model")!r})
journals, entered, leave = registry._journals, threading.Event(), threading.Event()

churn, own = journals.of("churn"), journals.registry

def hold(state, policies):
    with journals.caches._writing, journals.caches._lock, churn._opening, churn._moving, own._opening, own._moving, journals._lock:
        entered.set()
        leave.wait()
    return []

holder = threading.Thread(target=journals.transact, args=("churn", hold))
holder.start()
entered.wait()
child = os.fork()
if child == 0:
    signal.alarm(20)
    registry.register("churn", {str(tmp_path / "model")!r}, key="child")
    registry.flush()
    os._exit(0)
leave.set()
holder.join()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    (tmp_path / "model").write_bytes(b"weights")

    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=120, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert [v.key for v in Registry(tmp_path / "registry").versions("churn")] == [None, "child"]
