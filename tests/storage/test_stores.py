"""What every store promises: one creator, whole contents, reads that are not stale, and no credentials in sight."""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flowreg import Registry
from flowreg.errors import BadInput, FlowregError, Refused, Unavailable
from flowreg.storage.store import Store, open_store, shown_root
from tests.servers.need import need_module

SECRET = "canary-7f3a9"


@pytest.fixture
def store(any_root: Any) -> Store:
    return open_store(any_root.url, any_root.storage_options)


def try_create(store: Store, path: str, data: bytes) -> bool:
    try:
        store.create(path, data)
    except Exception:
        return False
    return True


def test_a_created_file_is_there_and_stays(store: Store) -> None:
    """Created once, read back whole, refused a second time."""
    store.create("models/a/journal/1.json", b"first")

    assert not try_create(store, "models/a/journal/1.json", b"second")
    assert store.read("models/a/journal/1.json") == b"first"
    assert store.read_many(["models/a/journal/1.json", "models/a/journal/2.json"]) == [b"first", None]
    assert store.names("models/a/journal") == ["1.json"]
    assert store.names("models/a") == ["journal/"]
    assert store.names("nowhere") == []


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as they can, so that a check and the act after it come apart."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_of_many_who_create_one_wins_and_nobody_sees_half(store: Store) -> None:
    """12 writers of one path, 8 times: one wins, its bytes stand, and readers saw all of it or nothing."""
    rounds, writers, size = 8, 12, 40_000
    torn: list[int] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for n, raw in enumerate(store.read_many([f"race/{n}" for n in range(rounds)])):
                if raw is not None and (len(raw) != size or len(set(raw)) != 1):
                    torn.append(n)

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(writers) as pool:
        for n in range(rounds):
            start = threading.Barrier(writers)

            def write(writer: int, n: int = n, start: threading.Barrier = start) -> bool:
                start.wait()
                return try_create(store, f"race/{n}", bytes([65 + writer]) * size)

            won = list(pool.map(write, range(writers)))
            found = store.read(f"race/{n}")

            assert found is not None
            assert won.count(True) <= 1
            assert not any(won) or found[0] == 65 + won.index(True)
    done.set()
    watcher.join()
    assert torn == []


def test_blobs_are_stored_once(store: Store, tmp_path: Path) -> None:
    """The same bytes again are the same blob; an empty file is a blob too."""
    for data in (b"same", b"same", b""):
        (tmp_path / "file").write_bytes(data)
        size, digest = store.put_file(tmp_path / "file", lambda d: f"blobs/{d[7:]}")

        assert (size, store.read(f"blobs/{digest[7:]}")) == (len(data), data)
    assert len(store.names("blobs")) in (2, 3)  # with the staging folder of a local root


def test_a_large_blob_is_stored_and_brought_back(store: Store, tmp_path: Path) -> None:
    """Larger than what travels as one request."""
    data = os.urandom(1 << 20) * 17
    (tmp_path / "large").write_bytes(data)

    size, digest = store.put_file(tmp_path / "large", lambda d: f"blobs/{d[7:]}")
    again = store.put_file(tmp_path / "large", lambda d: f"blobs/{d[7:]}")

    assert (size, digest) == again
    assert store.get_file(f"blobs/{digest[7:]}", tmp_path / "back") == digest
    assert (tmp_path / "back").read_bytes() == data
    assert store.get_file("blobs/none", tmp_path / "none") is None


def test_processes_that_create_agree(tmp_path: Path) -> None:
    """Four processes append to one model: consecutive versions, none lost, none twice."""
    (tmp_path / "model").write_bytes(b"weights")
    code = (
        "import sys; from flowreg import Registry; r = Registry(sys.argv[1])\n"
        "print(*[r.register('churn', sys.argv[2], key=f'{sys.argv[3]}-{n}').number for n in range(8)])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "registry"), str(tmp_path / "model")]

    running = [subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE, text=True) for n in range(4)]
    numbers = [int(number) for process in running for number in process.communicate(timeout=120)[0].split()]

    assert sorted(numbers) == list(range(1, 33))
    assert [v.number for v in Registry(tmp_path / "registry").versions("churn")] == list(range(1, 33))


