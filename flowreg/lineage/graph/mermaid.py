"""A lineage as a Mermaid flowchart, for pages and READMEs that draw them.

Rule 1: text of people reaches the chart only quoted, with every character that Mermaid or HTML gives a meaning written as its number.
"""

from __future__ import annotations

from .values import Edge, Lineage, Node

SHAPES = {
    "dataset": ("[(", ")]"),
    "commit": ("{{", "}}"),
    "deployment": ("[[", "]]"),
    "run": ("([", "])"),
    "alias": (">", "]"),
}
PLAIN = frozenset(" !$()*+,-./:=?@^_~[]|'")  # no per cent sign: Mermaid obeys %%{init: …}%% wherever it stands
STYLES = (
    "classDef asked stroke-width:3px",
    "classDef gone stroke-dasharray:4 3,opacity:0.7",
)


def mermaid(lineage: Lineage) -> str:
    """The text of a ``flowchart``, from data on the left to aliases on the right."""
    names = {node.id: f"n{place}" for place, node in enumerate(lineage.nodes)}
    lines = ["flowchart LR"]
    lines += [f"  {names[node.id]}{_shape(node)}" for node in lineage.nodes]
    lines += [f"  {names[edge.source]} -->|{_words(edge)}| {names[edge.target]}" for edge in lineage.edges]
    lines += [f"  {style}" for style in STYLES]
    asked = [names[root] for root in lineage.roots]
    gone = [names[node.id] for node in lineage.nodes if node.facts.get("retired") or node.facts.get("known") is False]
    lines += [f"  class {','.join(of)} {style}" for of, style in ((asked, "asked"), (gone, "gone")) if of]
    return "\n".join(lines) + "\n"


def _shape(node: Node) -> str:
    opening, closing = SHAPES.get(node.kind, ("[", "]"))
    return f'{opening}"{"<br/>".join(map(_escaped, _lines(node)))}"{closing}'


def _lines(node: Node) -> list[str]:
    facts = node.facts
    match node.kind:
        case "version":
            standing = [*facts.get("aliases", ()), *(word for word in ("retired", "dropped") if facts.get(word))]
            return [node.name, *([", ".join(standing)] if standing else [])]
        case "dataset" if facts.get("digest"):
            return [node.name, f"{facts['digest'][:19]}…"]
        case "commit":
            return [node.name[:12]]
    return [node.name]


def _words(edge: Edge) -> str:
    was, role = "was " if edge.facts.get("until") else "", edge.facts.get("role")
    told = f" ({role})" if role and (role, edge.relation) != ("train", "trained") else ""
    return f'"{_escaped(f"{was}{edge.relation}{told}")}"'


def _escaped(text: str) -> str:
    return "".join(c if c.isalnum() or c in PLAIN else f"#{ord(c)};" for c in text)
