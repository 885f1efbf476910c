"""``flowreg export``"""

from __future__ import annotations

import json
from pathlib import Path

from flowreg.registry import Registry

from .conftest import Cli


def test_a_form_goes_to_standard_output_or_into_a_new_file(cli: Cli, churn: Registry, tmp_path: Path) -> None:
    """A file that is there is not written over."""
    target = tmp_path / "bom.json"

    assert json.loads(cli("export", "churn@1", "--as", "bom").out)["bomFormat"] == "CycloneDX"
    assert cli("export", "churn@1", "--as", "bom", "--into", str(target)).code == 0
    assert json.loads(target.read_text())["metadata"]["component"]["name"] == "churn"
    again = cli("export", "churn@1", "--as", "card", "--into", str(target))
    assert (again.code, "there is a file" in again.err) == (2, True)


def test_what_does_not_go_together_is_refused(cli: Cli, churn: Registry) -> None:
    """Before anything is read."""
    assert cli("export", "churn@1", "--as", "bom", "--send").code == 2
    assert cli("export", "churn@1", "--as", "card", "--template", "/nowhere").code == 2
    assert cli("export", "churn@1", "--as", "card", "--into", "/nowhere/card.md").code == 2
    assert cli("export", "churn@9", "--as", "card").code == 3
