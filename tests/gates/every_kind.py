"""Facts and gates of every kind, small enough to be judged thousands of times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from flowreg.gates import Subject
from flowreg.gates.examples.table import checked
from flowreg.gates.facts import Answer, Approval, Content, Drifted, PerExample, PickleSeen

from .conftest import AA, BB, POLICY_DIGEST, Bench

PEOPLE = {"risk": ("ben", "eva"), "ops": ("kim",)}
AUTHORS = {"kim": "registered it"}
MEMBERS = ("ben", "eva", "kim", "zoe", "mallory")

GATES: dict[str, Any] = {
    "expr": "auc >= 0.5",
    "expr against": "auc >= champion.auc - 0.1",
    "expr slices": {"expr": "auc[region=*] >= 0.3", "slices_min": 2, "min_n": 5},
    "expr plain": "artifact.size <= 100",
    "any_of": {"any_of": ["auc >= 0.7", {"check": "approval", "by": ["ops"]}, {"check": "drift", "window": "7d"}]},
    "metadata": {"check": "metadata", "require": ["owner", "card.use"]},
    "compare": {"check": "compare", "metric": "mae", "test": "non_inferiority", "margin": 0.2},
    "schema": {"check": "schema"},
    "scan": {"check": "scan"},
    "scan names": {"check": "scan", "pickle": "scan"},
    "approval": {"check": "approval", "by": ["risk", "zoe"], "count": 2, "not_author": True, "valid_days": 14},
    "drift": {"check": "drift", "window": "7d", "max_features": 1, "psi": 0.2},
    "python": {"check": "python", "call": "mygates:check"},
}
SIGNATURES = [
    None, {"inputs": [{"name": "a", "type": "int32"}]}, {"inputs": [{"name": "a", "type": "int64"}]},
    {"inputs": [{"name": "a", "type": "int64"}, {"name": "b", "type": "bool"}]}, {"inputs": "?"},
]  # fmt: skip
CONTENTS: list[tuple[Content, ...]] = [
    (), (Content("m", "onnx"),), (Content("m", "unknown"),), (Content("m", "pickle", pickles=(PickleSeen("", ("numpy.dtype",)),)),),
    (Content("m", "pickle", pickles=(PickleSeen("", ("os.system",)),)),), (Content("m", "zip", trouble="it breaks off"),),
]  # fmt: skip
DRIFTS = [(), (Drifted(7 * 86400, {"a": 0.1}),), (Drifted(7 * 86400, {"a": 0.3, "b": 0.4}),), (Drifted(7 * 86400, {"a": float("nan")}),)]
ANSWERS = [None, Answer(True), Answer(False, "no"), Answer(None, trouble="no answer in 1 s"), Answer("yes")]  # type: ignore[arg-type]


def table(error: float) -> PerExample:
    """A hundred examples, each missed by about as much."""
    truth = np.arange(100.0)
    columns = {"id": np.arange(100), "y": truth, "pred": truth + error * (1 + np.arange(100) % 7 / 10)}
    return PerExample("holdout", AA, lambda: checked(columns), 100, 1)


def word(actor: str, approved: bool, seq: int, **other: Any) -> Approval:
    """What a person said about churn@7."""
    said = Approval(actor, "2026-11-21T09:00:00.000Z", approved, "so", 7, f"sha256:{7:064x}", "champion", 5, 3, POLICY_DIGEST, seq)
    return replace(said, **other)


STALE: list[dict[str, Any]] = [
    {}, {}, {"policy_digest": BB}, {"generation": 2}, {"base": 4}, {"manifest": BB}, {"version": 6}, {"at": "2026-10-01T09:00:00.000Z"},
]  # fmt: skip


def asking(answer: Answer | None) -> Any:
    """A place that gives this answer, or none."""
    return None if answer is None else lambda call: answer


def subject(number: int, **parts: Any) -> Subject:
    """A version of churn with these parts of evidence, each left out where it is None."""
    paths = {"owner": parts.get("owner"), "card": {"use": parts.get("use")}, "signature": parts.get("signature")}
    contents = parts.get("contents")
    return Bench.subject(
        number,
        parts.get("measured") or (),
        plain={"artifact.size": parts["size"]} if parts.get("size") else {},
        paths={name: value for name, value in paths.items() if value is not None},
        examples=() if parts.get("error") is None else (table(parts["error"]),),
        contents=None if contents is None else lambda scanner: contents,
        drifted=parts.get("drifted") or (),
    )
