"""A whole life of a model in a process of its own, with secrets in every place where people put them.

It saves a block, registers, evaluates, promotes, is blocked, rolls back, loads, and runs into every kind of error; whatever is
raised is printed. The test that starts it then searches everything that was written.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from prefect import flow

from flowreg import Policy, Registry
from flowreg.prefect import ModelRegistry, evaluate_model, fetch_model, load_model, promote_model, register_model, rollback_model

ROOT = os.environ["LIFE_ROOT"]
OPTIONS = json.loads(os.environ["LIFE_OPTIONS"])
POLICY = {"policy": "churn", "models": ["churn"], "alias": "champion", "dataset": "holdout", "no_baseline": "skip", "gates": ["auc >= 0.5"]}


def survived(step: Callable[..., Any], *args: Any, **options: Any) -> None:
    """Show whatever goes wrong, whole."""
    try:
        print(step(*args, **options))
    except Exception:
        traceback.print_exc()


@flow(name="life")
def life(api_token: str, database: str, registry: Any) -> None:
    """Two versions, one promoted, one blocked, a rollback that cannot be, a load and a fetch."""
    good = register_model("churn", {"w": [1]}, trust="pickle", params={"depth": 3}, registry=registry)
    evaluate_model(good, on="holdout", metrics={"auc": 0.9}, registry=registry)
    promote_model(good, registry=registry)
    bad = register_model("churn", {"w": [2]}, trust="pickle", metrics={"auc": 0.1}, on="holdout", registry=registry)
    survived(promote_model, bad, registry=registry)
    survived(rollback_model, "churn@champion", because="no way back", registry=registry)
    survived(load_model, "churn@champion", trust=True, registry=registry)
    survived(load_model, "churn@champion", registry=registry)
    survived(load_model, "churn@9", registry=registry)
    survived(fetch_model, "churn@champion", into=os.environ["LIFE_INTO"], registry=registry)


def main() -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    block = ModelRegistry(root=ROOT, storage_options=OPTIONS)
    block.save("life", overwrite=True)
    direct = block.get_registry()
    direct.set_policy(Policy.parse(POLICY))
    life(api_token=os.environ["LIFE_TOKEN"], database=f"postgresql://ana:{os.environ['LIFE_TOKEN']}@db/churn", registry="life")
    wrong = {**OPTIONS, "secret": OPTIONS["secret"] + "-wrong"}
    for broken in (Registry(ROOT, storage_options=wrong), Registry("s3://no-such-bucket-here/x", storage_options=OPTIONS)):
        survived(broken.register, "churn", {"w": [3]}, trust="pickle")
        survived(broken.get, "churn@champion")
        print(repr(broken), repr(broken._store))
    survived(Registry, f"s3://{OPTIONS['key']}:{OPTIONS['secret']}@bucket/x?sig={OPTIONS['secret']}")
    print(repr(block), str(block), repr(direct), block.model_dump_json())
    direct.flush()


if __name__ == "__main__":
    main()
