"""Threads of one process that write to one model share entries, and each gets what is its own."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from flowreg.core import decide
from flowreg.core.codec import Entry, decode_entry
from flowreg.core.events import Event, VersionRegistered
from flowreg.core.replaying import replay
from flowreg.core.state import ModelState
from flowreg.errors import NotFound, Unavailable
from flowreg.journals import Journals
from flowreg.storage import group, journal, landing
from flowreg.storage.turns import Turns
from flowreg.storage.windows import read_on
from tests.storage.faulty import AFTER, BEFORE, LATE, FaultyStore, seeded

PATIENCE_S = 60
Decided = Callable[[ModelState, object], Sequence[Event]]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    for module in (journal, landing):
        monkeypatch.setattr(module, "random", SimpleNamespace(uniform=lambda low, high: 0))


class Gate(FaultyStore):
    """A store whose creates wait, once ``shut``, until it is ``open``."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.reached = threading.Event(), threading.Event()
        self.open.set()

    def shut(self) -> None:
        self.open.clear()
        self.reached.clear()

    def create(self, path: str, data: bytes) -> None:
        self.reached.set()
        assert self.open.wait(PATIENCE_S)
        super().create(path, data)


def registering(key: str | None, manifest: int = 1, **more: object) -> Decided:
    draft = VersionRegistered(version=1, manifest=f"sha256:{manifest:064x}", loader="files", size_bytes=1, file_count=1, key=key, **more)
    return lambda state, _: decide.register(state, draft, None)


def entries(store: FaultyStore) -> list[Entry]:
    return [slot for seq, raw in read_on(store, "churn", 0) if isinstance(slot := decode_entry(raw, model="churn", seq=seq), Entry)]


def waiting(journals: Journals) -> int:
    return len(journals.of("churn")._turns.here()._waiting)


def until(true: Callable[[], bool]) -> None:
    """Give way to other threads until ``true()``."""
    for _ in range(PATIENCE_S * 1000):
        if true():
            return
        threading.Event().wait(0.001)
    raise AssertionError("it never came to that")


def together(
    store: Gate, journals: Journals, *asked: Decided, because: Sequence[str] = (), told: Sequence[object] = ()
) -> list[Future[ModelState]]:
    """What becomes of requests that all wait while another entry is being written. They wait in the order given."""
    journals.transact("churn", registering("before"))
    store.shut()
    with ThreadPoolExecutor(len(asked) + 1) as pool:
        pool.submit(journals.transact, "churn", registering("first"))
        assert store.reached.wait(PATIENCE_S)
        futures = []
        for number, decided in enumerate(asked):
            more = {"because": because[number] if because else None, "asked": told[number] if told else None}
            futures.append(pool.submit(journals.transact, "churn", decided, **more))
            until(lambda number=number: waiting(journals) == number + 2)  # type: ignore[misc]
        store.open.set()
    return futures


def test_requests_that_wait_for_the_same_slot_share_one_entry() -> None:
    """Twenty threads, one file; each has the version that it asked for, and no later one."""
    store = Gate()
    journals = Journals(store, "ana")

    states = [future.result() for future in together(store, journals, *(registering(f"k{n}", n) for n in range(20)))]

    assert [len(entry.said.events) for entry in entries(store)] == [1, 1, 20]
    assert [(state.newest, state.by_key[f"k{n}"]) for n, state in enumerate(states)] == [(n + 3, n + 3) for n in range(20)]
    assert {(state.seq, state.digest) for state in states} == {(3, entries(store)[-1].digest)}


def test_what_is_handed_back_is_what_readers_see() -> None:
    """The last state of the group is the replay of the files."""
    store = Gate()
    journals = Journals(store, "ana")

    last = together(store, journals, registering("a"), registering("b"))[-1].result()

    assert last == replay(entries(store), policies=journals.registry.state())
    assert Journals(store, None).of("churn").state() == last


def test_only_one_reason_fits_an_entry() -> None:
    """Requests with another ``because`` go out with the next entry; nobody's reason is lost."""
    store = Gate()
    together(store, Journals(store, "ana"), *map(registering, "abcd"), because=["x", "y", "x", "y"])

    assert [(e.said.because, [event.key for event in e.said.events]) for e in entries(store)[2:]] == [("x", ["a", "c"]), ("y", ["b", "d"])]


