"""One entry put at one place, once, whatever becomes of the replies.

Rule 1: on *any* error of the create the slot is read back. Our bytes: done. Others': lost. Nothing there: the outcome is unknown,
so the same bytes are put at the same place again, and never elsewhere.
Rule 2: where time runs out, the error says whether nothing was written or nobody knows.
"""

from __future__ import annotations

import errno
import random
import time

from ..errors import FlowregError, Unavailable
from .store import Store

_WILL_NOT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOSYS, errno.EMFILE, errno.ENFILE})


def append(store: Store, path: str, raw: bytes, *, entry_id: str, deadline: float) -> bool:
    """Put ``raw`` at ``path`` once. True: it is there; False: somebody else's bytes are.

    Raises ``Unavailable`` with ``outcome="nothing-written"`` where the storage will not do it, ``"unknown"`` where it did not say.
    """
    attempt = 0
    while True:
        try:
            store.create(path, raw)
        except FlowregError:
            raise
        except Exception as caught:
            error = caught
        else:
            return True
        found = _read_back(store, path, entry_id, deadline)
        if found is not None:
            return found == raw
        if _will_not(error):
            raise _unavailable(error, store, path, entry_id, "nothing-written") from error
        if time.monotonic() > deadline:
            raise _unavailable(error, store, path, entry_id, "unknown") from error
        if attempt:
            time.sleep(random.uniform(0, 0.25))
        attempt += 1


def _read_back(store: Store, path: str, entry_id: str, deadline: float) -> bytes | None:
    while True:
        try:
            return store.read(path)
        except Exception as error:
            if _will_not(error) or time.monotonic() > deadline:
                raise _unavailable(error, store, path, entry_id, "unknown") from error
            time.sleep(random.uniform(0, 0.25))


def _will_not(error: BaseException) -> bool:
    """Whether asking again is useless: no permission, no such bucket, a full or read-only disk."""
    said = (error, error.__cause__)  # our own Unavailable has the filesystem's error as its cause, and that has the client's
    return any(isinstance(one, PermissionError | FileNotFoundError) or getattr(one, "errno", None) in _WILL_NOT for one in said)


def _unavailable(error: BaseException, store: Store, path: str, entry_id: str, outcome: str) -> Unavailable:
    text = "nothing was written" if outcome == "nothing-written" else "it may have been written or not"
    first_line = (str(error).splitlines() or [""])[0][:200]
    return Unavailable(
        f"the storage did not take an entry: {type(error).__name__}: {first_line}",
        where=f"{store.root}/{path}; {text}",
        do="check the storage and the credentials, then repeat the same request: with a key, or on the same Registry, it finds out and "
        "makes no twin; else look at flowreg history first",
        code="storage",
        outcome=outcome,
        entry_id=entry_id,
    )
