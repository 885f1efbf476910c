"""The parameters of a flow that is made from several functions: the union of theirs, so that Prefect shows one form for all.

Rule 1: parameters of one name are one parameter; functions that disagree about its type or default are refused when the flow is made.
Rule 2: a type is looked up in the module of the function that names it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, Signature
from typing import Any

from prefect import Flow, Task
from prefect.utilities.callables import parameter_docstrings

from ..errors import BadInput

_NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
NOTHING = Parameter.empty


def plain(step: Any) -> Callable[..., Any]:
    """The function behind a task or flow, or the function itself. ``BadInput`` for what cannot be called here."""
    found = step.fn if isinstance(step, Task | Flow) else step
    if not callable(found):
        raise BadInput(f"{found!r:.80} cannot be called", do="give a function, a task or a flow", code="bad-step")
    if inspect.iscoroutinefunction(found):
        raise BadInput(f"{_name(found)} is asynchronous", do="give a plain function: def, not async def", code="bad-step")
    return found


def parameters_of(step: Any, *, after: int = 0) -> Mapping[str, Parameter]:
    """The parameters of a step by name, without the first ``after`` that it is handed by others."""
    function = plain(step)
    try:
        signature = inspect.signature(function, eval_str=True)
    except (NameError, AttributeError, TypeError):  # a type that is there for type checkers only: then nothing is known of any
        signature = inspect.signature(function)
    everything = [each.replace(annotation=NOTHING) if isinstance(each.annotation, str) else each for each in signature.parameters.values()]
    if len(everything) < after:
        raise BadInput(f"{_name(function)} takes no data", do=f"let its first parameter be the data: def {_name(function)}(data, …)")
    if strange := [each for each in everything[after:] if each.kind not in _NAMED]:
        raise BadInput(
            f"{_name(function)} takes {strange[0]}, which no form can show",
            do="give each of its parameters a name and, where it has one, a default",
            code="bad-step",
        )
    return {each.name: each for each in everything[after:]}


def union(steps: Iterable[Mapping[str, Parameter]], extra: Mapping[str, Parameter]) -> Signature:
    """One signature that takes what all the steps take, and ``extra`` where no step has a parameter of that name."""
    found: dict[str, Parameter] = {}
    for step in steps:
        for name, parameter in step.items():
            found[name] = _agreed(found[name], parameter) if name in found else parameter
    found = {**found, **{name: parameter for name, parameter in extra.items() if name not in found}}
    flat = [each.replace(kind=Parameter.POSITIONAL_OR_KEYWORD) for each in found.values()]
    return Signature(sorted(flat, key=lambda each: each.default is not NOTHING))  # the required ones first; else as they came


def docstring(first: str, steps: Iterable[Any], extra: Mapping[str, str]) -> str:
    """A docstring with what the steps' own docstrings say of their parameters, which Prefect shows beside each field."""
    said = dict(extra)
    for step in steps:
        said |= parameter_docstrings(inspect.getdoc(plain(step)))
    lines = [f"    {name}: {' '.join(text.split())}" for name, text in said.items() if text]
    return "\n".join([first, "", "Args:", *lines]) if lines else first


def _agreed(a: Parameter, b: Parameter) -> Parameter:
    if a.annotation is NOTHING or b.annotation is NOTHING:
        typed = a if b.annotation is NOTHING else b
        a, b = a.replace(annotation=typed.annotation), b.replace(annotation=typed.annotation)
    if a.replace(kind=_NAMED[0]) != b.replace(kind=_NAMED[0]):
        raise BadInput(
            f"two functions of one flow take {a.name!r}, as `{a}` and as `{b}`",
            do="give it the same type and default in both, or another name in one of them",
            code="bad-step",
        )
    return a


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))