def test_the_same_key_in_one_group_is_one_version() -> None:
    """Ten equal requests wait together: one event, ten equal answers."""
    store = Gate()

    states = [future.result() for future in together(store, Journals(store, "ana"), *[registering("same")] * 10)]

    assert [len(entry.said.events) for entry in entries(store)] == [1, 1, 1]
    assert {state.by_key["same"] for state in states} == {3}


def broken(state: ModelState, _: object) -> Sequence[Event]:
    raise ZeroDivisionError("a bug in a decision")


def nothing_there(state: ModelState, _: object) -> Sequence[Event]:
    return decide.label(state, 99, {"a": "b"})


def without_effect(state: ModelState, _: object) -> Sequence[Event]:
    return [VersionRegistered(version=77, manifest="sha256:" + "0" * 64, loader="files", size_bytes=1, file_count=1)]


@pytest.mark.parametrize(
    ("bad", "error"), [(broken, ZeroDivisionError), (nothing_there, NotFound), (without_effect, Exception)], ids=["bug", "refused", "void"]
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_that_fails_does_not_hurt_the_others(bad: Decided, error: type[Exception], place: int) -> None:
    """Its error is its own, wherever it stands in the queue."""
    store = Gate()
    asked = [registering("a"), registering("b")]

    futures = together(store, Journals(store, "ana"), *asked[:place], bad, *asked[place:])

    failed = futures.pop(place)
    assert isinstance(failed.exception(), error)
    assert [future.result().newest for future in futures] == [3, 4]
    assert len(entries(store)) <= 4


def test_a_refusal_because_of_the_group_is_true_when_it_is_said() -> None:
    """What another request of the group does first counts, as if it had been an entry before."""
    store = Gate()
    journals = Journals(store, "ana")

    def holding(state: ModelState, _: object) -> Sequence[Event]:
        return decide.promote(state, 1, "mine", model="churn", policy=None, decision=None)

    futures = together(store, journals, lambda state, _: decide.retire(state, 1, model="churn"), holding)

    assert "retired" in str(futures[1].exception())
    assert futures[0].result().versions[0].retired


def test_an_entry_carries_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than fits, in number or in bytes, goes out with the next one."""
    store = Gate()
    monkeypatch.setattr(group, "MOST_MEMBERS", 3)
    together(store, Journals(store, "ana"), *map(registering, "abcdefg"))
    assert [len(entry.said.events) for entry in entries(store)] == [1, 1, 3, 3, 1]

    store = Gate()
    monkeypatch.setattr(group, "MOST_MEMBERS", 64)
    together(store, Journals(store, "ana"), *(registering(key, params={"long": "x" * (group.MOST_BYTES // 2)}) for key in "abcde"))
    assert [len(entry.said.events) for entry in entries(store)] == [1, 1, 2, 2, 1]


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that jumps, so that patience ends at once."""
    clock = iter(range(0, 10**9, 20))
    for module in (journal, landing):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda s: None))


