"""What a check says: findings, each a *fault* (something is wrong) or a *note* (worth knowing, harmless), by stable codes.

Rule 1: what a code means for the user stands in one table; only what happened is said where it is found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Severity = Literal["fault", "note"]


class Kind(NamedTuple):
    severity: Severity
    meaning: str


_RESTORE = "restore the file from a backup or the bucket's versions, then check again"
_REPAIR = "flowreg check --repair writes it anew from the journal"
_STRANGER = "find out who writes there; nothing has to be mended"
KINDS: dict[str, Kind] = {
    # -- journals
    "changed-entry": Kind("fault", f"this journal is not believed from here on and its readers stop; other models work; {_RESTORE}"),
    "broken-chain": Kind("fault", f"this journal is not believed from here on and its readers stop; other models work; {_RESTORE}"),
    "missing-entry": Kind("fault", f"what it said is lost and what came after it is not believed; other models work; {_RESTORE}"),
    "lost-journal": Kind(
        "fault", f"nothing can be written, and who may move protected aliases is unknown; versions can still be read; {_RESTORE}"
    ),
    "torn-entry": Kind("note", "a write that was cut off: it has no effect, stops nobody and stays"),
    "junk-entry": Kind("fault", f"it has no effect and stops nobody; {_STRANGER}"),
    "misplaced-entry": Kind("fault", "it has no effect here; if it stood elsewhere before, restore both places from a backup"),
    "foreign-entry": Kind("fault", f"it has no effect: it was written for another registry; {_STRANGER}"),
    "refused-entry": Kind("fault", f"it has no effect: the rules forbid it, and flowreg would not have written it; {_STRANGER}"),
    "newer-format": Kind("note", "the journal can be read but not written by this version: upgrade flowreg"),
    "unknown-kind": Kind("note", "the journal can be read but not written by this version: upgrade flowreg"),
    "bad-policy": Kind("fault", "promotions to its alias are refused until the policy is set anew"),
    "unreadable": Kind("fault", "it could not be checked; see that it is a plain file that may be read, then check again"),
    # -- caches
    "wrong-head": Kind("fault", f"listings may be wrong and the model may refuse to open; the journal is sound; {_REPAIR}"),
    "unreadable-head": Kind("fault", f"it is ignored, which costs time only; the journal is sound; {_REPAIR}"),
    "stale-head": Kind("note", f"it tells the truth about an older entry; readers look further; {_REPAIR}"),
    "missing-head": Kind("note", f"reading costs more requests; {_REPAIR}"),
    "wrong-checkpoint": Kind("fault", f"readers that start from it may answer wrongly; the journal is sound; {_REPAIR}"),
    "unreadable-checkpoint": Kind("fault", f"it is ignored, which costs time only; {_REPAIR}"),
    "newer-checkpoint": Kind("note", "it is ignored: another version of flowreg wrote it"),
    "missing-checkpoint": Kind("note", f"opening the model costs more requests; {_REPAIR}"),
    # -- blobs
    "missing-blob": Kind("fault", "what needs it cannot be read, everything else can; restore the file from a backup"),
    "changed-blob": Kind("fault", "flowreg refuses these bytes, so what needs them cannot be read; restore the file from a backup"),
    "bad-manifest": Kind("fault", "the version cannot be fetched or loaded; register its artifact again"),
    "wrong-manifest": Kind("fault", "what listings say about its size and format is wrong; its bytes are those of the manifest"),
    "bad-decision": Kind("fault", "the evidence of this decision cannot be shown; what it decided stands in the journal"),
    "wrong-decision": Kind("fault", "the recorded evidence does not support what the journal says: judge the version again"),
    "dangling-blob": Kind("note", "nothing refers to it: an upload that was interrupted or is under way"),
    "foreign-file": Kind("note", "not flowreg's: it is ignored"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found. ``where`` is the file, relative to the root; ``model`` None if it concerns the whole registry."""

    severity: Severity
    code: str
    where: str
    what: str
    meaning: str
    model: str | None


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at."""

    models: int = 0
    entries: int = 0
    heads: int = 0
    checkpoints: int = 0
    blobs: int = 0
    bytes_read: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """All that a check found, faults first. ``ok``: no faults."""

    root: str
    findings: tuple[Finding, ...]
    checked: Checked

    @property
    def faults(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "fault")

    @property
    def notes(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "note")

    @property
    def ok(self) -> bool:
        return not self.faults


def found(code: str, where: str, what: str, model: str | None, *, also: str = "", settled: bool = False) -> Finding:
    """A finding of this code. ``also`` says more about what it means; ``settled``: everybody has seen it and gone on, so it is a note."""
    severity, meaning = KINDS[code]
    return Finding("note" if settled else severity, code, where, what, "; ".join(filter(None, (also, meaning))), model)


def report_of(root: str, findings: Iterable[Finding], checked: Checked) -> Report:
    """The findings in order, each file named once for each code."""
    unique = {(f.severity, f.model or "", f.where, f.code): f for f in findings}
    return Report(root, tuple(unique[key] for key in sorted(unique)), checked)
