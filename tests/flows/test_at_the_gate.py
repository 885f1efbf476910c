"""The story that README tells, in a process of its own: what the gates said is asserted on the registry, not on the text."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowreg import Registry
from tests.flows.alone import told_alone


@pytest.mark.prefect
@pytest.mark.timeout(900)
def test_the_story_happens_as_it_is_told(tmp_path: Path) -> None:
    """Blocked for one airport, asked, promoted, rolled back, refused by its bytes; and the records say so."""
    told = told_alone("flows.at_the_gate", tmp_path)

    registry = Registry(tmp_path / "flowreg-demo" / "at-the-gate")
    (harmful,) = registry.decisions("arrivals@2")
    assert harmful.outcome == "blocked"
    (airports,) = (result for result in harmful.failing() if result.status == "fail")
    assert "LGA: roc_auc" in airports.sentence
    assert (airports.sentence in told, harmful.results[1].status) == (True, "pass")  # not worse on average
    assert [decision.outcome for decision in registry.decisions("arrivals@3")] == ["waiting", "promote"]
    assert [(word.person, word.approved) for word in registry.approvals("arrivals@3")] == [("ana", True)]
    moves = [line.what for line in registry.history("arrivals") if "version 3" in line.what and "champion" in line.what]
    assert any("promoted" in what for what in moves)
    assert any("rolled back" in what for what in moves)
    again = registry.get("arrivals@4")
    assert (again.digest, registry.get("arrivals@champion").number) == (registry.get("arrivals@3").digest, 1)
    assert again.retired is not None
    assert "these are the bytes of version 3, which was rolled back" in told
