"""Prefect artifacts: the version card, the gate table and the history, on the page of the run that made them.

Rule 1: they are for people. A failure to write one is a line in the log and nothing else: the registry has what matters.
Rule 2: only inside a run, since an artifact belongs to one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prefect.artifacts import Artifact, MarkdownArtifact, TableArtifact

from ..core.decision import Decision
from ..core.views import HistoryLine, Version
from ..lineage.masking import masked_text
from .cards import artifact_key, gate_rows, gate_summary, history_rows, version_card
from .markdown import escaped
from .surroundings import in_run, run_logger


def show_version(version: Version, *, root: str) -> None:
    """The version card, under the key ``flowreg-<model>``."""

    def card() -> Artifact:
        key, description = artifact_key(version.model), f"Version {escaped(version.ref)}"
        return MarkdownArtifact(markdown=version_card(version, root=root), key=key, description=description)

    _write(card, what=f"the card of {version.ref}")


def show_decision(decision: Decision) -> None:
    """The gate table, under the key ``flowreg-<model>-gates``."""

    def gates() -> Artifact:
        key, description = artifact_key(decision.model, "gates"), gate_summary(decision)
        return TableArtifact(table=gate_rows(decision), key=key, description=description)

    _write(gates, what=f"the gates of {decision.model}@{decision.candidate.version}")


def show_history(model: str, read: Callable[[], Iterable[HistoryLine]]) -> None:
    """The history, under the key ``flowreg-<model>-history``."""

    def history() -> Artifact:
        key, description = artifact_key(model, "history"), f"What happened to {escaped(model)}"
        return TableArtifact(table=history_rows(read()), key=key, description=description)

    _write(history, what=f"the history of {model}")


def _write(made: Callable[[], Artifact], *, what: str) -> None:
    if not in_run():
        return
    try:
        made().create(_sync=True)  # type: ignore[call-arg]  # whatever event loop surrounds the task
    except Exception as error:
        run_logger().warning("flowreg could not show %s: %s", what, masked_text(f"{type(error).__name__}: {error}"))
