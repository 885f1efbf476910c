"""The golden registry of format 1 is read for ever, by us and by a second implementation."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import flowreg
from flowreg import Registry
from tests.golden import second_reader

GOLDEN = Path(__file__).parent / "v1"
LATER = Path(__file__).parent / "v1_later"  # what format 1 came to know later


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    shutil.copytree(GOLDEN, tmp_path / "v1")
    return Registry(tmp_path / "v1")


def test_versions_and_aliases_are_what_they_were(registry: Registry) -> None:
    """What the registry said when it was written, it says to every later flowreg."""
    versions = registry.versions("flights")

    assert [v.by.actor for v in versions] == ["ana", "ana", "ana", "ben"]
    assert {v.number: v.aliases for v in versions} == {1: ("previous",), 2: (), 3: ("champion",), 4: ()}
    assert (versions[0].metrics, versions[0].evaluations[0].n) == ({"auc": 0.71}, 20000)
    assert versions[1].metrics["auc"] != versions[1].metrics["auc"], "NaN is kept"
    assert versions[2].labels == {"team": "ops", "reviewed": "yes"}
    assert versions[0].run is not None
    assert versions[0].run.git is not None
    assert versions[0].run.git.commit == "9e1c2f0"


def test_the_past_can_be_asked(registry: Registry) -> None:
    """At each moment the champion is who it was then."""
    moments = {f"2026-11-22T09:{minute:02d}:30Z": registry for minute in range(2, 20)}

    holders = []
    for moment in moments:
        held = [v.number for v in registry.versions("flights", as_of=moment) if "champion" in v.aliases]
        if held and held[0:1] != holders[-1:]:
            holders += held

    assert holders == [1, 2, 1, 3]


def test_models_are_loaded_and_verified(registry: Registry) -> None:
    """The bytes are those that were registered."""
    assert registry.load("flights@champion", trust=True) == {"weights": [0.7]}
    assert registry.load("flights@champion~1", trust=True) == {"weights": [0.5, 1e-7, 1e21]}
    assert registry.load("Risk/Überfall@1", trust=True) == {"w": 1}


def test_the_torn_entry_is_kept_and_told(registry: Registry) -> None:
    """A torn write stops nothing and is not forgotten."""
    voids = [line for line in registry.history("flights") if line.void]

    assert [(line.seq, line.void) for line in voids] == [(13, "no line end: torn or truncated")]


def test_caches_may_vanish(registry: Registry, tmp_path: Path) -> None:
    """Without heads and checkpoints the answers are the same."""
    before = registry.versions("flights")
    shutil.rmtree(tmp_path / "v1" / "heads")

    assert Registry(tmp_path / "v1").versions("flights") == before
    assert [line.model for line in Registry(tmp_path / "v1").models()] == ["Risk/Überfall", "flights"]


def test_a_second_implementation_agrees(registry: Registry) -> None:
    """A reader written from FORMAT.md with the standard library alone comes to the same state."""
    second = second_reader.state_of(GOLDEN, "flights")
    versions = registry.versions("flights")

    assert second["aliases"] == {alias: v.number for v in versions for alias in v.aliases}
    assert [v["manifest"] for v in second["versions"]] == [v.digest for v in versions]
    assert [v["labels"] for v in second["versions"]] == [v.labels for v in versions]
    assert second["versions"][2]["metrics"] == versions[2].metrics
    assert second["retired"] == [v.number for v in versions if v.retired]
    assert second["void"] == [line.seq for line in registry.history("flights") if line.void]
    assert set(second_reader.files_of(GOLDEN, versions[0].digest)) == {"model.pkl"}


@pytest.fixture
def later(tmp_path: Path) -> Registry:
    shutil.copytree(LATER, tmp_path / "later")
    return Registry(tmp_path / "later")


def test_what_came_later_is_what_it_was(later: Registry, tmp_path: Path) -> None:
    """People, their words, barred bytes, and bytes that were dropped or came back; a drop against the rules has no effect."""
    versions = later.versions("churn")

    assert later.people() == {"model-risk": ("ana", "bo", "cleo")}
    assert [(a.person, a.approved) for v in versions[:3] for a in later.approvals(v)] == [("bo", True), ("cleo", False), ("bea", True)]
    assert [v.number for v in versions if v.retired] == [2, 4]
    assert [v.number for v in versions if v.dropped] == [2, 4]
    assert (later.fetch("churn@3", tmp_path / "out") / "model.txt").read_text() == "third"
    assert [line.void for line in later.history("churn") if line.void] == ["version 1 has these bytes and is not retired"]
    assert later.check(read_data=True).faults == ()


def test_a_second_implementation_agrees_on_what_came_later(later: Registry) -> None:
    """With the same standard library and the same page."""
    second, versions = second_reader.state_of(LATER, "churn"), later.versions("churn")

    assert [v["manifest"] for v in second["versions"]] == [v.digest for v in versions]
    assert second["aliases"] == {alias: v.number for v in versions for alias in v.aliases}
    assert second["retired"] == [v.number for v in versions if v.retired]
    assert second["dropped"] == [v.number for v in versions if v.dropped]
    words = [(v.number, a.person, "approved" if a.approved else "rejected") for v in versions for a in later.approvals(v)]
    assert sorted(second["approvals"]) == sorted(words)
    assert second["void"] == [line.seq for line in later.history("churn") if line.void]
    assert {group: tuple(people) for group, people in second_reader.people_of(LATER).items()} == later.people()
    assert set(second_reader.files_of(LATER, versions[2].digest)) == {"model.txt"}


def test_format_md_is_checked_with_public_tools(tmp_path: Path) -> None:
    """The commands of FORMAT.md run, and their digests form the chain."""
    text = (Path(flowreg.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")
    script = re.search(r"```bash\n(.*?)```", text, re.DOTALL)
    assert script is not None

    run = subprocess.run(["bash", "-euo", "pipefail", "-c", script[1]], cwd=GOLDEN, capture_output=True, text=True, check=True)

    identity, *lines = run.stdout.splitlines()
    digests = [line.split()[0] for line in lines if line.endswith(".json")]
    parents = [json.loads("{" + line + "}")["parent"].removeprefix("sha256:") for line in lines if line.startswith('"parent"')]
    second = json.loads((GOLDEN / "journal" / f"{2:020d}.json").read_bytes())
    assert second["registry"] == "sha256:" + identity.split()[0]
    assert len(digests) == 14
    assert parents == [*digests[:11], digests[12]], "entry 13 is torn and names no parent; entry 14 names entry 13 all the same"


def test_a_changed_entry_is_found(registry: Registry, tmp_path: Path) -> None:
    """One flipped bit in an old entry stops every answer about that model, and only about that."""
    entry = tmp_path / "v1/models/flights/journal" / f"{3:020d}.json"
    raw = bytearray(entry.read_bytes())
    raw[raw.index(b'"auc"') + 1] ^= 1
    entry.write_bytes(bytes(raw))

    with pytest.raises(flowreg.Corrupt, match="contradicts itself at entry 4"):
        Registry(tmp_path / "v1").get("flights@champion")
    assert Registry(tmp_path / "v1").get("Risk/Überfall@1").number == 1
