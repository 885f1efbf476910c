"""A registry with everything that a form can tell: data, parents, a run, slices, decisions, approvals, a card that people wrote."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from flowreg import Dataset, Policy, Registry
from flowreg.core.events import Environment, Git, Run

RUN = Run(
    flow="train", flow_run="0199aaaa-0000-7000-8000-000000000001", deployment="train/nightly", work_pool="pool",
    url="http://prefect/runs/flow-run/0199aaaa-0000-7000-8000-000000000001", entrypoint="flows/train.py:train",
    parameters={"day": 3, "token": "********"}, seeds={"numpy": 7}, image="registry/churn:7", image_digest="sha256:" + "c" * 64,
    git=Git(commit="a" * 40, branch="main", remote="https://github.com/team/churn.git", dirty=True),
    environment=Environment(python="3.11.7"),
)  # fmt: skip
CARD = """---
license: apache-2.0
---
# The churn model

## Intended use

To call people who may leave.

```
# not a heading
```

## Limitations

Trained on | one [country].
"""


@pytest.fixture
def full(tmp_path: Path) -> Registry:
    """``risk/churn@2`` has all of it; ``bare@1`` nothing."""
    registry = Registry(tmp_path / "models", actor="ana")
    model = tmp_path / "model.bin"
    model.write_bytes(b"the first")
    registry.register("base", model, key="base")
    registry.register("risk/churn", model, metrics={"auc": 0.7}, on="holdout")
    model.write_bytes(b"the second")
    registry.set_policy(
        Policy.parse(
            {
                "policy": "churn", "models": ["risk/*"], "alias": "champion", "dataset": "holdout", "no_baseline": "skip",
                "gates": ["auc >= 0.8", {"check": "metadata", "require": ["card.intended_use", "card.limitations", "card.license"]}],
            }
        )
    )  # fmt: skip
    registry.register(
        "risk/churn", model, metrics={"auc": 0.91, "odd": math.nan, "n": 400}, on="holdout", run=RUN, card=CARD, parents=["base@1"],
        slices={"region=*|[x]": {"recall": 0.69, "n": 12}}, params={"family": "trees", "depth": 6},
        labels={"owner": "risk team", "purpose": "who may leave"},
        data=[Dataset("s3://lake/customers.parquet", role="train", digest="sha256:" + "d" * 64, rows=9, columns={"age": "int64"})],
        signature={"inputs": [{"name": "age", "type": "int64"}]},
    )  # fmt: skip
    registry.promote("risk/churn@2", to="champion", because="better `by` far")
    registry.register("bare", model)
    return registry
