"""flowreg for Prefect flows: the block ``ModelRegistry`` and the tasks. The only package here that imports Prefect.

>>> from flowreg.prefect import register_model, evaluate_model, promote_model
"""

from .blocks import ModelRegistry
from .tasks import evaluate_model, fetch_model, load_model, promote_model, register_model, rollback_model

__all__ = ["ModelRegistry", "evaluate_model", "fetch_model", "load_model", "promote_model", "register_model", "rollback_model"]
