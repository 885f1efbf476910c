"""Reminds people of the promotions that wait for their word. Deployed as ``remind/mornings``."""

from __future__ import annotations

from prefect import flow

from flowreg.prefect import ModelRegistry, notify
from flowreg.prefect.reminders import Waiting, waiting
from flowreg.prefect.resolve import resolve
from flowreg.prefect.surroundings import run_logger


@flow(name="remind")
def remind(to: list[str] | None = None, registry: ModelRegistry | str | None = None) -> tuple[Waiting, ...]:
    """Tell who waits through the notification blocks ``to`` (such as ``slack-webhook/ops``), and in the log. Nobody waits: nobody is told.

    Args:
        to: Notification blocks as type/name; see prefect block ls.
    """
    found = waiting(resolve(registry))
    for each in found:
        run_logger().warning("%s", each)
    if found:
        many = "1 promotion waits" if len(found) == 1 else f"{len(found)} promotions wait"
        notify(to, f"{many} for approval", "\n".join(f"{each}\n  {each.command}" for each in found))
    return found


if __name__ == "__main__":
    remind()
