"""Model cards as people write them: Markdown with headings, and perhaps a front matter of YAML. Read by their sections, pure.

Rule: a card is text. Nothing in it is executed, and what is no heading or front matter is kept as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

SECTIONS_LIMIT = 500
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_PLACEHOLDER = re.compile(r"\[?\s*(?:more information needed|todo|tbd|n/?a)\s*\]?\.?", re.IGNORECASE)


def slug(heading: str) -> str:
    """What a policy calls a section: ``Bias, Risks & Limitations`` is ``bias_risks_limitations``."""
    return "_".join(re.findall(r"[^\W_]+", heading.lower()))


def sections(text: str) -> dict[str, str]:
    """The text below each heading, by ``slug``, with that of the headings below it. What only says that something is to come is empty.

    >>> sections("# Churn\\n\\n## Intended use\\n\\nTo call people.\\n\\n## Limitations\\n\\nTODO\\n")
    {'churn': '## Intended use\\n\\nTo call people.\\n\\n## Limitations\\n\\nTODO', 'intended_use': 'To call people.', 'limitations': ''}
    """
    _, body = split(text)
    lines, found = body.splitlines(), _headings(body)
    texts: dict[str, str] = {}
    for place, (line, level, title) in enumerate(found[:SECTIONS_LIMIT]):
        end = next((other for other, its, _ in found[place + 1 :] if its <= level), len(lines))
        said = "\n".join(lines[line + 1 : end]).strip()
        if name := slug(title):
            texts.setdefault(name, "" if _PLACEHOLDER.fullmatch(said) else said)
    return texts


def split(text: str) -> tuple[str, str]:
    """The front matter (without its fences) and the rest."""
    normal = text.replace("\r\n", "\n")
    if normal.startswith("---\n") and (end := normal.find("\n---\n", 3)) >= 0:
        return normal[4 : end + 1], normal[end + 5 :]
    return "", normal


def fields(text: str) -> dict[str, str]:
    """The plain ``name: value`` lines at the top level of the front matter; lists and nested values are left out."""
    front, _ = split(text)
    pairs = (line.partition(":") for line in front.splitlines() if line[:1].isalpha())
    return {name.strip(): value.strip().strip("\"'") for name, colon, value in pairs if colon and value.strip()}


def parts(text: str) -> Mapping[str, str]:
    """What a policy may require of a card, by name: its sections and the fields of its front matter."""
    return {**{slug(name): value for name, value in fields(text).items()}, **sections(text)}


def _headings(body: str) -> list[tuple[int, int, str]]:
    """Line, level and title of each heading; a ``#`` within a block of code is none."""
    found, fence = [], ""
    for number, line in enumerate(body.splitlines()):
        if opened := _FENCE.match(line):
            fence = "" if fence and opened[1].startswith(fence) else fence or opened[1]
        elif not fence and (heading := _HEADING.fullmatch(line)):
            found.append((number, len(heading[1]), heading[2]))
    return found
