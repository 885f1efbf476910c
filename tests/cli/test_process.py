"""The command as a process: what it imports, how it ends when its reader or its user goes, how it looks in a real terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flowreg.registry import Registry

HEAVY = ("prefect", "numpy", "scipy", "pandas", "pyarrow", "duckdb", "sklearn", "torch", "lark", "s3fs", "boto3", "botocore", "fsspec")
COMMAND = [sys.executable, "-m", "flowreg.cli"]


def imported_by(*argv: str) -> set[str]:
    """The top-level modules that a fresh process has imported when the command has ended."""
    code = f"""
import sys
from flowreg.cli.app import run
assert run({list(argv)!r}) == 0
print("\\nMODULES", *{{name.partition(".")[0] for name in sys.modules}})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("MODULES")[2].split())


def test_help_imports_nothing_heavy() -> None:
    """Not even pydantic: the verbs are a table."""
    assert imported_by("--help").isdisjoint({*HEAVY, "pydantic"})


def test_looking_imports_nothing_heavy(churn: Registry, place: Path, tmp_path: Path) -> None:
    """Neither Prefect nor the scientific stack, nor a filesystem that is not used."""
    for argv in (("ls",), ("show", "churn"), ("history", "churn"), ("fetch", "churn@1", "--into", str(tmp_path / "here"))):
        assert imported_by(*argv, "--root", str(place)).isdisjoint(HEAVY)


def test_a_registration_imports_nothing_heavy(place: Path, model_file: Path) -> None:
    """Files are stored without the libraries that could load them."""
    assert imported_by("register", str(model_file), "--model", "churn", "--root", str(place)).isdisjoint(set(HEAVY) - {"lark"})


def test_the_installed_command_runs(churn: Registry, place: Path) -> None:
    """As a process, with the exit code of its error."""
    done = subprocess.run([*COMMAND, "show", "churn@9", "--root", str(place)], capture_output=True, text=True)

    assert done.returncode == 3
    assert "there is no churn@9" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_error(churn: Registry, place: Path) -> None:
    """``flowreg history churn | head -0``: quiet, and the exit code of SIGPIPE."""
    process = subprocess.Popen([*COMMAND, "history", "churn", "--root", str(place)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, error = process.communicate()

    assert (process.returncode, error) == (141, b"")


def test_an_interrupt_ends_quietly(churn: Registry, tmp_path: Path) -> None:
    """Ctrl-C while a file is awaited: one word and 130."""
    fifo = tmp_path / "scores.json"
    os.mkfifo(fifo)
    argv = [*COMMAND, "evaluate", "churn@1", "--from", str(fifo), "--root", str(tmp_path / "registry")]
    listens = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731  # a suite that runs in the background ignores it
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=listens)
    with open(fifo, "wb"):  # opens when the command reads: it is past its imports
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)

    assert (process.returncode, out, error) == (130, b"", b"interrupted\n")


def test_output_survives_a_poor_encoding(churn: Registry, place: Path) -> None:
    """What ASCII lacks is written out rather than raised."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    argv = [*COMMAND, "gates", "churn@2", "--to", "champion", "--root", str(place)]

    done = subprocess.run(argv, capture_output=True, text=True, env=environment)

    assert done.returncode == 4
    assert "recall[region=*]" in done.stdout


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo-terminals")
def test_a_real_terminal_sees_colours_and_its_own_width(churn: Registry, place: Path) -> None:
    """Through a pseudo-terminal of 60 columns."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 60, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")} | {"TERM": "xterm-256color"}
    argv = [*COMMAND, "gates", "churn@2", "--to", "champion", "--root", str(place)]
    process = subprocess.Popen(argv, stdout=theirs, stderr=theirs, stdin=theirs, env=environment)
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 4096):
            text += part
    except OSError:  # Linux says so when the other side is closed
        pass
    os.close(ours)

    assert process.wait() == 4
    assert b"\x1b[" in text
    assert b"recall[region=*]" in text
