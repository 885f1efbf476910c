"""Is it good enough? ``judge(policy, digest, facts) -> Decision``, a pure function.

Rule 1: only ``promote`` lets an alias move, and only evidence leads there: whatever is missing, broken or not comparable blocks.
Rule 2: taking evidence away never turns a no into a yes. (It is a thing measured that is taken away, with all its values; and
``[key=*]`` sees what was recorded: how many slices there must be is for ``slices_min`` to say.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..core.decision import Decision, GateResult, Judged, Outcome
from .evidence import Evidence, Source, gather
from .facts import Facts
from .gate import result_of
from .holdouts import worn_out
from .policy import Policy

MEASURED = ("pass", "fail")


def judge(policy: Policy, policy_digest: str, facts: Facts) -> Decision:
    """Judge the candidate by every gate. ``policy_digest`` is the digest of the policy's canonical bytes."""
    evidence = replace(
        gather(facts, dataset=policy.dataset, no_baseline=policy.no_baseline), gates=policy.gates, policy_digest=policy_digest
    )
    decisive = _decisive_sources(policy, evidence)
    newest = max(decisive, key=lambda source: source.order, default=None)
    if policy.dataset is not None:
        evidence = replace(evidence, source=newest)
    results = tuple(result_of(gate, evidence) for gate in policy.gates)
    data = newest if newest and (policy.dataset is not None or all(map(newest.is_same_as, decisive))) else Source(policy.dataset, None)
    return Decision(
        id=facts.decision_id,
        asked_at=facts.asked_at,
        expires_at=facts.expires_at,
        asked_by=facts.asked_by,
        model=facts.model,
        alias=facts.alias,
        candidate=Judged(version=facts.candidate.number, manifest=facts.candidate.manifest),
        base=Judged(version=facts.holder.number, manifest=facts.holder.manifest) if facts.holder else None,
        generation=facts.generation,
        policy_name=policy.policy,
        policy_digest=policy_digest,
        policy=policy.to_json(),
        dataset=data.name,
        dataset_digest=data.digest,
        outcome=outcome_of(results),
        results=results,
        warnings=worn_out(facts, data),
        flow_run=facts.flow_run,
        flowreg_version=facts.flowreg_version,
    )


def outcome_of(results: Sequence[GateResult]) -> Outcome:
    """``promote`` if nothing stands in the way and something was measured, ``waiting`` if only people are awaited."""
    standing = {result.status for result in results if result.severity == "fail"} - {"pass", "skip"}
    if standing:
        return "waiting" if standing == {"pending"} else "blocked"
    return "promote" if any(result.status in MEASURED for result in results) else "blocked"


def blocked_message(decision: Decision) -> str:
    """Why the alias did not move: a line that says it all, then a line for each gate in the way."""
    failing = decision.failing()
    yet = " yet" if decision.outcome == "waiting" else ""
    reason = failing[0].sentence if failing else _nothing_measured(decision)
    lines = [f"{decision.model}@{decision.candidate.version} may not become {decision.alias}{yet}: {reason}"]
    for result in failing:
        note = f" ({result.why})" if result.why else ""
        lines.append(f"  {result.status:<7} {result.gate}: {result.sentence}{note}")
    return "\n".join(lines)


def _nothing_measured(decision: Decision) -> str:
    skipped = sum(result.status == "skip" for result in decision.results)
    return (
        f"not one gate was measured ({skipped} of {len(decision.results)} skipped), so nothing speaks for it; "
        "add a gate that needs no baseline, such as auc >= 0.85"
    )


def _decisive_sources(policy: Policy, evidence: Evidence) -> list[Source]:
    """The data behind what no promotion goes without: the candidate's own numbers in gates that must pass."""
    return [source for gate in policy.gates if gate.severity == "fail" for source in gate.decided_on(evidence)]
