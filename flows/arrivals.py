"""A retraining whose gates compare example by example, and ask people: train, register, measure both, ask, promote.

``evaluate_on`` says how to measure; ``also="champion"`` measures the champion by the same code on the same rows. The policy stands in
``policies/arrivals.yaml``. Run it as ``python -m flows.at_the_gate``, which tells a story with it.
"""

from __future__ import annotations

from prefect import flow

from flowreg import AliasMove, NotFound
from flowreg.prefect import Holdout, ModelRegistry, evaluate_model, evaluate_on, promote_model, register_model, request_approval
from flowreg.prefect.resolve import resolve
from flows.flights import FEATURES, TARGET, dataset_of, flights_before, flights_of
from flows.models import grown

MODEL = "arrivals"
HOLDOUT = "2013-06"


@flow(name="arrivals", flow_run_name="arrivals-{before}-{trees}-trees")
def arrivals(
    before: str = HOLDOUT,
    trees: int = 80,
    without: str | None = None,
    asks: bool = False,
    registry: ModelRegistry | str | None = None,
) -> AliasMove:
    """Train on the three months before ``before`` (without the flights of the airport ``without``), and become champion if the gates
    say so. With ``asks`` the run waits for the people whom the policy names; else ``GateBlocked`` says that they are awaited."""
    window, month = flights_before(before), flights_of(HOLDOUT)
    window = window[window["origin"] != without]
    challenger = register_model(
        MODEL,
        grown(window, trees=trees),
        params={"trees": trees, "without": without},
        data=[dataset_of(window, role="train")],
        registry=registry,
    )
    holdout = Holdout(f"flights-{HOLDOUT}", month[list(FEATURES)], month[TARGET])
    scoring = evaluate_on(holdout, "roc_auc", slices=["origin"])
    evaluate_model(challenger, scoring, also="champion" if _has_champion(registry) else None, registry=registry)
    if asks:
        request_approval(challenger, to="champion", registry=registry)
    return promote_model(challenger, to="champion", because=f"retrained for {before}", registry=registry)


def _has_champion(registry: ModelRegistry | str | None) -> bool:
    try:
        resolve(registry).get(f"{MODEL}@champion")
    except NotFound:
        return False
    return True