@pytest.mark.parametrize("lands", [True, False])
def test_an_unknown_outcome_goes_to_all_and_all_find_out(lands: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows whether the entry stands; each repeats its request, without a key, and there is no twin."""
    store = Gate()
    store._reads_until_late = 10**9
    store._faults = iter([None] * 3 + [LATE] * 100)  # the genesis and two entries, then nobody knows
    journals = Journals(store, "ana")
    asked = [registering(None, n) for n in range(3)]
    impatient(monkeypatch)
    futures = together(store, journals, *asked, told=range(3))
    assert {getattr(future.exception(), "outcome", None) for future in futures} == {"unknown"}

    store._faults = iter(())
    store.land() if lands else store._late.clear()
    again = [journals.transact("churn", decided, asked=number).newest for number, decided in enumerate(asked)]

    assert again == [3, 4, 5]
    assert [len(entry.said.events) for entry in entries(store)] == [1, 1, 3]
    assert journals.transact("churn", asked[0], asked=0).newest == 6  # the question was answered: this is a new one


def test_an_unknown_outcome_that_others_have_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's entry took the number: the repeated request is decided again."""
    store = FaultyStore(iter([None, None, *[BEFORE] * 100]))
    journals = Journals(store, "ana")
    journals.transact("churn", registering("before"))
    with monkeypatch.context() as context:
        impatient(context)
        with pytest.raises(Unavailable):
            journals.transact("churn", registering(None), asked="this")
    store._faults = iter(())
    Journals(store, "ben").transact("churn", registering("ben"))

    assert journals.transact("churn", registering(None), asked="this").newest == 3


def test_a_leader_that_is_interrupted_takes_nobody_with_it() -> None:
    """Ctrl-C in the thread that writes for all: the others get their answer, and the entry stands once."""
    store = Gate()
    journals = Journals(store, "ana")
    real, interrupts = store.create, iter([False, False, False, True])

    def create(path: str, data: bytes) -> None:
        real(path, data)
        if next(interrupts, False):
            raise KeyboardInterrupt

    store.create = create  # type: ignore[method-assign]

    futures = together(store, journals, registering("a"), registering("b"), registering("c"))

    interrupted = [future for future in futures if isinstance(future.exception(), KeyboardInterrupt)]
    assert len(interrupted) == 1
    assert sorted(future.result().newest for future in futures if future not in interrupted) in ([3, 4], [3, 5], [4, 5])
    assert [event.key for entry in entries(store)[2:] for event in entry.said.events] == ["a", "b", "c"]


def interrupt_main_once(true: Callable[[], bool]) -> None:
    until(true)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def test_who_is_interrupted_while_it_waits_takes_its_request_back() -> None:
    """It was in nobody's hands yet, so it will not happen."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs in the background with interrupts ignored
    store = Gate()
    journals = Journals(store, "ana")
    journals.transact("churn", registering("before"))
    store.shut()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(journals.transact, "churn", registering("first"))
        until(lambda: waiting(journals) == 1 and store.reached.is_set())
        pool.submit(interrupt_main_once, lambda: waiting(journals) == 2)
        with pytest.raises(KeyboardInterrupt):
            journals.transact("churn", registering("mine"))
        assert waiting(journals) == 1
        store.open.set()

    assert first.result().newest == 2
    assert "mine" not in journals.of("churn").state().by_key


def test_a_fork_does_not_inherit_who_waits() -> None:
    """Every process has its own queue."""
    journals = Journals(FaultyStore(), "ana")
    turns = journals.of("churn")._turns

    assert isinstance(turns.here(), Turns)
    assert turns.here() is turns.here()
    turns._of_process = {-1: turns.here()}
    assert turns.here() is not turns._of_process[-1]


@pytest.mark.parametrize("seed", range(8))
def test_threads_and_processes_in_a_storm_agree_on_one_order(seed: int) -> None:
    """Shared and separate registries, replies lost, writes landing late: each request is acknowledged exactly once."""
    handles, threads, appends = 2, 4, 4
    store = FaultyStore(seeded(seed, share=0.3))
    start = threading.Barrier(handles * threads)
    shared = [Journals(store, f"handle-{n}") for n in range(handles)]

    def write(writer: int) -> list[int]:
        start.wait(PATIENCE_S)
        keys = [f"{writer}-{n}" for n in range(appends)]
        return [shared[writer % handles].transact("churn", registering(key), because="why").by_key[key] for key in keys]

    with ThreadPoolExecutor(handles * threads) as pool:
        acknowledged = [number for numbers in pool.map(write, range(handles * threads)) for number in numbers]
    store.land()

    assert sorted(acknowledged) == list(range(1, handles * threads * appends + 1))
    found = replay(entries(store), policies=Journals(store, None).registry.state())
    assert (found.newest, found.voids, found.broken) == (len(acknowledged), (), None)


@pytest.mark.parametrize("fault", [AFTER, BEFORE, LATE])
def test_a_lost_reply_does_not_double_a_group(fault: str) -> None:
    """The same bytes at the same place."""
    store = Gate()
    store._faults = iter([None, None, None, fault])

    states = [future.result() for future in together(store, Journals(store, "ana"), registering("a"), registering("b"))]
    store.land()

    assert [state.newest for state in states] == [3, 4]
    assert [len(entry.said.events) for entry in entries(store)] == [1, 1, 2]
