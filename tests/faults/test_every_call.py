"""Each call to the storage fails in turn, by an error or by death: what was acknowledged stays, and the same request then completes."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flowreg import Registry
from flowreg.errors import FlowregError
from flowreg.storage.fsspec_store import FsspecStore
from flowreg.storage.local import LocalStore
from tests.conftest import Root
from tests.servers.s3 import S3Server

from .lives import OPERATIONS, opened, prepared

CALLS = ("create", "replace", "put_bytes", "put_file", "remove", "read", "get_file", "names", "sizes")
ENOUGH = 200  # more calls than any operation makes


class Stop(OSError):
    """What the storage says at the call that is to fail."""


@contextmanager
def failing(
    number: int, how: Callable[[Callable[[], Any]], Any], *, store: type[Any] = LocalStore, calls: Sequence[str] = CALLS
) -> Iterator[list[str]]:
    """While this lasts, call number ``number`` of the store goes through ``how``; the calls that were made."""
    made: list[str] = []

    def wrapped(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **more: Any) -> Any:
            made.append(name)
            return how(lambda: real(self, *args, **more)) if len(made) == number else real(self, *args, **more)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in calls:
            patch.setattr(store, name, wrapped(name, getattr(store, name)))
        yield made


def before(_real: Callable[[], Any]) -> Any:
    raise Stop("before anything was done")


def after(real: Callable[[], Any]) -> Any:
    real()
    raise Stop("after it was done")


def death(_real: Callable[[], Any]) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def death_after(real: Callable[[], Any]) -> Any:
    real()
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def before_it(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("before")
    prepared(folder / "registry", folder / "artifact")
    return folder


def facts(registry: Registry) -> dict[str, Any]:
    """What anybody has been told so far: each version, and its files by digest."""
    told: dict[str, Any] = {}
    for line in registry.models():
        for version in registry.versions(line.model):
            told[version.ref] = (version.digest, sorted(registry.files(version).items()))
    return told


def require_sound(root: Path | Root, earlier: dict[str, Any]) -> Registry:
    """Nothing is lost, as somebody sees it who opens the registry now."""
    registry = opened(root)
    found = facts(registry)
    assert {ref: found.get(ref) for ref in earlier} == earlier
    assert [str(finding) for finding in registry.check(read_data=True).faults] == []
    return registry


@pytest.mark.parametrize("how", [before, after], ids=["before", "after"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_error_at_any_call_loses_nothing_and_the_same_request_completes(name: str, how: Any, before_it: Path, tmp_path: Path) -> None:
    """The nth call fails, n = 1, 2, … until the operation gets through; each time the old state or the new one is left, whole."""
    earlier, failures = facts(opened(before_it / "registry")), 0
    for number in itertools.count(1):
        root = tmp_path / f"r{number}"
        shutil.copytree(before_it / "registry", root)
        with failing(number, how) as made:
            registry = Registry(root)
            try:
                OPERATIONS[name](registry, before_it / "artifact")
            except (FlowregError, Stop):
                failures += 1
        registry.flush()
        require_sound(root, earlier)
        repeat(name, root, before_it / "artifact", earlier)
        shutil.rmtree(root)
        if len(made) < number:
            break
        assert number < ENOUGH
    assert failures


def repeat(name: str, root: Path | Root, artifact: Path, earlier: dict[str, Any]) -> None:
    registry = opened(root)
    OPERATIONS[name](registry, artifact)
    registry.flush()
    assert_once(name, require_sound(root, earlier))


def assert_once(name: str, registry: Registry) -> None:
    """The operation happened, and once."""
    versions = registry.versions("churn")
    match name:
        case "register a folder":
            assert [v.key for v in versions] == ["k1", "k2", "k3", "again"]
        case "register a new model":
            assert [v.key for v in registry.versions("risk/new")] == ["first"]
        case "evaluate":
            assert [e.dataset for e in versions[0].evaluations] == ["holdout", "later"]
        case "label":
            assert versions[0].labels == {"team": "risk"}
        case "promote":
            assert registry.get("churn@challenger").number == 1
        case "policy and promote" | "roll back":
            assert registry.get("churn@champion").number == 1
        case "retire":
            assert versions[0].retired is not None
        case "restore":
            assert versions[2].retired is None
        case "hold":
            assert versions[0].held is not None
        case "collect" | "fetch":
            assert len(versions) == 3
        case _:
            raise AssertionError(name)


@pytest.fixture(scope="module")
def before_it_on_s3(seaweed: S3Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Root, Path]:
    folder, root = tmp_path_factory.mktemp("before-s3"), Root(seaweed.new_prefix(), seaweed.storage_options)
    prepared(root, folder / "artifact")
    return root, folder / "artifact"


ON_S3 = ("register a folder",)
CREATING = ("create", "replace", "remove")  # what the writing of small files comes down to


@pytest.mark.s3
@pytest.mark.parametrize("how", [before, after], ids=["before", "after"])
@pytest.mark.parametrize("name", [n if n in ON_S3 else pytest.param(n, marks=pytest.mark.slow) for n in OPERATIONS if n != "fetch"])
def test_on_s3_an_error_at_any_writing_loses_nothing(
    name: str, how: Any, before_it_on_s3: tuple[Root, Path], seaweed: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same through s3fs, for every call that changes the bucket. A fetch changes none."""
    monkeypatch.setattr("flowreg.storage.landing.time.sleep", lambda _: None)
    (start, artifact), failures, files = before_it_on_s3, 0, seaweed.filesystem()
    earlier = facts(opened(start))
    for number in itertools.count(1):
        root = Root(seaweed.new_prefix(), seaweed.storage_options)
        files.copy(start.url, root.url, recursive=True)
        with failing(number, how, store=FsspecStore, calls=CREATING) as made:
            registry = opened(root)
            try:
                OPERATIONS[name](registry, artifact)
            except (FlowregError, Stop):
                failures += 1
            registry.flush()
        require_sound(root, earlier)
        repeat(name, root, artifact, earlier)
        if len(made) < number:
            break
        assert number < ENOUGH
    assert number > 1


