"""An append is acknowledged once, at one place, whatever becomes of the replies."""

from __future__ import annotations

import errno
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from flowreg.core import decide
from flowreg.core.codec import Entry, decode_entry
from flowreg.core.events import VersionRegistered
from flowreg.core.layout import entry_path
from flowreg.core.policies import NO_POLICIES
from flowreg.core.replaying import replay
from flowreg.errors import Conflict, Corrupt, Refused, Unavailable
from flowreg.journals import Journals
from flowreg.storage import journal, landing
from flowreg.storage.landing import append
from flowreg.storage.windows import read_on
from tests.storage.faulty import AFTER, BEFORE, LATE, FaultyStore, seeded

PATH = entry_path("churn", 1)
FAR = 1e18


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    for module in (journal, landing):
        monkeypatch.setattr(module, "random", SimpleNamespace(uniform=lambda low, high: 0))


def put(store: FaultyStore, raw: bytes = b"mine", *, deadline: float = FAR) -> bool:
    return append(store, PATH, raw, entry_id="id-1", deadline=deadline)


@pytest.mark.parametrize("faults", [[], [AFTER], [BEFORE], [LATE], [BEFORE, BEFORE, AFTER], [LATE, LATE, BEFORE, LATE]], ids=str)
def test_a_lost_reply_does_not_lose_or_double_the_write(faults: list[str]) -> None:
    """It is acknowledged, stands once, and the same bytes went to the same place every time."""
    store = FaultyStore(iter(faults))

    assert put(store)
    store.land()
    assert store.files == {PATH: b"mine"}
    assert set(store.created) == {(PATH, b"mine")}


@pytest.mark.parametrize("faults", [[], [AFTER], [BEFORE], [LATE, BEFORE]], ids=str)
def test_somebody_elses_bytes_are_not_ours(faults: list[str]) -> None:
    """The place is taken: not landed, and theirs stay."""
    store = FaultyStore(iter(faults))
    store.files[PATH] = b"theirs"

    assert not put(store)
    assert store.files == {PATH: b"theirs"}


def test_somebody_else_wins_while_ours_is_unknown() -> None:
    """Our request was lost, theirs landed: decide again."""
    store = FaultyStore(iter([BEFORE]))
    store.before_read = lambda path: store.files.setdefault(path, b"theirs") and None

    assert not put(store)


def test_without_an_answer_in_time_the_outcome_is_unknown() -> None:
    """It says so, names the entry, and has tried no other place."""
    store = FaultyStore(iter([BEFORE] * 3))

    with pytest.raises(Unavailable) as error:
        put(store, deadline=0)

    assert (error.value.outcome, error.value.entry_id) == ("unknown", "id-1")
    assert {path for path, _ in store.created} == {PATH}
    assert "may have been written or not" in str(error.value)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EDQUOT])
