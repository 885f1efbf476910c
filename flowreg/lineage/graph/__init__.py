"""The graph of where versions come from and where they went. Pure: states in, values and lines of text out.

values.py      what callers get: ``Lineage``, its ``Node`` and ``Edge``
relations.py   which relations there are, and how far they carry
said.py        what one version, or one alias, says about the graph
growing.py     ``Graph``: all that is known, grown from the states of models
finding.py     what a person means by a file, a run, a commit
walking.py     everything above or below some nodes
naming.py      nodes and edges as callers get them
tree.py        a lineage as the rows of a tree
mermaid.py     a lineage as a Mermaid flowchart

A thing of a new kind (a rollout, a place where a version runs, the log of its predictions) needs a relation, and a function in
``said`` that tells its links; walks, trees, JSON and Mermaid take them as they are.
"""

from .growing import Graph
from .mermaid import mermaid
from .relations import Relation
from .tree import Row, rows
from .values import Direction, Edge, Lineage, Node, Unread

__all__ = ["Direction", "Edge", "Graph", "Lineage", "Node", "Relation", "Row", "Unread", "mermaid", "rows"]
