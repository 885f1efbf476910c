"""How arrays are called in annotations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
Statistic = Callable[[Array], float]  # from how often each example counts to the value of a metric
