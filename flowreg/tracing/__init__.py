"""Asking a registry where things come from and where they went: journals of many models in, a ``Lineage`` out.

asking.py    what may be asked, and where a walk starts
states.py    the states of the models that a question needs: now, or at a moment of the past
traces.py    ``Traces``: what one registry object has read so far, as a graph
"""

from .asking import Question, question
from .traces import Traces

__all__ = ["Question", "Traces", "question"]
