"""README is true: its Python blocks run in order, and its commands print what it shows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from flowreg import Policy

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
VARIES = {
    "…": ".*?",
    "2 min ago": r"(?:now|\d+ \w+ ago)",
    "2026-11-22 09:14:03 UTC": r"[-\d]+ [:\d]+ UTC",
    "ana": r"\S+",
}  # what README shows of a reader's own


@pytest.mark.prefect
def test_every_block_runs_and_prints_what_is_shown(prefect_env: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the top to the bottom, in one folder and one session, as a reader would type it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    names: dict[str, object] = {"__name__": "readme"}
    blocks = BLOCK.findall(README.read_text(encoding="utf-8"))
    assert {kind for kind, _ in blocks} == {"python", "console"}

    for kind, text in blocks:
        if kind == "python":
            exec(compile(text, f"{README.name}: {text.splitlines()[0]}", "exec"), names)
        else:
            _check_console(text, monkeypatch)


def test_every_policy_loads() -> None:
    """The YAML blocks are policies, to the last key."""
    policies = re.findall(r"^```yaml\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)

    assert [Policy.parse(text).alias for text in policies] == ["champion"]


def _check_console(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every ``$ command`` prints the lines under it."""
    for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
        if command.startswith("export "):
            monkeypatch.setenv(*command.removeprefix("export ").split("="))
            continue
        ended = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=120)
        printed = _squeezed(ended.stdout + ended.stderr)
        pattern = re.escape(_squeezed(shown))
        for varies, form in VARIES.items():
            pattern = pattern.replace(re.escape(varies), form)
        assert re.fullmatch(pattern, printed, re.DOTALL), f"$ {command}\nprints\n{printed}\nand README shows\n{_squeezed(shown)}"


def _squeezed(text: str) -> str:
    """Without the columns' padding and empty lines."""
    return "\n".join(filter(None, (" ".join(line.split()) for line in text.splitlines())))
