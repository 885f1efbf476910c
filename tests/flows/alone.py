"""A story of ``flows`` run as a newcomer runs it: in a process and a home of its own, with no Prefect of anybody's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.servers.process import environment

REPOSITORY = Path(__file__).parents[2]


def told_alone(module: str, folder: Path) -> str:
    """What ``python -m module`` prints in ``folder``; it must end well, and without a traceback."""
    home = folder / "home"
    home.mkdir()
    ended = subprocess.run(
        [sys.executable, "-m", module],
        cwd=folder,
        env={**environment(home, {"PYTHONPATH": str(REPOSITORY)}), "PREFECT_API_URL": "http://127.0.0.1:9/api"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]
    assert "Traceback" not in ended.stdout + ended.stderr
    return ended.stdout
