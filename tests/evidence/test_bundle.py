"""A bundle stands alone, is checked by a script that knows nothing of flowreg, and hides no change."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flowreg import BadInput, GateBlocked, Policy, Registry
from flowreg.core.codec import encode
from flowreg.evidence import bundle as bundle_module
from flowreg.evidence import verify
from tests.standards.conftest import full

__all__ = ["full"]


def checked(folder: Path, *argv: str) -> tuple[int, str]:
    """The script, run as an auditor would: no site packages, no environment, from somewhere else."""
    answer = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify.py"), *argv], capture_output=True, text=True, cwd="/", check=False, timeout=60
    )
    return answer.returncode, answer.stdout + answer.stderr


@pytest.fixture
def approved(full: Registry, tmp_path: Path) -> Registry:
    """Of ``risk/churn`` version 3 was blocked, 4 was approved by two people and promoted, 2 came back by a rollback; one slot is junk."""
    model = tmp_path / "model.bin"
    model.write_bytes(b"weak")
    full.register("risk/churn", model, metrics={"auc": 0.6}, on="holdout")
    with pytest.raises(GateBlocked):
        full.promote("risk/churn@3", to="champion", because="<script>alert(1)</script>")
    full.set_policy(
        Policy.parse(
            {
                "policy": "churn", "models": ["risk/*"], "alias": "champion", "dataset": "holdout", "no_baseline": "skip",
                "override": {"by": ["ana"]},
                "gates": ["auc >= 1e-7", "auc >= 0.1", {"check": "approval", "by": ["bo", "cy"], "count": 2}],
            }
        )
    )  # fmt: skip
    model.write_bytes(b"approved")
    full.register("risk/churn", model, metrics={"auc": 0.95}, on="holdout")
    for person in ("bo", "cy"):
        full.approve("risk/churn@4", to="champion", because=f"{person} read it", person=person)
    full.promote("risk/churn@4", to="champion")
    full.rollback("risk/churn@champion", because="errors in the south")
    return full


@pytest.mark.parametrize("ref", ["risk/churn@1", "risk/churn@2", "risk/churn@3", "risk/churn@4", "bare@1"])
def test_every_version_has_evidence_that_checks(approved: Registry, tmp_path: Path, ref: str) -> None:
    """Promoted, blocked, approved, rolled back, retired, and one about which nothing is known."""
    folder = approved.evidence(ref, tmp_path / "bundle")

    code, said = checked(folder)

    assert (code, said.splitlines()[-1]) == (0, "All of it holds."), said
    assert json.loads((folder / "bundle.json").read_text())["ref"] == ref
    assert not [name for name in sorted(p.name for p in tmp_path.iterdir()) if name.endswith(".tmp")]


def test_the_script_tells_who_did_what(approved: Registry, tmp_path: Path) -> None:
    """So that nobody need believe the report."""
    said = checked(approved.evidence("risk/churn@4", tmp_path / "bundle"))[1]

    assert "ana approved it as champion (bo) because: bo read it" in said
    assert "ana made it champion by promotion" in said
    assert "ana retired it" in said


def test_the_artifact_is_checked_inside_or_beside(approved: Registry, tmp_path: Path) -> None:
    """With the files in the bundle, or a folder that they were fetched into."""
    inside = approved.evidence("risk/churn@2", tmp_path / "inside", with_files=True)
    outside = approved.evidence("risk/churn@2", tmp_path / "outside")
    fetched = approved.fetch("risk/churn@2", tmp_path / "fetched")

    assert "1 files of the artifact are those that were registered" in checked(inside)[1]
    assert "not looked at" in checked(outside)[1]
    assert checked(outside, "--files", str(fetched))[0] == 0
    (fetched / "model.bin").write_bytes(b"another")
    assert checked(outside, "--files", str(fetched))[0] == 1
    (inside / "files" / "model.bin").write_bytes(b"another")
    code, said = checked(inside)
    assert (code, "model.bin of the artifact is not the file that was registered" in said) == (1, True)


def test_a_change_anywhere_is_found(approved: Registry, tmp_path: Path) -> None:
    """One flipped bit in each file, each file gone, one too many: the script names it."""
    clean = approved.evidence("risk/churn@2", tmp_path / "bundle")
    paths = sorted(path.relative_to(clean) for path in clean.rglob("*") if path.is_file() and path.name != "verify.py")
    assert {path.parts[0] for path in paths} == {"registry", "model", "blobs", "exports", "report.html", "bundle.json"}
    for path in paths:
        raw = bytearray((clean / path).read_bytes())
        raw[len(raw) // 2] ^= 1
        (clean / path).write_bytes(raw)
        code, said = checked(clean)
        assert code == 1, path
        assert "FAULT" in said
        raw[len(raw) // 2] ^= 1
        (clean / path).write_bytes(raw)
        (clean / path).rename(tmp_path / "aside")
        assert checked(clean)[0] == 1, path
        (tmp_path / "aside").rename(clean / path)
    (clean / "extra.txt").touch()
    code, said = checked(clean)
    assert (code, "extra.txt is in the bundle" in said) == (1, True)


def _forged(folder: Path, change: Callable[[Path], None]) -> tuple[int, str]:
    """What the script says where a forger has also put the index right."""
    change(folder)
    index = json.loads((folder / "bundle.json").read_text())
    lines = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "bundle.json"):
        data = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        lines.append({"path": name, "role": "x", "size_bytes": len(data), "digest": f"sha256:{hashlib.sha256(data).hexdigest()}"})
    (folder / "bundle.json").write_text(json.dumps({**index, "files": lines}))
    return checked(folder)


def _entry(folder: Path, number: int, name: str = "model") -> Path:
    return folder / name / "journal" / f"{number:020d}.json"


def _edited(folder: Path, old: str, new: str, number: int = 3) -> None:
    path = _entry(folder, number)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


FORGERIES: dict[str, tuple[Callable[[Path], None], str]] = {
    "an entry edited": (lambda f: _edited(f, '"auc":0.91', '"auc":0.99'), "does not follow the entry before it"),
    "the last entry edited": (lambda f: _last_edited(f), "says"),
    "an entry removed": (lambda f: _entry(f, 3).unlink(), "has a gap"),
    "two swapped": (lambda f: _swapped(f), "does not follow|says that it is"),
    "another registry": (lambda f: _other_genesis(f), "does not follow|begins with|of another journal"),
    "a decision edited": (lambda f: _decision_edited(f), "has other bytes"),
    "a decision removed": (lambda f: _decision(f).unlink(), "is missing"),
    "the manifest of another": (lambda f: _manifest_named(f), "is sha256"),
}


def _last_edited(folder: Path) -> None:
    path = sorted((folder / "model" / "journal").iterdir())[-1]
    said = json.loads(path.read_text())
    path.write_bytes(encode({**said, "seq": said["seq"] + 1}) + b"\n")


def _swapped(folder: Path) -> None:
    a, b = _entry(folder, 2), _entry(folder, 3)
    first, second = a.read_bytes(), b.read_bytes()
    a.write_bytes(second)
    b.write_bytes(first)


def _other_genesis(folder: Path) -> None:
    path = _entry(folder, 1, "registry")
    path.write_bytes(path.read_bytes().replace(b'"nonce":"', b'"nonce":"0'))


def _decision(folder: Path) -> Path:
    return next(path for path in (folder / "blobs").iterdir() if b'"policy_name"' in path.read_bytes())


def _decision_edited(folder: Path) -> None:
    path = _decision(folder)
    path.write_bytes(path.read_bytes().replace(b'"pass"', b'"skip"'))


def _manifest_named(folder: Path) -> None:
    index = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps({**index, "manifest": "sha256:" + "0" * 64}))


@pytest.mark.parametrize("forgery", list(FORGERIES))
def test_a_forger_who_puts_the_index_right_is_found_by_what_the_parts_say(approved: Registry, tmp_path: Path, forgery: str) -> None:
    """The chain, and what entries, decisions and policies say of each other."""
    import re

    folder = approved.evidence("risk/churn@2", tmp_path / "bundle")
    change, expected = FORGERIES[forgery]

    code, said = _forged(folder, change)

    assert code == 1, said
    assert re.search(expected, said), said


def test_a_promotion_whose_record_has_a_failing_gate_is_found(approved: Registry, tmp_path: Path) -> None:
    """Even where every digest was made anew: the last entry of a journal can be written by whoever makes the bundle."""
    folder = approved.evidence("risk/churn@2", tmp_path / "bundle", as_of=approved.history("risk/churn")[-7].at)
    record = _decision(folder)
    decision = json.loads(record.read_text())
    decision["results"][0]["status"] = "fail"
    raw = encode(decision)
    digest = hashlib.sha256(raw).hexdigest()
    record.unlink()
    (folder / "blobs" / digest).write_bytes(raw)
    paths = sorted((folder / "model" / "journal").iterdir())
    at = next(n for n, path in enumerate(paths) if b'"outcome":"promote"' in path.read_bytes())
    before = b""
    for path in paths[at:]:
        data = path.read_bytes().replace(record.name.encode(), digest.encode())
        if before:
            said = json.loads(data)
            data = encode({**said, "parent": f"sha256:{hashlib.sha256(before).hexdigest()}"}) + b"\n"
        path.write_bytes(data)
        before = data

    code, said = _forged(folder, lambda _: None)

    assert (code, "has a gate that did not pass" in said) == (1, True), said


def test_the_same_state_gives_the_same_bytes(approved: Registry, tmp_path: Path) -> None:
    """Also as of a moment, after more has happened."""
    at = approved.history("risk/churn")[-1].at
    first = approved.evidence("risk/churn@2", tmp_path / "first")
    approved.label("risk/churn@2", {"later": "yes"})
    again = Registry(approved.root).evidence("risk/churn@2", tmp_path / "again", as_of=at)

    def every(folder: Path) -> dict[str, bytes]:
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert every(again) == every(first)
    assert checked(again)[0] == 0


def test_junk_in_a_journal_is_in_the_bundle_and_has_no_effect(full: Registry, tmp_path: Path) -> None:
    """A slot that somebody filled with nonsense is kept, told, and broken by nobody."""
    full.flush()
    journal = Path(full.root, "models", "risk", "churn", "journal")
    newest = max(int(path.stem) for path in journal.iterdir())
    (journal / f"{newest + 1:020d}.json").write_bytes(b"junk\n")
    registry = Registry(full.root)
    registry.label("risk/churn@2", {"after": "junk"})

    folder = registry.evidence("risk/churn@2", tmp_path / "bundle")

    assert checked(folder)[0] == 0
    assert list(json.loads((folder / "bundle.json").read_text())["without_effect"]["model"]) == [str(newest + 1)]


def test_a_folder_that_is_there_is_not_touched(full: Registry, tmp_path: Path) -> None:
    """And nothing half-done is left where it fails in the middle."""
    place = tmp_path / "bundle"
    place.mkdir()
    (place / "x").touch()
    with pytest.raises(BadInput, match="exists already"):
        full.evidence("risk/churn@2", place)
    shutil.rmtree(place)

    fails = pytest.MonkeyPatch()
    fails.setattr(bundle_module, "_line", lambda *_: 1 / 0)
    with fails.context(), pytest.raises(ZeroDivisionError):
        full.evidence("risk/churn@2", place)
    fails.undo()
    assert not [name for name in sorted(p.name for p in tmp_path.iterdir()) if "bundle" in name]


def test_the_report_shows_the_grounds_and_runs_nothing(approved: Registry, tmp_path: Path) -> None:
    """Gates with their sentences, people, what was blocked; text of others is text."""
    blocked = (approved.evidence("risk/churn@3", tmp_path / "a") / "report.html").read_text()
    promoted = (approved.evidence("risk/churn@4", tmp_path / "b") / "report.html").read_text()

    assert "auc 0.6000 is below 0.8000" in blocked
    assert "&lt;script&gt;alert(1)" in blocked
    assert "<script" not in blocked + promoted
    assert "bo read it" in promoted
    assert "Retired." in promoted
    assert "Nothing is signed" in promoted
    assert "http" not in promoted.replace("http-equiv", "").replace("http://prefect", "").replace("https://github.com/team", "")


@pytest.mark.parametrize(
    "value", [0, 1, -1, 0.1, -0.005, 1e-7, 1e21, 1.5e300, 123456789.125, 5e-324, 1e20, 0.000001, -1.25e-9, 2**53 - 1, 100.0, 1e16]
)
def test_the_script_writes_numbers_as_the_format_does(value: float) -> None:
    """RFC 8785; a second implementation, held against the first."""
    assert verify.canonical({"é": [value, True, None], "\U0001f600": 1, "￿": 2}).encode() == encode(
        {"é": [value, True, None], "\U0001f600": 1, "￿": 2}
    )