def test_a_storage_that_will_not_is_not_asked_again(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No permission, no space: at once, and nothing was written."""
    store = FaultyStore()
    tries = []

    def refuse(path: str, data: bytes) -> None:
        tries.append(path)
        raise OSError(code, "no")

    monkeypatch.setattr(store, "create", refuse)

    with pytest.raises(Unavailable) as error:
        put(store)

    assert (error.value.outcome, len(tries)) == ("nothing-written", 1)


def test_reading_back_is_tried_again() -> None:
    """A read that fails says nothing about the write."""
    store = FaultyStore(iter([AFTER]))
    store.read_errors = [TimeoutError(), TimeoutError()]

    assert put(store)


def test_a_read_that_never_works_leaves_the_outcome_unknown() -> None:
    """Neither yes nor no."""
    store = FaultyStore(iter([AFTER]))
    store.read_errors = [TimeoutError()] * 9

    with pytest.raises(Unavailable) as error:
        put(store, deadline=0)

    assert error.value.outcome == "unknown"


# ---- journals ----


def version(key: str | None = None, manifest: int = 1) -> VersionRegistered:
    return VersionRegistered(version=1, manifest=f"sha256:{manifest:064x}", loader="files", size_bytes=1, file_count=1, key=key)


def registered(journals: Journals, key: str) -> int:
    state = journals.transact("churn", lambda state, _: decide.register(state, version(key), None))
    return state.by_key[key]


def entries(store: FaultyStore) -> list[Entry]:
    read = [decode_entry(raw, model="churn", seq=seq) for seq, raw in read_on(store, "churn", 0)]
    assert all(isinstance(slot, Entry) for slot in read)
    return read  # type: ignore[return-value]


@pytest.mark.parametrize("seed", range(12))
def test_writers_in_a_storm_agree_on_one_order(seed: int) -> None:
    """N writers, M appends, replies lost and writes landing late: N·M entries, consecutive, each acknowledged exactly once."""
    writers, appends = 4, 6
    store = FaultyStore(seeded(seed))
    start = threading.Barrier(writers)

    def write(writer: int) -> list[int]:
        journals = Journals(store, f"writer-{writer}")
        start.wait()
        return [registered(journals, f"{writer}-{n}") for n in range(appends)]

    with ThreadPoolExecutor(writers) as pool:
        acknowledged = [number for numbers in pool.map(write, range(writers)) for number in numbers]
    store.land()

    assert sorted(acknowledged) == list(range(1, writers * appends + 1))
    found = entries(store)
    assert [entry.seq for entry in found] == list(range(1, writers * appends + 1))
    assert len({entry.said.id for entry in found}) == len(found)
    policies = Journals(store, None).registry.state()
    assert (replay(found, policies=policies).newest, replay(found, policies=policies).voids) == (writers * appends, ())


def test_a_write_that_was_given_up_and_landed_is_found_by_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """After "unknown" the same request finds out, and makes no twin."""
    store = FaultyStore(iter([None, *[LATE] * 50]), reads_until_late=10**9)
    journals = Journals(store, "ana")
    clock = iter(range(0, 10**6, 20))
    for module in (journal, landing):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda s: None))
    with pytest.raises(Unavailable) as error:
        registered(journals, "k")
    assert error.value.outcome == "unknown"

    store._faults = iter(())
    store.land()

    assert registered(journals, "k") == 1
    assert [entry.said.id for entry in entries(store)] == [error.value.entry_id]


def test_a_refusal_is_only_raised_on_what_is_true_now() -> None:
    """A remembered state may say no; before it is said the journal is read."""
    store = FaultyStore()
    mine, theirs = Journals(store, "ana"), Journals(store, "ben")
    registered(mine, "a")
    theirs.transact("churn", lambda state, _: decide.retire(state, 1, model="churn"))
    seen: list[bool] = []

    def promote(state: object, _: object) -> list[object]:
        seen.append(bool(state.versions[0].retired))  # type: ignore[attr-defined]
        return decide.promote(state, 1, "mine", model="churn", policy=None, decision=None)  # type: ignore[arg-type,return-value]

    with pytest.raises(Refused, match="retired"):
        mine.transact("churn", promote)  # type: ignore[arg-type]

    assert seen == [False, True]


def test_who_never_wins_gets_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others were first all the time: nothing was written, and trying again is the thing to do."""
    store = FaultyStore()
    mine, theirs = Journals(store, "ana"), Journals(store, "ben")
    registered(theirs, "first")
    clock = iter(range(0, 10**6, 5))
    monkeypatch.setattr(journal, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda s: None))
    count = iter(range(1000))

    def always_late(state: object, _: object) -> list[object]:
        registered(theirs, f"theirs-{next(count)}")
        return decide.register(state, version("mine"), None)  # type: ignore[arg-type,return-value]

    with pytest.raises(Conflict, match="were first"):
        mine.transact("churn", always_late)  # type: ignore[arg-type]

    assert "mine" not in {event.key for entry in entries(store) for event in entry.said.events}


def test_a_writer_does_not_write_what_a_newer_flowreg_wrote_upon() -> None:
    """It can be read, and says what to install."""
    store = FaultyStore()
    registered(Journals(store, "ana"), "a")
    raw = store.files[entry_path("churn", 1)].replace(b'"version_registered"', b'"teleported"')
    store.files[entry_path("churn", 1)] = raw
    journals = Journals(store, "ana")

    assert journals.of("churn").state().unknown == ("teleported",)
    with pytest.raises(Refused, match="newer flowreg"):
        registered(journals, "b")


