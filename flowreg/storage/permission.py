"""Whether a root may be written: its filesystem has a row of proofs, or has passed the probe, or nothing is written.

Rule: a registry begins only where the server that answers, and not only its kind, has created for one writer alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import Refused
from .probe import Trial, reason_against, reason_against_first
from .proofs import PROOFS, Proof, too_old


class Permission:
    """Of one root, ``shown`` like that; ``on_trial`` opens it once more, to be written without asking."""

    def __init__(self, shown: str, on_trial: Trial) -> None:
        self._shown = shown
        self._on_trial = on_trial
        self._passed: set[str] = set()  # probes; a set only grows, so threads need no lock

    def require(self, fs: Any, proof: Proof | None, *, first: bool) -> None:
        """``Refused`` with the reason where it is not given. ``first``: a registry begins."""
        if proof is None:
            self._require_probe("whole", lambda trial: reason_against(trial, fs))
        elif old := too_old(proof):
            raise self._refusal(f"{proof.package} is needed, and {old} is installed")
        elif first:
            self._require_probe("first", reason_against_first)

    def _require_probe(self, which: str, find_reason: Callable[[Trial], str | None]) -> None:
        if which in self._passed:
            return
        if reason := find_reason(self._on_trial):
            raise self._refusal(reason)
        self._passed.add(which)

    def _refusal(self, reason: str) -> Refused:
        return Refused(
            f"{self._shown} can be read, but not written: {reason}",
            where="nothing was written",
            do=f"use a root on one of {', '.join(sorted(PROOFS))}; flowreg doctor URL tries a filesystem",
            code="no-exclusive-create",
        )
