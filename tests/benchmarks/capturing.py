"""What lineage adds to a retraining: ``flows/retrain`` with all that is captured, against the same flow that captures nothing.

On a Prefect server of its own, and on the real data. The floor registers, measures and promotes just the same; only the looking
around is left out of it.
"""

from __future__ import annotations

import logging
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from unittest.mock import patch

from tests.servers.prefect_server import PrefectServer

from .ratio import Benchmark, stopwatch

MONTHS = ("2013-06", "2013-07")
CAPTURES = 4  # of a run that registers one version, measures two and promotes


def retraining(folder: Path, server: PrefectServer, *, family: str = "boosted") -> Benchmark:
    """One run of the flow, in a registry where somebody is champion already."""
    from flows.retrain import retrain

    numbers = count()

    def run() -> float:
        root = str(folder / f"registry-{next(numbers)}")
        with _at(server):
            retrain(MONTHS[0], family, registry=root)
            with stopwatch() as clock:
                retrain(MONTHS[1], family, registry=root)
        return clock.elapsed_s

    def floor() -> float:
        with _nothing_captured():
            return run()

    return Benchmark("flows/retrain, against the same without capture", 1.10, floor, run)


def processor_time(folder: Path, server: PrefectServer) -> Benchmark:
    """The CPU of the captures of one such run, and of the git that they ask, against the 150 ms that they may take."""
    from prefect import flow

    from flowreg.lineage.capture import capture

    @flow
    def looking() -> float:
        before = _cpu_s()
        for _ in range(CAPTURES):
            capture()
        return _cpu_s() - before

    def ours() -> float:
        with _at(server):
            return float(looking())

    return Benchmark("CPU of its captures, against 150 ms", 1.0, lambda: 0.150, ours)


def _cpu_s() -> float:
    """Of this process and of those that it has waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


@contextmanager
def _nothing_captured() -> Iterator[None]:
    from flowreg.core.events import Run
    from flowreg.lineage.capture import Captured
    from flowreg.lineage.prefect_run import flow_run_id

    def nothing() -> Captured:
        return Captured(Run(flow_run=flow_run_id()))

    with patch("flowreg.prefect.tasks.capture", nothing), patch("flowreg.inside.capture", nothing):
        yield


@contextmanager
def _at(server: PrefectServer) -> Iterator[None]:
    from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

    settings = {PREFECT_API_URL: server.api_url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_LOGGING_TO_API_ENABLED: False}
    logging.disable(logging.CRITICAL)
    try:
        with temporary_settings(settings):
            yield
    finally:
        logging.disable(logging.NOTSET)
