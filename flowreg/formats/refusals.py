"""The sentences with which a load is refused, for whoever knows the reference, the author and the time.

Rule: these build errors, they do not raise them; formats themselves know only a folder.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..core.names import shown
from ..errors import BadInput, Refused

UNNAMED = "this version"
_SHOWN_TYPES = 10


def refuse_untrusted(ref: str, format_name: str, author: str = "", registered: str = "") -> Refused:
    """The refusal to load a format that executes code. ``registered`` is a time as people say it: ``2 h ago``.

    >>> print(refuse_untrusted("churn@12", "pickle", "ana", "2 h ago").what)
    churn@12 is a pickle: loading it runs code from whoever wrote it (ana, 2 h ago)
    """
    what = "a pickle" if format_name == "pickle" else f"in the format {format_name!r}"
    known = ", ".join(part for part in (author, registered) if part)
    return Refused(
        f"{ref} is {what}: loading it runs code from whoever wrote it{f' ({known})' if known else ''}",
        where="nothing was loaded",
        do="if you trust that: load(..., trust=True)",
        code="untrusted-code",
    )


def refuse_types(file_name: str, types: Iterable[str]) -> Refused:
    """The refusal to build objects of ``types`` that are not on the list of harmless ones."""
    names = sorted(types)
    more = f" and {len(names) - _SHOWN_TYPES} more" if len(names) > _SHOWN_TYPES else ""
    return Refused(
        f"{file_name} holds types that are not known to be harmless: {', '.join(map(shown, names[:_SHOWN_TYPES]))}{more}",
        where="nothing was loaded",
        do="if you trust them and whoever wrote the file: load(..., trust=True)",
        code="untrusted-types",
        types=tuple(names),
    )


def refuse_plain_files(ref: str) -> BadInput:
    """The refusal to load plain files as an object."""
    shown_ref = "REF" if ref == UNNAMED else ref
    return BadInput(
        f"{ref} is plain files: there is no object to load", do=f"take the files: flowreg fetch {shown_ref}", code="plain-files"
    )
