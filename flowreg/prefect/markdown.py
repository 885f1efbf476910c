"""Text of people inside Markdown: it shows as it was written, and does nothing.

Rule 1: what a person typed (a name, a reason, a gate) goes through ``escaped`` or ``cell`` on its way out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~$&])")
_BREAKS = re.compile(r"\s+")
_NO_URL = re.compile(r"[\s<>()|\\]")
_FENCE = re.compile(r"`+")


def escaped(text: object) -> str:
    """Text on one line in which nothing is Markdown or HTML.

    >>> escaped("recall[region=*] | <b>")
    'recall\\\\[region=\\\\*\\\\] \\\\| \\\\<b\\\\>'
    """
    return _SPECIAL.sub(r"\\\1", _BREAKS.sub(" ", str(text)).strip())


def code(text: object) -> str:
    """Text as a code span, whatever backticks it holds; also inside a table."""
    plain = _BREAKS.sub(" ", str(text)).strip().replace("|", "\\|")
    ticks = "`" * (max((len(run) for run in _FENCE.findall(plain)), default=0) + 1)
    return f"{ticks} {plain} {ticks}" if "`" in plain else f"{ticks}{plain}{ticks}"


def link(text: object, url: str | None) -> str:
    """A text that leads to a page of the web; only the text where there is no such page.

    One of Prefect's two interfaces shows what is between the brackets letter by letter, so only a text that needs no escaping stands there.

    >>> link("clever-owl", "http://prefect.example/runs/1"), link("clever_owl", "http://prefect.example/runs/1")
    ('[clever-owl](http://prefect.example/runs/1)', 'clever\\_owl ([open](http://prefect.example/runs/1))')
    """
    shown = escaped(text)
    if url is None or not url.startswith(("http://", "https://")) or _NO_URL.search(url):
        return shown
    return f"[{shown}]({url})" if "\\" not in shown else f"{shown} ([open]({url}))"


def cell(text: object) -> str:
    """Text for a cell of a Prefect table, which one of Prefect's two interfaces shows as it is and the other reads as Markdown.

    So only what Markdown would really change is escaped: asterisks and backticks in pairs, links and tags.

    >>> cell("recall[region=*] >= 0.7"), cell("recall[a=*] >= champion.recall[a=*]")
    ('recall[region=*] >= 0.7', 'recall[a=\\\\*] >= champion.recall[a=\\\\*]')
    """
    plain = _BREAKS.sub(" ", str(text)).strip()
    for mark in "*`~":
        if plain.count(mark) > 1:
            plain = plain.replace(mark, f"\\{mark}")
    return re.sub(r"\](?=\()|<(?=[A-Za-z/!])", lambda found: f"\\{found[0]}", plain)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """The lines of a table; the cells are Markdown already."""
    names = list(head)
    return [_row(names), _row("---" for _ in names), *(_row(row) for row in rows)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
