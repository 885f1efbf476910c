"""Which versions the present flow run has loaded: they are the parents of what it registers.

The tasks of a run share no value but those that the flow passes on, and a loaded model does not say which version it was. So this
is remembered here, for the process: by flow run and root, behind a lock, for the last runs only. A version that was loaded in another
process (a process pool, a suspended run) is not known; name it with ``parents=``.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from ..core.events import Parent
from .prefect_run import flow_run_id

RUNS_LIMIT = 64
PARENTS_LIMIT = 100

_loaded: OrderedDict[str, dict[Parent, None]] = OrderedDict()
_lock = threading.Lock()


def note_loaded(parent: Parent) -> None:
    """Remember that the present flow run has loaded this version. Outside a flow run nothing is remembered."""
    run = flow_run_id()
    if run is None:
        return
    with _lock:
        parents = _loaded.setdefault(run, {})
        _loaded.move_to_end(run)
        if len(parents) < PARENTS_LIMIT:
            parents[parent] = None
        while len(_loaded) > RUNS_LIMIT:
            _loaded.popitem(last=False)


def loaded_in_run() -> tuple[Parent, ...]:
    """What the present flow run has loaded in this process, each once, in order; empty outside a flow run."""
    run = flow_run_id()
    with _lock:
        return tuple(_loaded.get(run, ())) if run else ()
