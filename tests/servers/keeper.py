"""Runs one command and ends it, with all its descendants, as soon as standard input closes.

Started by ``process.running``, never imported: ``python keeper.py COMMAND ARGUMENT...``. The pipe into it closes when the test
session ends in any way, ``kill -9`` included, so that no server outlives the tests that started it.

Standard library only, and quick to start.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

PATIENCE_S = 8.0
ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER


def main(command: list[str]) -> int:
    adopt_orphans()
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: end(server))
    threading.Thread(target=end_when_input_closes, args=(server,), daemon=True).start()
    code = server.wait()
    end_children()
    return code


def adopt_orphans() -> None:
    """Let grandchildren that left the process group become children of this process when their parent ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)


def end_when_input_closes(server: "subprocess.Popen[bytes]") -> None:
    # os.read, since a thread blocked in sys.stdin would make the interpreter abort at its exit.
    while os.read(0, 1024):
        pass
    end(server)


def end(server: "subprocess.Popen[bytes]") -> None:
    """Ask the group to stop, then insist."""
    signal_group(server.pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_S
    while server.returncode is None and time.monotonic() < deadline:
        time.sleep(0.02)
    signal_group(server.pid, signal.SIGKILL)


def end_children() -> None:
    """Kill whatever is left: each child's own children then arrive here, until there are none."""
    listing = Path(f"/proc/self/task/{os.getpid()}/children")
    while listing.exists() and (children := listing.read_text().split()):
        for child in children:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(int(child), signal.SIGKILL)
                os.waitpid(int(child), 0)


def signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
