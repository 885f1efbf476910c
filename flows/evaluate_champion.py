"""Measures the champion on fresh data, and raises the alarm if it has become worse. Deployed as ``evaluate-champion/weekly``."""

from __future__ import annotations

from prefect import flow

from flowreg import Evaluation
from flowreg.prefect import ModelRegistry, announce_drift
from flowreg.prefect.resolve import resolve
from flows.flights import MONTHS, dataset_of, flights_of
from flows.retrain import MODEL, measure


@flow(name="evaluate-champion", flow_run_name="evaluate-champion-{month}")
def evaluate_champion(month: str = MONTHS[-1], alarm_below: float = 0.0, registry: ModelRegistry | str | None = None) -> Evaluation:
    """Record how well the champion does on the flights of ``month``; below the AUC ``alarm_below`` tell Prefect that it has drifted.

    Args:
        month: The fresh data.
        alarm_below: The AUC below which a retraining is due; 0 never.
    """
    where, fresh = resolve(registry), flights_of(month)
    on = dataset_of(fresh, role="fresh")
    measure(where.get(f"{MODEL}@champion"), fresh, on, registry)
    champion = where.get(f"{MODEL}@champion")
    found = next(each for each in reversed(champion.evaluations) if each.dataset_digest == on.digest)
    if found.metrics["auc"] < alarm_below:
        because = f"auc {found.metrics['auc']:.3f} of {champion.ref} on {on.name} is below {alarm_below:g}"
        announce_drift(MODEL, because=because, version=champion.number, facts=found.metrics)
    return found


if __name__ == "__main__":
    evaluate_champion()
