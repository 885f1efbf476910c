"""Prefect artifacts: the version card, the gate table and the model's page, on the page of the run that made them.

Rule 1: they are for people. A failure to write one is a line in the log and nothing else: the registry has what matters.
Rule 2: only inside a run, since an artifact belongs to one.
Rule 3: one request each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from prefect.artifacts import Artifact, MarkdownArtifact, TableArtifact

from ..core.decision import Decision
from ..core.views import Version
from .cards import gate_rows, gate_summary, history_page, last_line, version_card, version_line
from .keys import GATES, HISTORY, VERSION, artifact_key
from .sending import begin
from .surroundings import in_run, page_of_run, run_logger

if TYPE_CHECKING:
    from ..registry import Registry


def show_version(version: Version, *, root: str) -> bool:
    """The version card, under the key ``flowreg-<model>-version``; whether it is shown."""

    def card() -> Artifact:
        text = version_card(version, root=root, beside=page_of_run())
        return MarkdownArtifact(markdown=text, key=artifact_key(version.model, VERSION), description=version_line(version))

    return _write(card, what=f"the card of {version.ref}")


def show_decision(decision: Decision) -> bool:
    """The gate table, under the key ``flowreg-<model>-gates``."""

    def gates() -> Artifact:
        return TableArtifact(table=gate_rows(decision), key=artifact_key(decision.model, GATES), description=gate_summary(decision))

    return _write(gates, what=f"the gates of {decision.model}@{decision.candidate.version}")


def show_model(model: str, where: Registry) -> bool:
    """The model's page, under the key ``flowreg-<model>-history``: a new one each time that an alias moves, so that the versions of
    this artifact are the model's promotions."""

    def page() -> Artifact:
        lines = where.history(model)
        text = history_page(model, where.versions(model), lines, root=where.root, beside=page_of_run())
        return MarkdownArtifact(markdown=text, key=artifact_key(model, HISTORY), description=last_line(model, lines))

    return _write(page, what=f"the history of {model}")


def _write(made: Callable[[], Artifact], *, what: str) -> bool:
    if not in_run():
        return False
    try:
        artifact = made()  # here, and not in the thread that sends: it may read the registry
    except Exception as error:
        failure: str | None = type(error).__name__
    else:
        failure = begin(lambda: artifact.create(_sync=True))()  # type: ignore[call-arg]  # whatever event loop surrounds the task
    if failure is not None:
        run_logger().warning("flowreg could not show %s in Prefect, the registry has everything: %s", what, failure)
    return failure is None
