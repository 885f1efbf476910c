"""``flowreg export``: a version in the forms that other tools read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ..core.names import shown
from ..errors import BadInput
from .blocks import Line, Span
from .options import AsOf, InHere, Ref


def export(
    ref: Ref,
    /,
    *,
    here: InHere,
    form: Annotated[
        Literal["bom", "provenance", "card", "openlineage"],
        Parameter(name="--as", help="bom: CycloneDX 1.6; provenance: in-toto with SLSA; card: Markdown; openlineage: run events."),
    ],
    into: Annotated[Path | None, Parameter(help="A file; without it, standard output.")] = None,
    template: Annotated[Path | None, Parameter(help="For the card: Markdown with $written, $measured, $decided …")] = None,
    send: Annotated[bool, Parameter(negative=(), help="Send the OpenLineage events where its own configuration says.")] = False,
    as_of: AsOf = None,
) -> int:
    """A version as another tool reads it."""
    _refuse(form, into, template, send)
    text_of_template = None if template is None else _read(template)
    found = here.registry().export(ref, form, as_of=as_of, template=text_of_template)
    if send:
        from ..standards.sending import send as sent

        kind = sent(found)
        value = {"sent": len(found), "transport": kind}
        return here.answer(value, as_json=False, drawn=lambda: [Line.of(Span("✓ ", "good"), f"{len(found)} events went out by {kind}")])
    text = found if isinstance(found, str) else json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if into is None:
        here.out.write(text)
        return 0
    with into.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return here.answer({}, as_json=False, drawn=lambda: [Line.of(Span("✓ ", "good"), f"the {form} of {ref} is in {into}")])


def _refuse(form: str, into: Path | None, template: Path | None, send: bool) -> None:
    if send and (form != "openlineage" or into is not None):
        raise BadInput("--send is for --as openlineage, without --into", do="leave it out, or export as openlineage", code="usage")
    if into is not None and not into.parent.is_dir():
        raise BadInput(f"there is no folder {shown(str(into.parent))}", where="nothing was written", do="make it first", code="no-folder")
    if into is not None and into.exists():
        raise BadInput(f"there is a file {shown(str(into))}", where="nothing was written", do="give another name", code="exists")
    if template is not None and not template.is_file():
        raise BadInput(f"there is no template {shown(str(template))}", do="give a file of Markdown", code="no-file")


def _read(template: Path) -> str:
    try:
        return template.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"the template {shown(str(template))} cannot be read ({type(error).__name__})", do="give UTF-8 text", code="bad-template"
        ) from None
