"""The one command of a newcomer, in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowreg import Registry
from flows.demo import free_folder
from tests.flows.alone import told_alone


@pytest.mark.prefect
@pytest.mark.timeout(900)
def test_the_command_tells_the_year_and_how_to_look_further(tmp_path: Path) -> None:
    """It needs no settings, prints months, tables and commands, no traceback, and stays in its folder."""
    told = told_alone("flows.demo", tmp_path)

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
        assert said in told
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
