"""Seeding every generator of random numbers at once, and remembering it for the record of the run."""

from __future__ import annotations

import random
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from ..core.names import shown
from ..errors import BadInput
from .prefect_run import flow_run_id, outer_flow_runs

RUNS_LIMIT = 64
_GREATEST = 2**32 - 1  # what numpy takes

_set: OrderedDict[str | None, dict[str, int]] = OrderedDict()
_lock = threading.Lock()


def seed_all(seed: int) -> Mapping[str, int]:
    """Seed ``random``, numpy, and, if they are imported by now, torch (with its accelerators) and tensorflow; what was seeded.

    Versions that this flow run registers afterwards (outside one: this process) record it. Call it after your imports.
    ``PYTHONHASHSEED`` cannot be set from inside a process; it is recorded as it is. A seed is a whole number from 0 to 2**32 - 1.

    >>> seed_all(7)["random"]
    7
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= _GREATEST:
        raise BadInput(f"{shown(seed)} is no seed", do="give a whole number from 0 to 4294967295", code="bad-seed")
    random.seed(seed)
    done = {"random": seed}
    if find_spec("numpy"):
        import numpy

        numpy.random.seed(seed)
        done["numpy"] = seed
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)  # of every device
        done["torch"] = seed
    tensorflow: Any = sys.modules.get("tensorflow")
    if tensorflow is not None:
        tensorflow.random.set_seed(seed)
        done["tensorflow"] = seed
    _note(done)
    return done


def seeds_of_run() -> dict[str, int]:
    """What was seeded in the present flow run; or before it, in one that called it, or by this process outside of any."""
    runs = (None, *reversed(outer_flow_runs()), flow_run_id())
    with _lock:
        return {name: seed for run in runs for name, seed in _set.get(run, {}).items()}


def _note(done: Mapping[str, int]) -> None:
    run = flow_run_id()
    with _lock:
        _set.setdefault(run, {}).update(done)
        _set.move_to_end(run)
        while len(_set) > RUNS_LIMIT:
            _set.pop(next(name for name in _set if name is not None))
