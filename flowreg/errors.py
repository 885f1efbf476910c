"""What can go wrong, as six classes named by what the caller does next.

Rule 1: the class says what to do, ``code`` is for programs, the text says what happened, where, and what to do.
Rule 2: everything a person needs stands in ``str(error)``: that is what Prefect, a log and a terminal show.
Rule 3: no secret is ever put in; roots are shown without user, password and query.
"""

from __future__ import annotations

from typing import Any


class FlowregError(Exception):
    """Any refusal or failure of flowreg.

    ``what`` happened, ``where`` (and what did *not* happen), what to ``do`` next; ``code`` is stable, for programs.
    """

    def __init__(self, what: str, *, where: str = "", do: str = "", code: str = "", **facts: Any) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.do = do
        self.code = code or type(self).__name__
        self.facts = facts

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.do:
            lines.append(f"  do:    {self.do}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword-only arguments do not survive the pickling of a plain exception; Prefect and pools pickle errors.
        return _rebuild, (type(self), self.what, self.where, self.do, self.code, self.facts)


class NotFound(FlowregError, LookupError):
    """There is no such model, version, alias, file or policy: name another."""


class Refused(FlowregError):
    """A rule says no; nothing was written. Meet the rule, or change it."""


class GateBlocked(Refused):
    """The gates of a policy did not pass. ``decision`` holds the recorded outcome, gate by gate."""

    @property
    def decision(self) -> Any:
        return self.facts["decision"]


class Conflict(FlowregError):
    """Somebody else moved first; nothing was written. Read again, then try again."""


class BadInput(FlowregError, ValueError):
    """What was given cannot be meant. The text shows the allowed form; nothing was written."""


class Corrupt(FlowregError):
    """Stored bytes are not what was written. Nothing was loaded; stop and run ``flowreg check``."""


class Unavailable(FlowregError, OSError):
    """The storage did not answer in time. ``outcome`` is ``nothing-written`` or ``unknown`` (it may have landed).

    With ``unknown``, ``entry_id`` names what was being written; repeating the same request finds out and makes no twin.
    """

    @property
    def outcome(self) -> str:
        return str(self.facts.get("outcome", "nothing-written"))

    @property
    def entry_id(self) -> str | None:
        return self.facts.get("entry_id")

    def __str__(self) -> str:  # OSError's own __str__ would otherwise win for two-argument forms
        return FlowregError.__str__(self)


def _rebuild(kind: type[FlowregError], what: str, where: str, do: str, code: str, facts: dict[str, Any]) -> FlowregError:
    return kind(what, where=where, do=do, code=code, **facts)
