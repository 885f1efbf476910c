"""Where Prefect's interface shows what a version came from. Pure.

Rule 1: only the page of the run is recorded (``Run.url``). The other pages begin as it does: so it is in both interfaces of Prefect's
server and in its cloud. Where no page of a run is known, no page is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from .events import Run


def beginning(url: str | None) -> str | None:
    """What the addresses of all pages begin with, from that of one run.

    >>> beginning("http://prefect.example/v2/runs/flow-run/0199aaaa")
    'http://prefect.example/v2'
    """
    before, found, _ = (url or "").partition("/runs/")
    return before if found and "://" in before else None


def flow_run_page(url: str | None, flow_run: str | None) -> str | None:
    """The page of a flow run, beside the page ``url`` of another."""
    return _page(url, "runs/flow-run", flow_run)


def deployment_page(run: Run | None) -> str | None:
    """The page of the deployment that a run was of."""
    return _page(run.url, "deployments/deployment", run.deployment_id) if run else None


def artifact_page(url: str | None, key: str) -> str | None:
    """The page of everything that was shown under an artifact's key, the newest first."""
    return _page(url, "artifacts/key", key)


def _page(url: str | None, kind: str, name: str | None) -> str | None:
    start = beginning(url)
    return f"{start}/{kind}/{quote(name, safe='')}" if start and name else None
