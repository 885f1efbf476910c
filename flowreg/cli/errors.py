"""Errors as people and programs see them: what / where / do on standard error, and an exit code.

Rule 1: an error of flowreg shows no traceback, and neither does any other unless ``FLOWREG_TRACEBACK`` is set.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..errors import BadInput, Conflict, Corrupt, FlowregError, GateBlocked, NotFound, Refused, Unavailable
from .blocks import Line, Span, quiet
from .paint import Screen, paint

if TYPE_CHECKING:
    from cyclopts import CycloptsError

EXIT_CODES: dict[type[FlowregError], int] = {BadInput: 2, NotFound: 3, Refused: 4, Conflict: 5, Corrupt: 6, Unavailable: 7}
UNEXPECTED = 1


def exit_code(error: BaseException) -> int:
    """What the process ends with after this error."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), UNEXPECTED)


def failed(error: Exception, screen: Screen, *, as_json: bool) -> int:
    """Print an error; the exit code."""
    if os.environ.get("FLOWREG_TRACEBACK"):
        import traceback

        screen.write("".join(traceback.format_exception(error)))
    told = error if isinstance(error, FlowregError) else _told(error)
    if as_json:
        from .plain import json_text

        screen.write(json_text(_fields(told)) + "\n")
    else:
        paint(screen, _lines(told))
    return exit_code(told)


def misused(error: CycloptsError) -> BadInput:
    """What cyclopts could not read, as one of our errors."""
    error.verbose = False
    chain = " ".join(error.command_chain or ())
    help_of = f"flowreg {chain} --help" if chain else "flowreg --help"
    return BadInput(str(error).strip(), where="nothing was done", do=f"see {help_of}", code="usage")


def _told(error: Exception) -> FlowregError:
    if isinstance(error, OSError):  # a disk or a network that says no, in its own words
        return Unavailable(
            f"the system says: {error.strerror or _brief(error)}",
            where=str(error.filename or ""),
            do="check the path and the permissions",
            code="system",
        )
    return FlowregError(
        f"{type(error).__name__}: {_brief(error)}",
        where="this is a mistake in flowreg, not yours",
        do="report it, with what FLOWREG_TRACEBACK=1 in the environment prints",
        code="unexpected",
    )


def _brief(error: Exception) -> str:
    """The first line of somebody else's message, cut, and without what looks like a secret: some quote whole requests."""
    from ..lineage.masking import masked_text

    return masked_text((str(error).splitlines() or [""])[0][:300])


def _fields(error: FlowregError) -> dict[str, Any]:
    said: dict[str, Any] = {"code": error.code, "what": error.what, "where": error.where, "do": error.do}
    if isinstance(error, GateBlocked):
        said["decision"] = error.decision
    if isinstance(error, Unavailable):
        said |= {"outcome": error.outcome, "entry_id": error.entry_id}
    return said


def _lines(error: FlowregError) -> list[Line]:
    first, *more = error.what.split("\n")
    lines = [Line.of(Span(first, "bad")), *(Line.of(line) for line in more)]
    named = (("where", error.where), ("do", error.do))
    return lines + [Line.of(quiet(f"  {name + ':':<6} "), text) for name, text in named if text]
