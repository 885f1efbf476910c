"""A decision in the journal against its record, field by field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowreg.check.blobs import decisions
from flowreg.core.codec import encode
from flowreg.core.decision import GateResult
from flowreg.core.events import Decided
from flowreg.storage import blobs
from flowreg.storage.store import Store, open_store
from flowreg.tables import read_decision
from tests.broken import zoo


@pytest.fixture
def promoted(tmp_path: Path) -> tuple[Store, Decided]:
    """A store, and a decision that let a version pass."""
    zoo.write(tmp_path)
    return open_store(tmp_path), zoo.state(tmp_path).decisions[1].said


def test_a_decision_like_its_record_is_no_finding(promoted: tuple[Store, Decided]) -> None:
    """It was promoted with a holder in place."""
    store, said = promoted

    assert (said.outcome, said.base) == ("promote", 1)
    assert decisions(store, "churn", [said]) == []


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("outcome", "blocked", "outcome"),
        ("alias", "other", "alias"),
        ("version", 3, "version"),
        ("manifest", zoo.NOWHERE, "version"),
        ("base", None, "holder"),
        ("generation", 7, "generation"),
        ("policy", "other", "policy"),
        ("policy_digest", zoo.NOWHERE, "policy"),
        ("dataset", "june", "dataset"),
        ("dataset_digest", "x", "dataset"),
    ],
)
def test_each_field_that_differs_is_named(promoted: tuple[Store, Decided], field: str, value: Any, named: str) -> None:
    """What the journal says and the record does not."""
    store, said = promoted

    found = decisions(store, "churn", [said.model_copy(update={field: value})])

    assert [(f.code, f.what.rpartition(" in ")[2]) for f in found] == [("wrong-decision", named)]


def test_a_record_of_another_model_is_named(promoted: tuple[Store, Decided]) -> None:
    """Though all numbers agree."""
    store, said = promoted

    assert [f.what.rpartition(" in ")[2] for f in decisions(store, "other", [said])] == ["model"]


def test_a_promotion_whose_gates_failed_is_named(promoted: tuple[Store, Decided]) -> None:
    """A record that says promote over a gate that failed."""
    store, said = promoted
    failed = GateResult(gate="auc >= 0.6", kind="comparison", status="fail", sentence="no")
    record = read_decision(store, said.decision).model_copy(update={"results": (failed,)})
    digest = blobs.put(store, encode(record.model_dump(exclude_none=True)))

    found = decisions(store, "churn", [said.model_copy(update={"decision": digest})])

    assert [f.what.rpartition(" in ")[2] for f in found] == ["gates that did not pass"]
