"""The pattern to copy: new data, a challenger, everybody measured on the same holdout, and then the gates decide.

Run it as ``python flows/retrain.py``, or deploy ``flows/retrain.py:retrain``. What is particular to flights stands in
``flights.py`` and ``models.py``; put your own data and training in their place, and this file stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flowreg import AliasMove, Dataset, NotFound, Version
from flowreg.prefect import ModelRegistry, evaluate_model, load_model, promote_model, register_model
from flowreg.prefect.resolve import resolve
from flows.flights import MONTHS, dataset_of, flights_before, flights_of
from flows.models import score, train

MODEL = "flight-delay"
RIVALS = ("champion", "baseline")  # whom the gates compare a challenger with

train_model = task(train, name="train", task_run_name="train-{family}", cache_policy=NO_CACHE)


@flow(name="retrain", flow_run_name="retrain-{month}-{family}")
def retrain(
    month: str = MONTHS[-1], family: str = "boosted", registry: ModelRegistry | str | None = None, because: str | None = None
) -> AliasMove:
    """Train on the months before ``month``, measure on ``month``, and become champion if the gates of the policy say so.

    Raises ``GateBlocked`` where they do not: the run then fails, with the reason in its state, and the champion stays. ``because`` is
    what the history says about the promotion: a trigger passes on what it was told.
    """
    window, holdout = flights_before(month), flights_of(month)
    challenger = register_model(
        MODEL,
        train_model(window, family=family),
        params={"family": family},
        data=[dataset_of(window, role="train")],
        registry=registry,
    )
    on = dataset_of(holdout, role="holdout")
    for version in (challenger, *rivals_of(challenger, registry)):
        measure(version, holdout, on, registry)
    return promote_model(challenger, to="champion", because=because or f"retrained for {month}", registry=registry)


def rivals_of(challenger: Version, registry: ModelRegistry | str | None) -> Iterator[Version]:
    """The holders of the aliases that the gates compare with, as far as there are any."""
    for alias in RIVALS:
        try:
            yield resolve(registry).get(f"{challenger.model}@{alias}")
        except NotFound:
            continue


def measure(version: Version, holdout: pd.DataFrame, on: Dataset, registry: ModelRegistry | str | None) -> None:
    """Record how well a version does on the holdout, once; as loaded from the registry: what is measured is what would be served."""
    if any(earlier.dataset_digest == on.digest for earlier in version.evaluations):
        return
    metrics, slices = score(load_model(version, registry=registry), holdout)
    evaluate_model(version, metrics=metrics, slices=slices, on=on, registry=registry)


if __name__ == "__main__":
    retrain()
