"""flowreg for Prefect flows: the block ``ModelRegistry`` and the tasks. The only package here that imports Prefect.

>>> from flowreg.prefect import register_model, evaluate_model, promote_model
"""

from ..scoring import Holdout, evaluate_on
from .approvals import request_approval
from .blocks import ModelRegistry
from .tasks import evaluate_model, fetch_model, load_model, promote_model, register_model, rollback_model, undo_rollback

__all__ = [
    "Holdout",
    "ModelRegistry",
    "evaluate_model",
    "evaluate_on",
    "fetch_model",
    "load_model",
    "promote_model",
    "register_model",
    "request_approval",
    "rollback_model",
    "undo_rollback",
]
