"""What a retraining starts from: the data to train on, the holdout to measure on, and where they come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..scoring import Holdout


@dataclass(frozen=True)
class Split:
    """What ``load`` of a ``retraining`` returns.

    ``train`` goes to the function that trains, as it is. Candidate and holder are both measured on ``holdout``. ``data`` is recorded
    with the version: ``Dataset`` values, as ``Registry.register`` takes them. ``signature`` says what the model takes: a training
    frame, or a ``Signature``. 20 rows of ``golden`` (None: of the holdout) are kept with the version and what it answers to them, so that
    a reproduction can be compared; False keeps none, where rows are personal.
    """

    train: Any
    holdout: Holdout
    data: Iterable[Any] = ()
    signature: Any = None
    golden: Any = None