# ---- filesystems that are not known to create for one writer only ----


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A registry on disk, to be read through other filesystems."""
    (tmp_path / "model").write_bytes(b"weights")
    registry = Registry(tmp_path / "registry")
    registry.register("churn", tmp_path / "model", metrics={"auc": 0.9})
    registry.promote("churn@1", to="champion")
    registry.flush()
    return tmp_path / "registry"


def refuses_to_write(registry: Registry, file: Path) -> bool:
    with pytest.raises(Refused, match="can be read, but not written"):
        registry.register("churn", file)
    with pytest.raises(Refused, match="can be read, but not written"):
        registry.label("churn@1", {"a": "b"})
    return True


def test_a_zip_is_read_and_not_written(published: Path, tmp_path: Path) -> None:
    """A registry published as an archive answers, loads, and refuses with the reason."""
    with zipfile.ZipFile(tmp_path / "published.zip", "w") as archive:
        for file in published.rglob("*"):
            archive.write(file, f"registry/{file.relative_to(published)}")
    registry = Registry("zip://registry", storage_options={"fo": str(tmp_path / "published.zip")})

    assert registry.get("churn@champion").metrics == {"auc": 0.9}
    assert (registry.fetch("churn@1", tmp_path / "out") / "model").read_bytes() == b"weights"
    assert refuses_to_write(registry, tmp_path / "model")


@pytest.fixture
def web(published: Path) -> Iterator[str]:
    """The published registry over plain HTTP; under /forbidden everything is."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def send_head(self) -> Any:
            if self.path.startswith("/forbidden"):
                return self.send_error(403)
            return super().send_head()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(published)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_web_server_is_read_and_not_written(web: str, tmp_path: Path) -> None:
    """The same over HTTP."""
    need_module("aiohttp", "pip install aiohttp")
    registry = Registry(f"http://{web}")

    assert registry.get("churn@champion").metrics == {"auc": 0.9}
    assert (registry.fetch("churn@1", tmp_path / "out") / "model").read_bytes() == b"weights"
    assert refuses_to_write(registry, tmp_path / "model")


# ---- credentials ----

SHOWN = {
    f"s3://key:{SECRET}@bucket/x": "s3://bucket/x",
    f"https://ana:{SECRET}@host:8080/r?sig={SECRET}#{SECRET}": "https://host:8080/r",
    f"s3://AKIA:{SECRET}/b@bucket/x": "s3://…",
    f"s3://AKIA:#{SECRET}@bucket/x": "s3://…",
    f"s3://AKIA:?{SECRET}@bucket/x": "s3://…",
    "http://[::1]:80/x/": "http://[::1]:80/x",
    "s3://bucket/te@m/x": "s3://bucket/te@m/x",
    "/home/ana/models": "/home/ana/models",
}


@pytest.mark.parametrize("root", SHOWN)
def test_a_root_is_shown_without_its_secrets(root: str) -> None:
    """Neither user, password nor query, wherever the password has its odd characters."""
    assert shown_root(root) == SHOWN[root]


def test_secrets_stand_in_no_repr_and_no_error(web: str, tmp_path: Path) -> None:
    """A server that says no, one that is not there, a filesystem that is not installed: nobody quotes what was given."""
    (tmp_path / "model").write_bytes(b"x")
    roots: list[tuple[str, dict[str, Any]]] = [
        (f"http://ana:{SECRET}@{web}/forbidden", {}),
        (f"http://ana:{SECRET}@127.0.0.1:9/x?sig={SECRET}", {}),
        (f"nosuch://ana:{SECRET}@host/x", {"password": SECRET}),
        (f"s3://ana:{SECRET}/y@bucket/x", {"secret": SECRET, "endpoint_url": "http://127.0.0.1:9"}),
    ]
    for root, options in roots:
        registry = Registry(root, storage_options=options)
        said = [repr(registry), repr(registry._store), registry.root]
        for ask in (
            lambda registry=registry: registry.get("churn@1"),
            lambda registry=registry: registry.models(),
            lambda registry=registry: registry.register("churn", tmp_path / "model"),
        ):
            with pytest.raises(FlowregError) as error:
                ask()
            said += [str(error.value), repr(error.value), str(error.value.facts)]

        assert SECRET not in " ".join(said)


@pytest.mark.s3
def test_no_credentials_is_unavailable(seaweed: Any, tmp_path: Path) -> None:
    """A bucket without any key in sight: the storage did not do it, nothing was written."""
    (tmp_path / "model").write_bytes(b"x")
    registry = Registry(f"{seaweed.new_prefix()}/r", storage_options={"endpoint_url": seaweed.endpoint_url})

    for ask in (lambda: registry.get("churn@1"), registry.models, lambda: registry.register("churn", tmp_path / "model")):
        with pytest.raises(Unavailable):
            ask()


@pytest.mark.parametrize("root", ["", "  ", "a\0b", "simplecache::s3://bucket/x", "zip://x::file:///tmp/y.zip", b"/tmp/x"])
def test_what_is_no_root_is_refused_at_once(root: Any) -> None:
    """Before anything is opened."""
    with pytest.raises(BadInput):
        open_store(root)


# ---- forks ----


@pytest.mark.parametrize("where", ["local", pytest.param("s3", marks=pytest.mark.s3)])
def test_a_forked_child_reads_and_writes(where: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """A registry that was used before the fork works in the child: its filesystem and threads are its own."""
    url, options = (str(tmp_path / "registry"), {}) if where == "local" else request.getfixturevalue("s3_root")
    code = f"""
import os, signal, sys
from pathlib import Path
from flowreg import Registry
registry = Registry({url!r}, storage_options={options!r})
registry.register("churn", {str(tmp_path / "model")!r}, key="parent")
child = os.fork()
signal.alarm(60)
registry.register("churn", {str(tmp_path / "model")!r}, key="child" if child == 0 else "after")
registry.flush()
os._exit(0) if child == 0 else sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    (tmp_path / "model").write_bytes(b"weights")

    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=120, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert sorted(v.key or "" for v in Registry(url, storage_options=options).versions("churn")) == ["after", "child", "parent"]


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
