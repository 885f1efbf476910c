"""The threads of one process that want to write to one journal: they wait together, and one of them serves all who wait.

Rule 1: one thread leads at a time, a round at a time. A round is handed every request that waits, the oldest first, and is free to
leave some of them for the next.
Rule 2: a request comes back to the thread that asked, with its own result or its own error, as soon as it is done.
Rule 3: a thread that is interrupted takes its request back and gives up the lead; nobody waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar


class Waiting(Protocol):
    """What waits for its turn."""

    @property
    def done(self) -> bool: ...


R = TypeVar("R", bound=Waiting)


class Turns(Generic[R]):
    """Who waits, and who leads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[R] = []
        self._leader: R | None = None

    def take(self, request: R, serve: Callable[[Sequence[R]], None]) -> None:
        """Return when ``request`` is done, by a round of this thread or of another's."""
        try:
            while waiting := self._turn_of(request):
                serve(waiting)
                self._leave(request, done=False)
        finally:
            self._leave(request, done=True)

    def _turn_of(self, request: R) -> Sequence[R]:
        """Everybody who waits, once this thread leads; nobody once its request is done."""
        with self._changed:
            if request not in self._waiting and not request.done:
                self._waiting.append(request)
            while self._leader is not None and not request.done:
                self._changed.wait()
            if request.done:
                return ()
            self._leader = request
            return tuple(self._waiting)

    def _leave(self, request: R, *, done: bool) -> None:
        with self._changed:
            self._waiting = [other for other in self._waiting if not other.done and not (done and other is request)]
            if self._leader is request:
                self._leader = None
            self._changed.notify_all()
