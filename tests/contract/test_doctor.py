"""flowreg doctor URL: what was tried, said and answered by the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flowreg.cli.app import run


def test_doctor_tries_a_root_and_leaves_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Every promise with what was seen; exit code 0, and no file is left."""
    code = run(["doctor", str(tmp_path / "r"), "--json"])
    found = json.loads(capsys.readouterr().out)

    assert (code, found["holds"]) == (0, True)
    assert {p["name"] for p in found["promises"] if p["held"]} >= {"created once", "one winner", "large file whole"}
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_doctor_says_which_promise_is_not_held(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A filesystem of which nothing is known that overwrites: exit code 4."""
    code = run(["doctor", "simplecache://" + str(tmp_path)])

    assert code == 4
    assert "✗" in capsys.readouterr().out
