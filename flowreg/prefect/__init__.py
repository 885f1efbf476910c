"""flowreg for Prefect flows: the block ``ModelRegistry`` and the tasks. The only package here that imports Prefect.

>>> from flowreg.prefect import register_model, evaluate_model, promote_model
"""

from ..scoring import Holdout, evaluate_on
from .approvals import request_approval
from .blocks import ModelRegistry
from .notifications import notify
from .retrained import Retrained
from .retraining_flow import retraining
from .signals import announce_data, announce_drift
from .splits import Split
from .tasks import evaluate_model, fetch_model, load_model, promote_model, register_model, rollback_model, undo_rollback

__all__ = [
    "Holdout",
    "ModelRegistry",
    "Retrained",
    "Split",
    "announce_data",
    "announce_drift",
    "evaluate_model",
    "evaluate_on",
    "fetch_model",
    "load_model",
    "notify",
    "promote_model",
    "register_model",
    "request_approval",
    "retraining",
    "rollback_model",
    "undo_rollback",
]
