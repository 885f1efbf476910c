"""Telling people through Prefect's notification blocks: ``notify("slack-webhook/ops", "churn@12 is champion", "…")``.

Rule 1: a notification that fails is a warning in the log and nothing else.
Rule 2: the error of a sender is never shown whole: it may hold the address of a webhook, which is the secret.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, TypeAlias

from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.core import Block
from prefect.utilities.asyncutils import run_coro_as_sync

from ..core.names import shown
from ..errors import BadInput
from .surroundings import run_logger

NotifyLike: TypeAlias = str | NotificationBlock | Iterable[str | NotificationBlock] | None


def receivers(notify: NotifyLike) -> tuple[str | NotificationBlock, ...]:
    """The blocks, or their names as ``slack-webhook/ops``, checked as far as they can be without Prefect's server."""
    several = () if notify is None else (notify,) if isinstance(notify, str | NotificationBlock) else tuple(notify)
    for one in several:
        if not isinstance(one, NotificationBlock) and not (isinstance(one, str) and one.count("/") == 1):
            raise BadInput(
                f"{shown(one)} is no notification block",
                do="name a saved one as type/name: slack-webhook/ops; see prefect block ls",
                code="bad-notify",
            )
    return several


def notify(to: NotifyLike, subject: str, body: str) -> int:
    """Send a message through each of the blocks; how many took it."""
    return sum(_sent(one, subject, body) for one in receivers(to))


def _sent(one: str | NotificationBlock, subject: str, body: str) -> bool:
    name = one if isinstance(one, str) else one.get_block_type_slug()
    try:
        block: Any = Block.load(one, _sync=True) if isinstance(one, str) else one  # type: ignore[call-arg]
        if not isinstance(block, NotificationBlock):
            raise TypeError("that block cannot notify")
        with block.raise_on_failure():
            sent: Any = block.notify(body, subject)
            if inspect.isawaitable(sent):
                run_coro_as_sync(sent)  # type: ignore[call-overload]
    except Exception as error:
        answered = getattr(getattr(error, "response", None), "status_code", None)
        said = f"{type(error).__name__}{f': HTTP {answered}' if answered else ''}"
        run_logger().warning("nobody was notified through %s that %s (%s)", name, subject, said)
        return False
    return True
