"""The one command of a newcomer, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flowreg import Registry
from flows.demo import free_folder
from tests.servers.process import environment

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.prefect
@pytest.mark.timeout(900)
def test_the_command_tells_the_year_and_how_to_look_further(tmp_path: Path) -> None:
    """It needs no settings, prints months, tables and commands, no traceback, and stays in its folder."""
    home = tmp_path / "home"
    home.mkdir()
    ended = subprocess.run(
        [sys.executable, "-m", "flows.demo"],
        cwd=tmp_path,
        env={**environment(home, {"PYTHONPATH": str(REPOSITORY)}), "PREFECT_API_URL": "http://127.0.0.1:9/api"},
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]
    assert "Traceback" not in ended.stdout + ended.stderr
    for said in (
        "2013-07  flight-delay@10 (boosted, auc 0.",
        "is the new champion",
        "2013-10  flight-delay@16 (boosted, auc 0.",
        "is blocked: auc 0.",
        "$ flowreg show flight-delay\n",
        "$ flowreg history flight-delay",
        "flights-2013-12",
        "Look further:",
        f"export FLOWREG_ROOT={tmp_path / 'flowreg-demo' / 'registry'}\n",
        "prefect server start",
    ):
        assert said in ended.stdout
    assert Registry(tmp_path / "flowreg-demo" / "registry").get("flight-delay@newest").number == 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flowreg-demo", "home"]


def test_a_registry_is_never_written_over(tmp_path: Path) -> None:
    """A second demo lies beside the first."""
    wanted = tmp_path / "registry"
    assert free_folder(wanted) == str(wanted)

    wanted.mkdir()
    assert free_folder(wanted) == str(tmp_path / "registry-2")

    (tmp_path / "registry-2").mkdir()
    assert free_folder(wanted) == str(tmp_path / "registry-3")
