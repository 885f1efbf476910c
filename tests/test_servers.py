"""Each server of the tests is what the tests take it for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from uuid import UUID

import fsspec
import pytest

from tests.conftest import Root
from tests.servers.counting_proxy import CountingProxy, counting_proxy
from tests.servers.need import need, need_module, need_program
from tests.servers.prefect_server import PrefectServer
from tests.servers.process import NotStarted, running
from tests.servers.s3 import S3Server

WRITERS = 12


@pytest.fixture(params=["seaweed", "moto"])
def s3(request: pytest.FixtureRequest) -> S3Server:
    server: S3Server = request.getfixturevalue(request.param)
    return server


@pytest.mark.s3
def test_a_second_conditional_put_is_refused(s3: S3Server) -> None:
    """The first bytes stay, and whoever comes second is told."""
    files, path = s3.filesystem(), f"{s3.new_prefix()}/entry"
    files.pipe_file(path, b"first", mode="create")

    with pytest.raises(OSError):
        files.pipe_file(path, b"second", mode="create")

    assert files.cat_file(path, max_concurrency=1) == b"first"


@pytest.mark.s3
def test_moto_words_the_refusal_as_aws_does(moto: S3Server) -> None:
    """s3fs recognises AWS's refusal by its text, and moto sends that text."""
    files, path = moto.filesystem(), f"{moto.new_prefix()}/entry"
    files.pipe_file(path, b"first", mode="create")

    with pytest.raises(FileExistsError):
        files.pipe_file(path, b"second", mode="create")


@pytest.mark.s3
def test_of_many_writers_one_wins(s3: S3Server) -> None:
    """A conditional put is atomic: what is stored is what the only winner wrote."""
    path, won, start = f"{s3.new_prefix()}/entry", [], threading.Barrier(WRITERS)

    def write(number: int) -> None:
        files = s3.filesystem()
        start.wait()
        try:
            files.pipe_file(path, b"%d" % number, mode="create")
        except OSError:
            return
        won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [b"%d" % number for number in won] == [s3.filesystem().cat_file(path)]


@pytest.mark.s3
def test_seaweed_refuses_another_secret(seaweed: S3Server) -> None:
    """The real server checks signatures, so that a test with the wrong credentials cannot pass."""
    stranger = S3Server(seaweed.endpoint_url, seaweed.key, "not-the-secret", seaweed.bucket)

    with pytest.raises(PermissionError):
        stranger.filesystem().ls(seaweed.bucket)


@pytest.mark.s3
def test_the_proxy_counts_what_a_call_costs(s3: S3Server) -> None:
    """A put is one request, a get of known size is one, and a miss is one."""
    path = f"{s3.new_prefix()}/größe 1%.json"
    with counting_proxy(s3.endpoint_url) as proxy:
        files = s3.behind(proxy.endpoint_url).filesystem()
        with proxy.counting() as seen:
            files.pipe_file(path, b"12345", mode="create")
            files.cat_file(path, max_concurrency=1)
            with pytest.raises(FileNotFoundError):
                files.cat_file(f"{path}.missing", max_concurrency=1)

    key = "/" + path.removeprefix("s3://")
    assert [(request.method, request.path, request.status) for request in seen] == [
        ("PUT", key, 200),
        ("GET", key, 200),
        ("GET", f"{key}.missing", 404),
    ]
    assert (seen[0].bytes_up, seen[1].bytes_down) == (5, 5)


@pytest.mark.s3
def test_the_proxy_passes_large_bodies_through(counted_s3: tuple[S3Server, CountingProxy]) -> None:
    """Twelve megabytes arrive and come back unchanged, in parts."""
    server, proxy = counted_s3
    files, path, body = server.filesystem(), f"{server.new_prefix()}/blob", os.urandom(12 << 20)

    with files.open(path, "wb", block_size=5 << 20) as out:
        out.write(body)

    assert files.cat_file(path) == body
    assert sum(request.bytes_up for request in proxy.requests if request.method == "PUT") == len(body)


@pytest.mark.s3
def test_the_proxy_can_lose_a_reply(s3: S3Server) -> None:
    """The write lands, its answer is lost, and the client's silent retry is refused by its own object."""
    path = f"{s3.new_prefix()}/entry"
    with counting_proxy(s3.endpoint_url) as proxy:
        files = s3.behind(proxy.endpoint_url).filesystem()
        proxy.lose_reply(lambda request: request.method == "PUT" and request.path.endswith("/entry"))
        with pytest.raises(OSError):
            files.pipe_file(path, b"mine", mode="create")

    assert [(request.status, request.lost) for request in proxy.requests][:2] == [(200, True), (412, False)]
    assert s3.filesystem().cat_file(path) == b"mine"


