"""The gate that asks a function: ``{check: python, call: "mygates:no_open_incident", args: {service: ranker}}``.

Rule 1: a policy is text from a bucket; it runs nothing here unless this machine says that it may (see ``calling.py``).
Rule 2: only a plain True passes and only a plain False fails. Whatever else comes of it is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from ..core.codec import encode
from ..core.decision import GateResult
from ..core.names import shown
from ..errors import BadInput
from .evidence import Evidence, Unmeasurable, plainly
from .facts import Call
from .gate import Gate
from .part import TextKeys

ARGS_LIMIT = 16 << 10  # bytes
_PATH = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"


def _plain(args: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        size = len(encode(dict(args)))
    except (BadInput, TypeError, ValueError) as error:
        raise BadInput(f"args cannot be handed over: {shown(str(error), 200)}", do="give plain values of JSON", code="bad-policy") from None
    if size > ARGS_LIMIT or not all(name.isidentifier() for name in args):
        raise BadInput(
            "args are the names and values of parameters", do=f"give plain values, {ARGS_LIMIT >> 10} KiB at most", code="bad-policy"
        )
    return args


class PyGate(Gate):
    """``call`` is called with ``args`` in a process of its own, and must answer True or False, or that and a reason, in ``timeout_s``.

    A parameter named ``about`` is given what is judged: model, version, manifest, alias, holder, metrics of the whole dataset.
    """

    kind: ClassVar[str] = "python"
    noun: ClassVar[str] = "a python gate"

    check: Literal["python"] = "python"
    call: Annotated[str, Field(pattern=_PATH, max_length=200)]
    args: Annotated[Mapping[str, Any], TextKeys, AfterValidator(_plain)] = Field(default_factory=dict)
    timeout_s: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 60.0

    @property
    def label(self) -> str:
        return self.id or self.call

    def judge(self, evidence: Evidence) -> GateResult:
        facts = evidence.facts
        if facts.call is None:
            raise Unmeasurable(f"{self.call} cannot be called here: no code of a policy is run in this place")
        answer = facts.call(Call(self.call, self.args, self.timeout_s, _about(evidence)))
        if answer.trouble is not None:
            raise Unmeasurable(f"{self.call}: {plainly_long(answer.trouble)}")
        if type(answer.holds) is not bool or not isinstance(answer.reason, str | None):
            raise Unmeasurable(f"{self.call} answered {shown(answer.holds)}, which is neither True nor False")
        said = f": {plainly_long(answer.reason)}" if answer.reason else ""
        whose = f" ({plainly(answer.imported)})" if answer.imported else ""
        return self.found("pass" if answer.holds else "fail", f"{self.call}{whose} says {'yes' if answer.holds else 'no'}{said}")

    def to_json(self) -> dict[str, Any]:
        return {"check": self.check, **super().to_json()}


def plainly_long(text: str) -> str:
    """A sentence of somebody else's code: on one line, and cut."""
    line = " ".join(text.split())
    return line if line.isprintable() and 0 < len(line) <= 500 else shown(line, 500)


def _about(evidence: Evidence) -> dict[str, Any]:
    """What is judged, as plain values. Numbers that JSON lacks are text."""
    facts, candidate, holder = evidence.facts, evidence.facts.candidate, evidence.facts.holder
    whole = [m for m in candidate.measured if not m.slice and evidence.dataset in (None, m.dataset)]
    metrics = {m.metric: m.value for m in sorted(whole, key=lambda m: m.order)}
    return {
        "model": facts.model, "alias": facts.alias, "version": candidate.number, "manifest": candidate.manifest,
        "holder": None if holder is None else {"version": holder.number, "manifest": holder.manifest},
        "dataset": evidence.dataset, "asked_by": facts.asked_by, "flow_run": facts.flow_run,
        "metrics": {name: value if value == value and abs(value) != float("inf") else str(value) for name, value in metrics.items()},
    }  # fmt: skip
