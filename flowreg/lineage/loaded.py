"""Which versions the present flow run has loaded: they are the parents of what it registers.

The tasks of a run share no value but those that the flow passes on, and a loaded model does not say which version it was. So this
is remembered here, by flow run: in this process, and for the other processes of this machine that work for the same run (a process
pool, Dask's workers, a run that was suspended and goes on) in small files that ``notes`` keeps. What was loaded on another machine
is not known; name it with ``parents=``. Neither is what came from another registry: a parent is a version of the same one.

A flow that another flow calls has a run of its own. What it loads counts for the flows that called it, too; what *they* had loaded
themselves counts for it; what its siblings loaded does not.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

from ..core.events import Parent
from . import notes
from .prefect_run import flow_run_id, outer_flow_runs

RUNS_LIMIT = 64
PARENTS_LIMIT = 100

_loaded: OrderedDict[str, dict[Parent, bool]] = OrderedDict()  # of each run: whether it loaded the version itself, or one it called did
_lock = threading.Lock()


def note_loaded(parent: Parent, root: str = "") -> None:
    """Remember that the present flow run has loaded this version of the registry at ``root``. Outside a flow run nothing is remembered."""
    run = flow_run_id()
    if run is None:
        return
    for each, own in ((run, True), *((outer, False) for outer in outer_flow_runs())):
        place = _place(each, root)
        if _note(place, parent, own=own):
            notes.write(place, parent, own=own)


def loaded_in_run(root: str = "") -> tuple[Parent, ...]:
    """What the present flow run has loaded of this registry on this machine, each once, in order; empty outside a flow run."""
    run = flow_run_id()
    if run is None:
        return ()
    found = dict.fromkeys(parent for parent, _ in _all(_place(run, root)))
    for outer in outer_flow_runs():
        found |= dict.fromkeys(parent for parent, own in _all(_place(outer, root)) if own)
    return tuple(found)[:PARENTS_LIMIT]


def _place(run: str, root: str) -> str:
    """Under which name a run and a registry are noted."""
    return f"{run}-{hashlib.sha256(root.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}" if root else run


def _all(place: str) -> list[tuple[Parent, bool]]:
    return [*_known(place).items(), *notes.read(place)]


def _note(run: str, parent: Parent, *, own: bool) -> bool:
    """Whether that was new."""
    with _lock:
        parents = _loaded.setdefault(run, {})
        _loaded.move_to_end(run)
        while len(_loaded) > RUNS_LIMIT:
            _loaded.popitem(last=False)
        if len(parents) >= PARENTS_LIMIT and parent not in parents:
            return False
        before = parents.get(parent)
        parents[parent] = bool(before) or own
        return before is None or before is not parents[parent]


def _known(run: str) -> dict[Parent, bool]:
    with _lock:
        return dict(_loaded.get(run, {}))