@pytest.mark.prefect
def test_a_flow_called_here_is_recorded_by_the_server(prefect_env: PrefectServer) -> None:
    """An in-process flow runs against the session's server, under that server's API address."""
    from prefect import flow, task
    from prefect.client.orchestration import get_client
    from prefect.runtime import flow_run
    from prefect.settings import PREFECT_API_URL

    @task
    def double(number: int) -> int:
        return 2 * number

    @flow
    def doubled(number: int) -> tuple[int, UUID]:
        return double(number), UUID(flow_run.id)

    result, run_id = doubled(21)

    with get_client(sync_client=True) as client:
        recorded = client.read_flow_run(run_id)
    assert (result, recorded.state_name, PREFECT_API_URL.value()) == (42, "Completed", prefect_env.api_url)


@pytest.mark.browser
def test_chromium_renders_a_page(browser_page) -> None:  # type: ignore[no-untyped-def]
    """Scripts run and the result is on the page."""
    browser_page.set_content("<h1>before</h1><script>document.querySelector('h1').textContent = 6 * 7</script>")

    assert browser_page.inner_text("h1") == "42"


def test_any_root_takes_a_file(any_root: Root) -> None:
    """Each kind of root can be written and read through fsspec, under its very name."""
    url, storage_options = any_root
    files, path = fsspec.url_to_fs(url, **storage_options)

    files.makedirs(path, exist_ok=True)
    files.pipe_file(f"{path}/file", b"here")

    assert files.cat_file(f"{path}/file") == b"here"


def test_a_test_sees_no_home_and_no_credentials(a_home_of_its_own: Path) -> None:
    """HOME is empty and temporary, and nothing in the environment names a registry, a bucket or a Prefect of the person's own."""
    assert Path.home() == a_home_of_its_own
    assert list(a_home_of_its_own.iterdir()) == []
    assert not {"FLOWREG_ROOT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "PREFECT_API_URL"} & set(os.environ)


def test_what_is_missing_skips_with_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person reads in the skip what to type."""
    monkeypatch.delenv("FLOWREG_REQUIRE_ALL", raising=False)

    with pytest.raises(pytest.skip.Exception, match="pip install nothing-such"):
        need_module("nothing_such", "pip install nothing-such")
    with pytest.raises(pytest.skip.Exception, match="apt-get install nothing-such"):
        need_program("nothing-such", "apt-get install nothing-such")


def test_what_is_missing_fails_where_everything_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline cannot pass by skipping."""
    monkeypatch.setenv("FLOWREG_REQUIRE_ALL", "1")

    with pytest.raises(pytest.fail.Exception, match="apt-get install weed"):
        need("weed", "apt-get install weed")


def test_a_server_that_ends_at_once_says_why(tmp_path: Path) -> None:
    """The end of its output stands in the error."""
    command = [sys.executable, "-c", "raise SystemExit('no such disk')"]

    with pytest.raises(NotStarted, match="no such disk"), running(command, folder=tmp_path, env={}, ready=lambda: False, timeout_s=30):
        pass


# A server with a child in a session of its own, as Prefect's worker starts flow runs. Both hold the pipe "alive" open.
SERVER = """
import pathlib, signal, subprocess, sys
alive = open("alive", "w")
child = "alive = open('alive', 'w'); print(flush=True); import signal; signal.pause()"
subprocess.Popen([sys.executable, "-c", child], start_new_session=True, stdout=subprocess.PIPE).stdout.readline()
pathlib.Path("ready").touch()
signal.pause()
"""
SESSION = """
import os, sys
from pathlib import Path
from tests.servers.process import running

folder, server = Path(sys.argv[1]), sys.argv[2]
with running([sys.executable, "-c", server], folder=folder, env={}, ready=(folder / "ready").exists, timeout_s=60):
    os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="children that left the session are found on Linux only")
@pytest.mark.timeout(60)
def test_no_server_outlives_a_killed_session(tmp_path: Path) -> None:
    """``kill -9`` of the test process ends the server and its children, also those in sessions of their own."""
    os.mkfifo(tmp_path / "alive")
    alive = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)

    died = subprocess.run([sys.executable, "-c", SESSION, str(tmp_path), SERVER], capture_output=True)
    os.set_blocking(alive, True)
    at_the_end = os.read(alive, 1)  # returns when nobody holds the other end any more

    assert (died.returncode, at_the_end) == (-signal.SIGKILL, b""), died.stderr
