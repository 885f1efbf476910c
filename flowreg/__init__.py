"""flowreg: a model registry that is only files, for teams that train with Prefect.

>>> from flowreg import Registry
>>> registry = Registry("memory://doc")
>>> registry.register("churn", {"weights": [1, 2]}, trust="pickle", metrics={"auc": 0.91}, on="holdout").ref
'churn@1'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .version import VERSION

__version__ = VERSION

if TYPE_CHECKING:
    from .core.decision import Decision as Decision
    from .core.events import Dataset as Dataset
    from .core.signature import Signature as Signature
    from .core.views import AliasMove as AliasMove
    from .core.views import Evaluation as Evaluation
    from .core.views import Version as Version
    from .errors import BadInput as BadInput
    from .errors import Conflict as Conflict
    from .errors import Corrupt as Corrupt
    from .errors import FlowregError as FlowregError
    from .errors import GateBlocked as GateBlocked
    from .errors import NotFound as NotFound
    from .errors import Refused as Refused
    from .errors import Unavailable as Unavailable
    from .gates import Policy as Policy
    from .lineage.data import dataset as dataset
    from .lineage.graph import Lineage as Lineage
    from .lineage.seeds import seed_all as seed_all
    from .registry import Registry as Registry
    from .serving import load as load

_HOME = {
    "Registry": "registry", "load": "serving", "Policy": "gates", "Dataset": "core.events", "Decision": "core.decision",
    "Version": "core.views", "Evaluation": "core.views", "AliasMove": "core.views", "Signature": "core.signature",
    "dataset": "lineage.data", "seed_all": "lineage.seeds",
    "Lineage": "lineage.graph",
    **dict.fromkeys(
        ("FlowregError", "NotFound", "Refused", "GateBlocked", "Conflict", "BadInput", "Corrupt", "Unavailable"), "errors"
    ),
}  # fmt: skip
__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    # Imported when first used: `flowreg --help` and a serving process pay only for what they touch.
    if name not in _HOME:
        raise AttributeError(f"module 'flowreg' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
