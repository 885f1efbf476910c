"""What shall happen: ``(state, request) -> events``, or a refusal that says why.

Rule 1: an empty list means that the request is fulfilled already: the same request again is not a twin.
Rule 2: a refusal writes nothing and says what did not happen. The same rules are applied by every reader afterwards
(``aliases.why_not_moved``), so a writer that skips this page achieves nothing.
"""

from .finding import resolve
from .moving import approve, may_hold, promote, refuse_blocked, remove_alias
from .recording import evaluate, label, register
from .retiring import bytes_dropped, drop_bytes, hold, release, restore, retire, why_bytes_stay
from .rolling_back import has_gone_back, holder_after, retire_left, rollback, undo_rollback, why_kept

__all__ = [
    "approve", "bytes_dropped", "drop_bytes", "evaluate", "has_gone_back", "hold", "holder_after", "label", "may_hold", "promote",
    "refuse_blocked", "register", "release", "remove_alias", "resolve", "restore", "retire", "retire_left", "rollback",
    "undo_rollback", "why_bytes_stay", "why_kept",
]  # fmt: skip
