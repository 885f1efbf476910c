"""Exit codes, and errors as people and programs read them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from flowreg.cli.errors import failed
from flowreg.cli.paint import Screen
from flowreg.errors import BadInput, Conflict, Corrupt, FlowregError, GateBlocked, NotFound, Refused, Unavailable
from flowreg.registry import Registry

from .conftest import Cli

CODES = [
    (RuntimeError("x"), 1),
    (FlowregError("x"), 1),
    (BadInput("x"), 2),
    (NotFound("x"), 3),
    (Refused("x"), 4),
    (GateBlocked("x", decision=None), 4),
    (Conflict("x"), 5),
    (Corrupt("x"), 6),
    (Unavailable("x"), 7),
    (PermissionError(13, "Permission denied", "/f"), 7),
]


@pytest.mark.parametrize(("error", "code"), CODES, ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value))
@pytest.mark.parametrize("as_json", [False, True])
def test_each_class_of_error_has_its_exit_code(error: Exception, code: int, as_json: bool) -> None:
    """By what the caller does next; no traceback for any of them."""
    stream = io.StringIO()

    assert failed(error, Screen(stream, terminal=False), as_json=as_json) == code
    assert "Traceback" not in stream.getvalue()


def test_an_error_says_what_where_and_do() -> None:
    """In three lines for people, in an object for programs."""
    error = Corrupt("it is broken [really]", where="s3://b/x", do="stop", code="broken")
    plain, of_programs = io.StringIO(), io.StringIO()

    failed(error, Screen(plain, terminal=False), as_json=False)
    failed(error, Screen(of_programs, terminal=False), as_json=True)

    assert plain.getvalue() == str(error) + "\n"
    assert json.loads(of_programs.getvalue()) == {"code": "broken", "what": "it is broken [really]", "where": "s3://b/x", "do": "stop"}


def test_an_unknown_outcome_is_told_to_programs() -> None:
    """What may have landed is named, so that the caller can find out."""
    stream = io.StringIO()

    failed(Unavailable("no answer", outcome="unknown", entry_id="e1"), Screen(stream, terminal=False), as_json=True)

    assert json.loads(stream.getvalue())["entry_id"] == "e1"


def test_a_stranger_s_message_shows_no_password() -> None:
    """Libraries quote whole requests; what looks like a credential is masked."""
    stream = io.StringIO()

    failed(OSError("cannot reach https://ana:hunter2@host/x?X-Amz-Signature=abc123"), Screen(stream, terminal=False), as_json=False)

    assert "hunter2" not in stream.getvalue()
    assert "abc123" not in stream.getvalue()


def test_a_traceback_is_there_for_those_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """``FLOWREG_TRACEBACK`` prints it."""
    monkeypatch.setenv("FLOWREG_TRACEBACK", "1")
    stream = io.StringIO()

    failed(RuntimeError("x"), Screen(stream, terminal=False), as_json=False)

    assert "RuntimeError: x" in stream.getvalue()


@pytest.mark.parametrize(
    "argv", [("shw",), ("show",), ("show", "churn", "--nope"), ("history",), ("promote", "churn@1"), ("policy", "nope")]
)
def test_misuse_is_two_and_names_the_help(argv: tuple[str, ...], cli: Cli, place: Path) -> None:
    """Unknown verbs and options, and what is missing; in JSON too."""
    answer = cli(*argv)

    assert answer.code == 2
    assert "--help" in answer.err
    assert cli(*argv, "--json").error["code"] == "usage"
    assert not place.exists()


def test_what_is_not_there_is_three(cli: Cli, churn: Registry) -> None:
    """Models, versions and aliases."""
    for argv in (("show", "nope"), ("show", "churn@9"), ("show", "churn@nope"), ("history", "nope"), ("diff", "churn@1", "churn@9")):
        assert cli(*argv).code == 3


def test_damaged_bytes_are_six(cli: Cli, churn: Registry, place: Path, tmp_path: Path) -> None:
    """Nothing is fetched where a blob is not what was registered."""
    (digest,) = churn.files("churn@1").values()
    blob = place / "blobs" / "sha256" / digest[7:9] / digest[7:]
    blob.write_bytes(b"not the bytes of a model")

    answer = cli("fetch", "churn@1", "--into", str(tmp_path / "here"))

    assert answer.code == 6
    assert not (tmp_path / "here").exists()


def test_a_missing_input_file_is_a_usage_error_or_not_found(cli: Cli, churn: Registry, tmp_path: Path) -> None:
    """A path to register is input; a file of an option is looked for and not found."""
    gone = str(tmp_path / "gone")

    assert cli("register", gone, "--model", "churn").code == 2
    assert cli("evaluate", "churn@1", "--from", gone).code == 3
    assert cli("policy", "set", gone).code == 3
