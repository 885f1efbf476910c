"""A run: writers and readers in processes of their own, and a nemesis that kills writers and makes the storage misbehave."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess

from tests.servers.counting_proxy import CountingProxy

from .observed import Operation, observed
from .workload import Run, read, write

PRELOADED = ["flowreg", "flowreg.serving", "flowreg.judging", "flowreg.formats.choose", "s3fs", "tests.order.workload"]
PATIENCE_S = 120.0

Trouble = Callable[[random.Random], None]


def live_through(
    run: Run, *, writers: int = 8, readers: int = 8, seed: int, kill_every_s: float, trouble: Trouble | None
) -> list[Operation]:
    """Let the run happen; everything that its processes wrote down. A writer that is killed is started again."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    chance, lives = random.Random(seed), {f"writer-{n}": 0 for n in range(writers)}
    started = {name: _started(context, write, run, name, 0) for name in lives}
    others = [_started(context, read, run, f"reader-{n}", 0) for n in range(readers)]
    try:
        for _ in _beats(run, kill_every_s):
            if trouble:
                trouble(chance)
            name = chance.choice(sorted(started))
            started[name].kill()
            started[name].join()
            lives[name] += 1
            started[name] = _started(context, write, run, name, lives[name])
        _finish([*started.values(), *others])
    finally:
        for process in (*started.values(), *others):
            process.kill()
    return observed(run.diaries)


def losing_replies(proxy: CountingProxy) -> Trouble:
    """The next answers to the writing of entries, heads and blobs are lost on the way, after the server has acted."""

    def trouble(chance: random.Random) -> None:
        place = chance.choice(["/journal/", "/journal/", "/heads/", "/blobs/"])
        proxy.lose_reply(lambda request: request.method == "PUT" and place in request.path, times=chance.randint(1, 3))

    return trouble


def _started(
    context: multiprocessing.context.ForkServerContext, work: Callable[[Run, str, int], None], run: Run, name: str, life: int
) -> ForkServerProcess:
    process = context.Process(target=work, args=(run, name, life), daemon=True)
    process.start()
    return process


def _beats(run: Run, every_s: float) -> Iterator[None]:
    """Now and then until shortly before the end of the run."""
    while time.monotonic() + every_s < run.until:
        time.sleep(every_s)
        yield


def _finish(processes: list[ForkServerProcess]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
    assert [process.exitcode for process in processes] == [0] * len(processes)
