"""Many processes that append to one model, on each filesystem: entries a second, whether one starves, and requests for an entry.

Each writer sets labels, so that an entry is all that is written. Requests are counted in a second, shorter run through a proxy, since that
costs time itself; heads that are written behind count, too. There is no floor here: the figures are compared with those of one writer.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowreg import Registry
from tests.servers.azurite_server import AzureServer, azurite
from tests.servers.counting_proxy import counting_proxy
from tests.servers.fake_gcs import GcsServer, fake_gcs
from tests.servers.seaweed import seaweed
from tests.servers.sshd import sshd

PLACES = ("local", "s3", "azure", "gcs", "sftp")
WRITERS = (1, 8, 32)
PATIENCE_S = 600
EACH: Mapping[str, int] = {"local": 100, "s3": 20, "azure": 20, "gcs": 40, "sftp": 20}  # entries of one writer


@dataclass(frozen=True, slots=True)
class Written:
    """One run: ``rate`` in entries a second, ``slowest`` the longest time of a writer against the mean, ``requests`` for an entry."""

    place: str
    writers: int
    rate: float
    slowest: float
    requests: float | None


@dataclass(frozen=True, slots=True)
class Spot:
    """Where to write, and what the filesystem is given."""

    root: str
    options: Mapping[str, Any]


def measured(place: str, writers: int, *, each: int | None = None) -> Written:
    """Let each of ``writers`` processes make so many entries, on a server of their own."""
    each = EACH[place] if each is None else each
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flowreg-writers-")))
        server = _server(place, stack)
        times, _ = _together(_spot(place, server, folder / "timed"), folder, writers, each)
        requests = _requests(place, server, folder, writers, max(1, each // 4)) if place in ("s3", "azure", "gcs") else None
    return Written(place, writers, writers * each / max(times), max(times) / (sum(times) / writers), requests)


def lines(found: Iterator[Written]) -> Iterator[str]:
    """A table, a line as soon as it is known."""
    yield f"{'place':<8} {'writers':>7} {'entries/s':>10} {'of one':>7} {'slowest/mean':>12} {'requests/entry':>15}"
    one: dict[str, float] = {}
    for run in found:
        one.setdefault(run.place, run.rate)
        requests = "" if run.requests is None else f"{run.requests:.2f}"
        yield f"{run.place:<8} {run.writers:>7} {run.rate:>10.1f} {run.rate / one[run.place]:>7.2f} {run.slowest:>12.2f} {requests:>15}"


def every(places: Sequence[str], *, small: bool) -> Iterator[Written]:
    for place in places:
        for writers in (1, 2) if small else WRITERS:
            yield measured(place, writers, each=3 if small else None)


def _server(place: str, stack: ExitStack) -> Any:
    match place:
        case "s3":
            return stack.enter_context(seaweed())
        case "azure":
            return stack.enter_context(azurite())
        case "gcs":
            return stack.enter_context(fake_gcs())
        case "sftp":
            return stack.enter_context(sshd())
    return None


def _spot(place: str, server: Any, folder: Path) -> Spot:
    return Spot(str(folder), {}) if place == "local" else Spot(f"{server.new_prefix()}/registry", server.storage_options)


def _requests(place: str, server: Any, folder: Path, writers: int, each: int) -> float:
    with _proxied(place, server) as (behind, proxy):
        _, counted = _together(_spot(place, behind, folder), folder, writers, each, count=proxy.requests_so_far)
        return counted / (writers * each)


class _Counted:
    def __init__(self, proxy: Any) -> None:
        self._proxy = proxy

    def requests_so_far(self) -> int:
        return len(self._proxy.requests)


@contextmanager
def _proxied(place: str, server: Any) -> Iterator[tuple[Any, _Counted]]:
    """The same server behind a proxy that counts."""
    upstream = f"http://127.0.0.1:{server.port}" if place == "azure" else server.endpoint_url
    with counting_proxy(upstream) as proxy:
        match place:
            case "azure":
                behind: Any = AzureServer(int(proxy.endpoint_url.rpartition(":")[2]), server.key)
            case "gcs":
                behind = GcsServer(proxy.endpoint_url)
            case _:
                behind = server.behind(proxy.endpoint_url)
        yield behind, _Counted(proxy)


def _together(
    spot: Spot, folder: Path, writers: int, each: int, *, count: Callable[[], int] = lambda: 0
) -> tuple[list[float], int]:  # fmt: skip
    """The seconds that each writer took, and what ``count`` grew by meanwhile."""
    registry = Registry(spot.root, storage_options=spot.options, actor="first")
    model = folder / "model.json"
    model.write_text("{}")
    registry.register("churn", model)
    registry.flush()
    context = multiprocessing.get_context("spawn")
    ready, begin, done = context.Semaphore(0), context.Event(), context.Queue()
    processes = [context.Process(target=_write, args=(spot, number, each, ready, begin, done)) for number in range(writers)]
    for process in processes:
        process.start()
    for _ in processes:
        assert ready.acquire(timeout=PATIENCE_S)
    before = count()
    begin.set()
    times = [done.get(timeout=PATIENCE_S) for _ in processes]
    grown = count() - before
    for process in processes:
        process.join(PATIENCE_S)
        assert process.exitcode == 0
    labels = Registry(spot.root, storage_options=spot.options).get("churn@1").labels
    assert labels == {f"writer-{number}": str(each) for number in range(writers)}, "an entry was lost"
    return times, grown


def _write(spot: Spot, number: int, each: int, ready: Any, begin: Any, done: Any) -> None:
    registry = Registry(spot.root, storage_options=spot.options, actor=f"writer-{number}")
    registry.versions("churn")
    ready.release()
    begin.wait(PATIENCE_S)
    began = time.monotonic()
    for made in range(each):
        registry.label("churn@1", {f"writer-{number}": str(made + 1)})
    done.put(time.monotonic() - began)