DRIVER = """
import os, sys
from pathlib import Path
from tests.faults.test_every_call import OPERATIONS, Registry, death, death_after, failing

name, how, root, artifact = sys.argv[1:]
hows = {"death": death, "death_after": death_after}
for number in map(int, iter(sys.stdin.readline, "")):
    child = os.fork()
    if child == 0:
        with failing(number, hows[how]) as made:
            registry = Registry(f"{root}/r{number}")
            OPERATIONS[name](registry, Path(artifact))
            registry.flush()
        os._exit(7 if len(made) < number else 8)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
SOME = ("register a folder", "register a new model", "policy and promote")


@pytest.mark.parametrize("how", ["death", "death_after"])
@pytest.mark.parametrize("name", [n if n in SOME else pytest.param(n, marks=pytest.mark.slow) for n in OPERATIONS])
def test_death_at_any_call_loses_nothing_and_the_same_request_completes(name: str, how: str, before_it: Path, tmp_path: Path) -> None:
    """A real process is killed by SIGKILL at its nth call, n = 1, 2, … until it gets through."""
    earlier, ended = facts(opened(before_it / "registry")), []
    command = [sys.executable, "-c", DRIVER, name, how, str(tmp_path), str(before_it / "artifact")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as driver:
        assert driver.stdin is not None
        assert driver.stdout is not None
        for number in range(1, ENOUGH):
            root = tmp_path / f"r{number}"
            shutil.copytree(before_it / "registry", root)
            print(number, file=driver.stdin, flush=True)
            ended.append(int(driver.stdout.readline()))
            require_sound(root, earlier)
            repeat(name, root, before_it / "artifact", earlier)
            if ended[-1] == 7:
                break
    assert -signal.SIGKILL in ended
    assert set(ended[:-1]) <= {-signal.SIGKILL, 8}
