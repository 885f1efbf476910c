"""The story that README tells, in a process of its own: what the gates said is asserted on the registry, not on the text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flowreg import Registry
from tests.servers.process import environment

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.prefect
@pytest.mark.timeout(900)
def test_the_story_happens_as_it_is_told(tmp_path: Path) -> None:
    """Blocked for one airport, asked, promoted, rolled back, refused by its bytes; and the records say so."""
    home = tmp_path / "home"
    home.mkdir()
    ended = subprocess.run(
        [sys.executable, "-m", "flows.at_the_gate"],
        cwd=tmp_path,
        env={**environment(home, {"PYTHONPATH": str(REPOSITORY)}), "PREFECT_API_URL": "http://127.0.0.1:9/api"},
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]
    assert "Traceback" not in ended.stdout + ended.stderr
    registry = Registry(tmp_path / "flowreg-demo" / "at-the-gate")
    (harmful,) = registry.decisions("arrivals@2")
    assert harmful.outcome == "blocked"
    (airports,) = (result for result in harmful.failing() if result.status == "fail")
    assert "LGA: roc_auc" in airports.sentence
    assert (airports.sentence in ended.stdout, harmful.results[1].status) == (True, "pass")  # not worse on average
    assert [decision.outcome for decision in registry.decisions("arrivals@3")] == ["waiting", "promote"]
    assert [(word.person, word.approved) for word in registry.approvals("arrivals@3")] == [("ana", True)]
    moves = [line.what for line in registry.history("arrivals") if "version 3" in line.what and "champion" in line.what]
    assert any("promoted" in what for what in moves)
    assert any("rolled back" in what for what in moves)
    again = registry.get("arrivals@4")
    assert (again.digest, registry.get("arrivals@champion").number) == (registry.get("arrivals@3").digest, 1)
    assert again.retired is not None
    assert "these are the bytes of version 3, which was rolled back" in ended.stdout
