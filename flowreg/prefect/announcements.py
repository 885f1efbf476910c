"""Prefect events: what a registry did, for automations to react to.

Rule 1: an event tells, it is no record: Prefect may lose it and forgets it after days. The journal is the record.
Rule 2: the resource is the model, so that an automation can follow one; the version stands in the labels and the payload.
Rule 3: only inside a run: elsewhere Prefect would start a server for it, or link it to an earlier run of the process. The run's id
stands in the payload for the same reason.
Rule 4: a repeated task repeats its event; ``digest`` and ``flow_run`` in the payload tell that it is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ..core.decision import Decision
from ..core.events import write_measure
from ..core.pages import artifact_page, deployment_page
from ..core.views import AliasMove, Approval, Version
from ..lineage.prefect_run import flow_run_id
from .keys import HISTORY, artifact_key
from .sending import tell
from .surroundings import in_run, page_of_run

Verb = Literal["registered", "promoted", "blocked", "rolled-back", "retired", "restored", "approval-requested", "approved", "rejected"]


def announce_registered(version: Version, *, root: str, shown: bool = True) -> None:
    """``flowreg.version.registered``; ``run`` is who made these bytes, earlier than this run where it was a repeated one."""
    run = version.run
    made_by = {"run": run.flow_run, "run_url": run.url, "deployment": run.deployment, "deployment_url": deployment_page(run)} if run else {}
    facts = {
        "metrics": {name: write_measure(value) for name, value in version.metrics.items()},
        "made_by": {name: said for name, said in made_by.items() if said},
        **({} if shown else {"not_shown": f"the card of {version.ref}"}),
    }
    _announce("registered", version.model, version.number, version.digest, root=root, facts=facts)


def announce_moved(verb: Literal["promoted", "rolled-back"], move: AliasMove, *, root: str) -> None:
    """``flowreg.version.promoted`` or ``flowreg.version.rolled-back``"""
    facts = {"alias": move.alias, "previous": move.previous, "how": move.how, "because": move.because}
    _announce(verb, move.model, move.version.number, move.version.digest, root=root, facts=facts)


def announce_left(move: AliasMove, *, root: str) -> None:
    """``flowreg.version.retired`` for the bytes that a rollback left and barred, ``flowreg.version.restored`` where it was undone."""
    if move.undoes is not None:
        _announce(
            "restored",
            move.model,
            move.version.number,
            move.version.digest,
            root=root,
            facts={"alias": move.alias, "because": move.because},
        )
    elif move.retired is not None and move.previous is not None:
        _announce("retired", move.model, move.previous, move.retired, root=root, facts={"because": move.because})


def announce_asked(decision: Decision, *, root: str) -> None:
    """``flowreg.version.approval-requested``"""
    facts = {"alias": decision.alias, "policy": decision.policy_name, "sentences": [result.sentence for result in decision.failing()]}
    candidate = decision.candidate
    _announce("approval-requested", decision.model, candidate.version, candidate.manifest, root=root, facts=facts)


def announce_word(said: Approval, *, digest: str, root: str) -> None:
    """``flowreg.version.approved`` or ``flowreg.version.rejected``"""
    facts = {"alias": said.alias, "person": said.person, "because": said.because, "policy": said.policy, "via": said.via}
    _announce("approved" if said.approved else "rejected", said.model, said.version, digest, root=root, facts=facts)


def announce_blocked(decision: Decision, *, root: str) -> None:
    """``flowreg.version.blocked``"""
    candidate = decision.candidate
    facts = {
        "alias": decision.alias,
        "outcome": decision.outcome,
        "policy": decision.policy_name,
        "sentences": [result.sentence for result in decision.failing()],
    }
    _announce("blocked", decision.model, candidate.version, candidate.manifest, root=root, facts=facts)


def _announce(verb: Verb, model: str, number: int, digest: str, *, root: str, facts: Mapping[str, Any]) -> None:
    if not in_run():
        return
    labels = {"flowreg.model": model, "flowreg.version": str(number)} | ({"flowreg.alias": facts["alias"]} if "alias" in facts else {})
    named = {"model": model, "version": number, "ref": f"{model}@{number}", "digest": digest, "registry": root}
    tell(
        f"flowreg.version.{verb}",
        resource={"prefect.resource.id": f"flowreg.model.{model}", "prefect.resource.name": model, **labels},
        related=[{"prefect.resource.id": f"flowreg.registry.{root}", "prefect.resource.role": "registry"}],
        payload={**named, **facts, "flow_run": flow_run_id(), **_pages(model)},
        what=f"{model}@{number} was {verb}",
    )


def _pages(model: str) -> dict[str, str]:
    """Where to read on: the run that did it, and the page of the model."""
    run = page_of_run()
    pages = {"run_page": run, "model_page": artifact_page(run, artifact_key(model, HISTORY))}
    return {name: page for name, page in pages.items() if page}
