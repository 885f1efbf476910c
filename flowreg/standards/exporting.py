"""One way to ask for any of the forms, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from ..core.names import shown
from ..errors import BadInput
from ..inside import Inside, Moment, VersionRef
from ..lineage.masking import public_text
from . import bom, card, openlineage, provenance
from .told import Told, gather

Form = Literal["bom", "provenance", "card", "openlineage"]


def export(inside: Inside, ref: VersionRef, form: str, *, as_of: Moment = None, template: str | None = None) -> Any:
    """The form of a version: a mapping, a list of events, or for the card text."""
    if form not in get_args(Form):
        raise BadInput(f"{shown(form)} is no form", do=f"give one of {', '.join(get_args(Form))}", code="bad-form")
    if template is not None and form != "card":
        raise BadInput(f"a template is for the card, not for {form}", do="leave it out", code="usage")
    return made(gather(inside, ref, as_of=as_of), form, template=template)


def made(told: Told, form: str, *, template: str | None = None) -> Any:
    """The form, out of what was gathered; whatever text it has, addresses in it open nothing."""
    return _public(_made(told, form, template))


def _public(value: Any) -> Any:
    match value:
        case str():
            return public_text(value)
        case Mapping():
            return {name: _public(item) for name, item in value.items()}
        case list() | tuple():
            return [_public(item) for item in value]
    return value


def _made(told: Told, form: str, template: str | None) -> Any:
    match form:
        case "bom":
            return bom.bom(told)
        case "provenance":
            return provenance.statement(told)
        case "openlineage":
            return openlineage.events(told)
    return card.card(told, template)
