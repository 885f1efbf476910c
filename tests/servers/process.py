"""A server process: started, waited for until it answers, always ended.

The process sees a small environment of its own: no credential, proxy or Prefect profile of the person who runs the tests.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

KEEPER = Path(__file__).with_name("keeper.py")
INHERITED = ("PATH", "LANG", "LC_ALL")


class NotStarted(Exception):
    """A server ended, or stayed silent, before it was ready; the text holds the end of what it printed."""


@contextmanager
def running(command: Sequence[str], *, folder: Path, env: Mapping[str, str], ready: Callable[[], bool], timeout_s: float) -> Iterator[None]:
    """Run ``command`` with its home in ``folder`` until the block ends; enter the block once ``ready()`` says so."""
    log = folder / "output.log"
    with log.open("ab") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEPER), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment(folder, env),
            start_new_session=True,  # a Ctrl-C at the terminal is for pytest, which then closes the pipe
        )
    try:
        _wait(keeper, ready, timeout_s, log)
        yield
    finally:
        assert keeper.stdin is not None
        keeper.stdin.close()
        keeper.wait(timeout=60)


def environment(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """The few variables a program needs, a home and a temporary folder that are nobody's, and ``extra``."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return inherited | {"HOME": str(home), "TMPDIR": str(home)} | dict(extra)


def free_ports(count: int) -> list[int]:
    """Different free loopback ports below 32768, so that neither outgoing connections nor ``port + 10000`` meet them.

    SeaweedFS puts its gRPC ports 10000 above the HTTP ones.
    """
    found: list[int] = []
    candidate = 12000 + (os.getpid() * 37 + int(time.monotonic() * 1000)) % 9000
    while len(found) < count:
        candidate = candidate + 1 if candidate < 22000 else 12000
        if _is_free(candidate) and _is_free(candidate + 10000):
            found.append(candidate)
    return found


def listens(port: int) -> bool:
    """Whether something accepts connections on this loopback port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


def answers(url: str) -> bool:
    """Whether a GET of ``url`` is answered with success."""
    with suppress(URLError, OSError), urlopen(url, timeout=5) as reply:
        return bool(200 <= reply.status < 300)
    return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def _wait(keeper: subprocess.Popen[bytes], ready: Callable[[], bool], timeout_s: float, log: Path) -> None:
    deadline = time.monotonic() + timeout_s
    while not ready():
        if keeper.poll() is not None:
            raise NotStarted(f"it ended with code {keeper.returncode}:\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise NotStarted(f"no answer within {timeout_s:g} s:\n{_tail(log)}")
        time.sleep(0.05)


def _tail(log: Path, size: int = 4000) -> str:
    return log.read_bytes()[-size:].decode(errors="replace")
