"""Asking the function of a python gate: in a process of its own, with a time limit, JSON in and out.

Rule 1: off unless this machine allows it: ``FLOWREG_PYTHON_GATES`` names the modules that may be imported (``mygates``, with all below it).
Rule 2: at the time limit the process is ended, with all that it started.
Rule 3: its answer is the one JSON text it writes; what the function prints is not read.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

from ..core.names import shown
from .facts import Answer, Call

ALLOW = "FLOWREG_PYTHON_GATES"
_ANSWER_LIMIT = 64 << 10  # bytes

# Runs in the child. ``-P`` keeps the working directory out of the imports above; after them, its path is ours.
_CHILD = """
import hashlib, importlib, inspect, json, os, sys
out = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
asked = json.load(sys.stdin)
sys.path[:] = asked["path"]
try:
    module, _, name = asked["function"].partition(":")
    found = importlib.import_module(module)
    source = getattr(found, "__file__", None)
    imported = module
    if source and os.path.isfile(source):
        with open(source, "rb") as file:
            imported = f"{module}, sha256:{hashlib.sha256(file.read()).hexdigest()[:12]}"
    function = getattr(found, name)
    args = dict(asked["args"])
    if "about" in inspect.signature(function).parameters:
        args.setdefault("about", asked["about"])
    given = function(**args)
    pair = isinstance(given, (tuple, list)) and len(given) == 2
    holds, reason = given if pair else (given, None)
    if type(holds) is not bool or not (reason is None or isinstance(reason, str)):
        answer = {"trouble": "it answered " + repr(given)[:200] + ", not True, False, or one of them with a reason"}
    else:
        answer = {"holds": holds, "reason": reason, "imported": imported}
except BaseException as error:
    answer = {"trouble": f"{type(error).__name__}: {error}"[:500]}
json.dump(answer, out)
out.flush()
os._exit(0)
"""


def allowed_here() -> tuple[str, ...]:
    """The modules this machine lets a policy import."""
    return tuple(name for name in os.environ.get(ALLOW, "").replace(",", " ").split() if name)


def ask(call: Call) -> Answer:
    """What the function says, or why it said nothing. Never raises for what the function does."""
    module = call.function.partition(":")[0]
    if not any(module == name or module.startswith(f"{name}.") for name in allowed_here()):
        return Answer(None, trouble=f"python gates may not import {module} on this machine; to allow it, set {ALLOW}={module}")
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as answer:
        said = {
            "function": call.function,
            "args": dict(call.args),
            "about": dict(call.about),
            "path": [place or str(Path.cwd()) for place in sys.path],
        }
        asked.write(json.dumps(said).encode())
        asked.seek(0)
        if trouble := _run(asked, answer, call.timeout_s):
            return Answer(None, trouble=trouble)
        answer.seek(0)
        return _read(answer.read(_ANSWER_LIMIT + 1))


def _run(asked: IO[bytes], answer: IO[bytes], timeout_s: float) -> str | None:
    """Why the process did not answer, or None."""
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", _CHILD], stdin=asked, stdout=answer, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        code = child.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return f"no answer in {timeout_s:g} s"
    finally:
        if child.returncode is None:  # also where we are interrupted
            _end(child)
    return None if code == 0 else f"its process ended with {code}"


def _end(child: subprocess.Popen[bytes]) -> None:
    """The process, and on POSIX all that it started."""
    if hasattr(os, "killpg"):
        os.killpg(child.pid, signal.SIGKILL)  # it is not waited for yet, so the number is still its own
    else:
        child.kill()
    child.wait()


def _read(raw: bytes) -> Answer:
    try:
        said: Any = json.loads(raw) if len(raw) <= _ANSWER_LIMIT else None
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return Answer(None, trouble="its answer is no JSON, or too long")
    if "trouble" in said:
        return Answer(None, trouble=str(said["trouble"]))
    if type(said.get("holds")) is not bool or not isinstance(said.get("reason"), str | None):
        return Answer(None, trouble=f"its answer is {shown(said, 200)}")
    return Answer(said["holds"], said.get("reason"), str(said.get("imported", "")))
