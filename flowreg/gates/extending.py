"""A policy that extends others: their gates first, then its own, made whole when it is put in force.

Rule 1: an inherited gate is there as it was; its data set, what a missing baseline means and who may go over it do not get looser.
Rule 2: what is recorded is whole, and names the digest of each parent: a later revision of a parent changes nothing by itself.
Rule 3: making a whole policy whole again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..core.names import shown
from ..core.policies import PolicyRecord
from ..errors import BadInput
from .gate import Gate
from .missing import with_missing
from .policy import Parent, Policy

InForce = Callable[[str], PolicyRecord | None]


def extended(policy: Policy, in_force: InForce) -> Policy:
    """The policy with all that it inherits. ``BadInput`` where a parent is not in force, or where it would loosen one."""
    if not policy.extends:
        return policy
    records = [_parent(policy, parent.policy, in_force) for parent in policy.extends]
    parents = [Policy.parse(with_missing(record.policy)) for record in records]
    head = _inherited(policy, parents)
    whole = Policy(
        **{name: getattr(policy, name) for name in ("policy", "models", "alias", "override")},
        extends=tuple(Parent(policy=record.name, digest=record.digest) for record in records),
        gates=_gates(policy, parents),
        **head,
    )
    for parent in parents:
        _refuse_looser(whole, parent)
    return whole


def _parent(policy: Policy, name: str, in_force: InForce) -> PolicyRecord:
    record = in_force(name)
    if record is None:
        raise _refused(policy, f"no policy {shown(name)} is in force to extend", "put it in force first: flowreg policy set FILE")
    if policy.policy in _ancestors(name, in_force):
        raise _refused(policy, f"{policy.policy} would extend itself by way of {name}", "take one of the two out of the other's extends")
    return record


def _ancestors(name: str, in_force: InForce) -> set[str]:
    """The policy and all that it extends, by their revisions in force."""
    seen, waiting = set[str](), [name]
    while waiting:
        seen.add(one := waiting.pop())
        record = in_force(one)
        waiting += [parent for parent in _names(record.policy.get("extends") if record else ()) if parent not in seen]
    return seen


def _names(extends: Any) -> Iterable[str]:
    return [str(parent["policy"]) for parent in extends or ()]


def _inherited(policy: Policy, parents: Sequence[Policy]) -> dict[str, Any]:
    """The head: what the policy says itself, else what its parents say. A text that names digests is whole already."""
    said = policy.model_fields_set if not all(parent.digest for parent in policy.extends) else set(Policy.model_fields)
    datasets = [parent.dataset for parent in parents if parent.dataset is not None]
    from_parents: dict[str, Any] = {
        "dataset": datasets[0] if datasets else None,
        "no_baseline": "skip" if all(parent.no_baseline == "skip" for parent in parents) else "fail",
        "decision_ttl": min(parents, key=lambda parent: parent.decision_ttl_s).decision_ttl,
    }
    return {name: getattr(policy, name) if name in said else value for name, value in from_parents.items()}


def _gates(policy: Policy, parents: Sequence[Policy]) -> tuple[Gate, ...]:
    found: list[Gate] = []
    for gate in [gate for one in (*parents, policy) for gate in one.gates]:
        if gate.to_json() not in [other.to_json() for other in found]:
            if gate.id and gate.id in [other.id for other in found]:
                raise _refused(policy, f"the gate {gate.id} is inherited and would be changed", "give yours an id of its own")
            found.append(gate)
    return tuple(found)


def _refuse_looser(whole: Policy, parent: Policy) -> None:
    of = f"of {parent.policy}"
    if parent.dataset is not None and whole.dataset != parent.dataset:
        raise _refused(whole, f"its data set is not that {of}, {parent.dataset}", "leave dataset out, or set a policy that extends nothing")
    if whole.no_baseline == "skip" and parent.no_baseline == "fail":
        raise _refused(whole, f"no_baseline: skip would loosen the gates {of}", "write no_baseline: skip at gates of its own")
    if whole.decision_ttl_s > parent.decision_ttl_s:
        raise _refused(whole, f"its decisions would live longer than those {of}, {parent.decision_ttl}", "leave decision_ttl out")
    allowed = set(parent.override.by) if parent.override else set()
    if more := sorted(set(whole.override.by if whole.override else ()) - allowed):
        raise _refused(whole, f"{more[0]} may not go over the gates {of}", "leave override out, or allow it there")


def _refused(policy: Policy, what: str, do: str) -> BadInput:
    return BadInput(f"the policy {policy.policy} cannot be put in force: {what}", where="nothing was written", do=do, code="bad-extends")