# ---- reading ----


def stored(*numbers: int) -> FaultyStore:
    store = FaultyStore()
    store.files = {entry_path("churn", n): b"%d" % n for n in numbers}
    return store


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9, 10, 11, 41, 42, 43, 80])
def test_reading_on_ends_at_the_first_missing_number(count: int) -> None:
    """Whatever the windows."""
    assert [seq for seq, _ in read_on(stored(*range(1, count + 1)), "churn", 0)] == list(range(1, count + 1))


@pytest.mark.parametrize("missing", [1, 4, 5, 9])
def test_a_missing_entry_before_later_ones_is_a_loss(missing: int) -> None:
    """Said with its number, not read past."""
    store = stored(*(n for n in range(1, missing + 2) if n != missing))

    with pytest.raises(Corrupt, match=f"entry {missing} of churn is gone"):
        list(read_on(store, "churn", 0))


def reading_while(happens: Callable[[FaultyStore, int], None], present: int) -> list[int]:
    """The numbers read where ``present`` entries stand, while ``happens(store, n)`` before the n-th read of a file."""
    store = stored(*range(1, present + 1))
    count = iter(range(10**6))
    store.before_read = lambda path: happens(store, next(count))
    return [seq for seq, _ in read_on(store, "churn", 0)]


def land(store: FaultyStore, *numbers: int) -> None:
    store.files |= {entry_path("churn", seq): b"x" for seq in numbers}


def test_entries_that_land_between_two_reads_are_no_loss() -> None:
    """The reads of a window are not one moment."""
    after_1_and_2_and_3 = 3

    assert reading_while(lambda store, n: land(store, 3, 4) if n == after_1_and_2_and_3 else None, 2) == [1, 2, 3, 4]


def test_a_busy_journal_never_looks_damaged() -> None:
    """Who reads while others write twice sees a hole twice, at different places, and none of them is a loss."""
    first_pass, second_pass = 10, 10 + 32  # the third window, of 32 files, is read, and read again
    landing = {first_pass + 1: (11, 12), second_pass + 3: (13, 14)}

    read = reading_while(lambda store, n: land(store, *landing.get(n, ())), 10)

    assert read == list(range(1, 15))


@pytest.mark.parametrize("seed", range(20))
def test_reading_in_the_middle_of_writing_is_never_corrupt(seed: int) -> None:
    """Writers append between any two reads; what is read is always a beginning of the journal."""
    chance, newest = random.Random(seed), iter(range(11, 10**6))
    lull = chance.randrange(20, 120)

    def happens(store: FaultyStore, n: int) -> None:
        for _ in range(chance.choice([0, 0, 0, 1, 2]) if n < lull else 0):
            land(store, next(newest))

    read = reading_while(happens, 10)

    assert read == list(range(1, len(read) + 1))


def test_an_entry_that_vanishes_while_one_reads_is_a_loss() -> None:
    """It was there in the first reading and is not in the second, and one after it stands."""

    def happens(store: FaultyStore, n: int) -> None:
        if n == 0:
            land(store, 3, 5)
        if n == 10:
            del store.files[entry_path("churn", 3)]

    with pytest.raises(Corrupt, match="entry 3 of churn is gone"):
        reading_while(happens, 2)


def test_a_registry_whose_own_journal_is_gone_gets_no_new_identity() -> None:
    """A new genesis would make every entry that was acknowledged one of another registry."""
    store = FaultyStore()
    registered(Journals(store, "ana"), "a")
    before = dict(store.files)
    for path in [path for path in store.files if path.startswith("journal/")]:
        del store.files[path]

    with pytest.raises(Corrupt, match="own journal is gone"):
        registered(Journals(store, "ana"), "b")

    assert store.files == {path: raw for path, raw in before.items() if not path.startswith("journal/")}
    assert NO_POLICIES.registry is None
