"""Two promotions with one base: exactly one takes effect, in threads and in processes; the others are told."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowreg import Registry, judging
from flowreg.errors import Conflict
from tests.registry.conftest import policy

RACERS = 4
RACER = """
import json, sys
from flowreg import Registry, judging
from flowreg.errors import Conflict

folder, ref = sys.argv[1:]
registry, first, real = Registry(folder, actor=ref), [], judging.judged

def judged(*args, **options):
    decision = real(*args, **options)
    if not first:
        first.append(True)
        print("judged", flush=True)
        sys.stdin.readline()
    return decision

judging.judged = judged
try:
    said = registry.promote(ref, to="champion").version.number
except Conflict as error:
    said = error.code
print(json.dumps(said), flush=True)
"""


@pytest.fixture
def racing(three: Registry, artifact: Callable[[str], Path]) -> Registry:
    """``churn@1`` is champion; four others are good enough, and each is better than it."""
    three.promote("churn@1", to="champion")
    three.set_policy(policy("auc >= 0.75", "auc > champion.auc"))
    for number in range(4, RACERS + 3):
        three.register("churn", artifact(f"v{number}"), metrics={"auc": 0.9}, on="holdout")
    return three


def in_threads(folder: Path, refs: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What each is told, where all have judged before the first writes."""
    real, all_judged, here = judging.judged, threading.Barrier(len(refs), timeout=60), threading.local()

    def judged(*args: object, **options: object) -> object:
        decision = real(*args, **options)  # type: ignore[arg-type]
        if not getattr(here, "judged", False):
            here.judged = True
            all_judged.wait()
        return decision

    def promote(ref: str) -> object:
        try:
            return Registry(folder, actor=ref).promote(ref, to="champion").version.number
        except Conflict as error:
            return error.code

    monkeypatch.setattr(judging, "judged", judged)
    with ThreadPoolExecutor(len(refs)) as pool:
        return list(pool.map(promote, refs))


def in_processes(folder: Path, refs: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The same, each in a process of its own."""
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, str(folder), ref], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for ref in refs
    ]
    try:
        assert [_line(racer) for racer in racers] == ["judged"] * len(refs)
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        return [json.loads(_line(racer)) for racer in racers]
    finally:
        for racer in racers:
            racer.kill()
            racer.wait()
            for pipe in (racer.stdin, racer.stdout):
                assert pipe is not None
                pipe.close()


def _line(racer: subprocess.Popen[str]) -> str:
    assert racer.stdout is not None
    return racer.stdout.readline().strip()


@pytest.mark.parametrize("race", [in_threads, in_processes])
def test_of_promotions_with_one_base_exactly_one_takes_effect(
    racing: Registry, folder: Path, race: Callable[..., list[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All judged against churn@1 and passed; one moves the alias, the others learn that it has moved, and nothing of theirs is void."""
    refs = [f"churn@{number}" for number in range(2, RACERS + 2)]

    told = race(folder, refs, monkeypatch)
    monkeypatch.undo()

    (winner,) = (said for said in told if isinstance(said, int))
    assert [said for said in told if said != winner] == ["holder-moved"] * (RACERS - 1)
    state = Registry(folder)._journals.of("churn").state()
    assert [move.said.version for move in state.aliases["champion"].moves] == [1, winner]
    assert [d.said.outcome for d in state.decisions] == ["promote"]
    assert state.voids == ()
