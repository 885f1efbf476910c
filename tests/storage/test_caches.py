"""Heads and checkpoints may vanish, be stale or be damaged: the answer is the same, or an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from flowreg import Registry, serving
from flowreg.core import codec
from flowreg.core.replaying import replay
from flowreg.errors import Corrupt
from flowreg.storage.caches import decode_checkpoint, decode_head, encode_checkpoint, encode_head
from tests.core.lives import MODEL, POLICIES, Life, lives

LIFE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@LIFE
@given(lives())
def test_a_checkpoint_is_the_state(life: Life) -> None:
    """Read back it says what a full replay says, has the same bytes again, and later entries have the same effect on it."""
    raw = encode_checkpoint(MODEL, life.state)

    read = decode_checkpoint(raw, MODEL)

    assert read is not None
    assert encode_checkpoint(MODEL, read) == raw
    for cut in range(len(life.slots)):
        part = decode_checkpoint(encode_checkpoint(MODEL, replay(life.slots[:cut], policies=POLICIES)), MODEL)
        assert encode_checkpoint(MODEL, replay(life.slots[cut:], part, policies=POLICIES)) == raw


@LIFE
@given(lives())
def test_a_head_says_who_holds_what(life: Life) -> None:
    """Its aliases and newest version are those of the state."""
    head = decode_head(encode_head(MODEL, POLICIES.registry, life.state, 0), MODEL)

    assert head is not None
    assert {name: a["version"] for name, a in head.aliases.items()} == {n: a.version for n, a in life.state.aliases.items() if a.version}
    assert head.newest["version"] == life.state.newest
    assert (head.seq, head.digest) == (life.state.seq, life.state.digest)


def wrapped(body: object) -> bytes:
    return codec.encode({"digest": codec.digest_of(codec.encode(body)), "head": body})


GOOD = {
    "model": "churn",
    "registry": None,
    "seq": 3,
    "digest": "sha256:" + "0" * 64,
    "at": "",
    "checkpoint": 0,
    "newest": None,
    "aliases": {},
}
NO_HEADS = {
    "empty": b"",
    "half": wrapped(GOOD)[:50],
    "no head": b"{}",
    "a list": b"[]",
    "null": b"null",
    "no digest": codec.encode({"head": GOOD}),
    "a wrong digest": codec.encode({"digest": "sha256:" + "1" * 64, "head": GOOD}),
    "another model": wrapped({**GOOD, "model": "other"}),
    "a field too many": wrapped({**GOOD, "more": 1}),
    "a field too few": wrapped({k: v for k, v in GOOD.items() if k != "seq"}),
    "a text for a number": wrapped({**GOOD, "seq": "3"}),
    "null for a number": wrapped({**GOOD, "checkpoint": None}),
    "a negative number": wrapped({**GOOD, "seq": -3}),
    "aliases in a list": wrapped({**GOOD, "aliases": []}),
    "an alias of nothing": wrapped({**GOOD, "aliases": {"champion": None}}),
    "an alias without manifest": wrapped({**GOOD, "aliases": {"champion": {"version": 1}}}),
    "newest a number": wrapped({**GOOD, "newest": 5}),
    "newest empty": wrapped({**GOOD, "newest": {}}),
    "deep": b"[" * 10000,
}


@pytest.mark.parametrize("raw", NO_HEADS.values(), ids=NO_HEADS.keys())
def test_a_head_that_is_not_whole_is_none(raw: bytes) -> None:
    """It counts as absent, and never raises."""
    assert decode_head(wrapped(GOOD), "churn") is not None
    assert decode_head(raw, "churn") is None


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"[]", b"null", b'{"model":"churn","reader":1}', b'{"model":"churn","reader":1,"state":5}', b"\xff"]
)
def test_a_checkpoint_that_cannot_be_read_is_none(raw: bytes) -> None:
    """It counts as absent."""
    assert decode_checkpoint(raw, "churn") is None


# ---- a registry with caches ----


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with two versions, 70 entries, a champion, a head and a checkpoint, and a few entries after the checkpoint."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "a").write_bytes(b"first")
    (folder / "b").write_bytes(b"second")
    registry = Registry(folder / "registry", actor="ana")
    registry.register("churn", folder / "a", metrics={"auc": float("nan"), "rows": 1e17})
    registry.register("churn", folder / "b")
    registry.promote("churn@1", to="champion")
    for n in range(66):
        registry.label("churn@1", {"n": str(n)})
    registry.flush()
    registry.promote("churn@2", to="champion")
    registry.label("churn@2", {"late": "yes"})
    registry.flush()
    return folder / "registry"


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(built, tmp_path / "registry"))


def head_of(root: Path) -> Path:
    return root / "heads" / "churn.json"


def checkpoint_of(root: Path) -> Path:
    (found,) = (root / "models" / "churn" / "checkpoints").iterdir()
    return found


def entry_of(root: Path, seq: int) -> Path:
    return root / "models" / "churn" / "journal" / f"{seq:020d}.json"


def answer(root: Path) -> tuple[object, ...]:
    """What the registry says, without the NaN, which equals nothing."""
    registry = Registry(root)
    first, second = registry.versions("churn")
    found = serving.resolve("churn@champion", root=root)
    newest = serving.resolve("churn@newest", root=root)
    (line,) = registry.models()
    return first.labels, first.metrics["rows"], second.labels, second.aliases, found, newest, line, len(registry.history("churn"))


def _delete_both(root: Path) -> None:
    head_of(root).unlink()
    checkpoint_of(root).unlink()


def _older_head(root: Path) -> None:
    """The head of another writer, who was slower: it names an entry and an alias from before."""
    state = Registry(root)._journals.replay(list(Registry(root)._journals.of("churn").slots())[:5])
    head_of(root).write_bytes(encode_head("churn", Registry(root)._journals.registry.state().registry, state, 0))


def _empty_state(root: Path) -> None:
    value = codec.parse(checkpoint_of(root).read_bytes(), depth_limit=64)
    checkpoint_of(root).write_bytes(codec.encode({**value, "state": {}}))


def _of_another_history(root: Path) -> None:
    """The checkpoint of a copy of this registry that went another way."""
    value = codec.parse(checkpoint_of(root).read_bytes(), depth_limit=64)
    value["state"] |= {"digest": "sha256:" + "1" * 64, "versions": value["state"]["versions"][:1], "aliases": {}}
    checkpoint_of(root).write_bytes(codec.encode(value))


def _renamed(root: Path) -> None:
    checkpoint_of(root).rename(checkpoint_of(root).with_name(f"{70:020d}.json"))
    head_of(root).unlink()


def _number_beyond(root: Path) -> None:
    (root / "models" / "churn" / "checkpoints" / f"{10**20 - 1}.json").write_bytes(b"{}")
    head_of(root).unlink()


DAMAGE: list[Callable[[Path], object]] = [
    lambda root: None,
    lambda root: head_of(root).unlink(),
    lambda root: checkpoint_of(root).unlink(),
    _delete_both,
    _older_head,
    lambda root: head_of(root).write_bytes(b""),
    lambda root: head_of(root).write_bytes(head_of(root).read_bytes()[:-40]),
    lambda root: head_of(root).write_bytes(head_of(root).read_bytes().replace(b'"version":2', b'"version":1')),
    lambda root: checkpoint_of(root).write_bytes(b"\x00" * 100),
    lambda root: checkpoint_of(root).write_bytes(checkpoint_of(root).read_bytes()[:-100]),
    lambda root: checkpoint_of(root).write_bytes(checkpoint_of(root).read_bytes().replace(b'"reader":1', b'"reader":2')),
    lambda root: checkpoint_of(root).write_bytes(checkpoint_of(root).read_bytes().replace(b'"model":"churn"', b'"model":"other"')),
    _empty_state,
    _of_another_history,
    _renamed,
    _number_beyond,
    lambda root: (root / "models" / "churn" / "checkpoints" / "notes.txt").write_text("hello"),
    lambda root: (root / "heads" / "a stranger's file").write_text("hello"),
]


@pytest.mark.parametrize("damage", range(len(DAMAGE)))
def test_damaged_caches_change_no_answer(root: Path, built: Path, damage: int) -> None:
    """Deleted, cut, stale, renamed or filled with junk: the journal answers."""
    expected = answer(built)
    DAMAGE[damage](root)

    assert answer(root) == expected


@pytest.mark.parametrize("damage", range(len(DAMAGE)))
def test_damaged_caches_stop_no_writer(root: Path, damage: int) -> None:
    """The next entry follows the last, and the caches are mended or left alone."""
    DAMAGE[damage](root)

    registry = Registry(root)
    registry.label("churn@2", {"after": "damage"})
    registry.flush()

    assert Registry(root).get("churn@champion").labels == {"late": "yes", "after": "damage"}
    assert entry_of(root, 72).exists()
    assert not entry_of(root, 73).exists()


@pytest.mark.parametrize("seq", [71, 70])
def test_an_entry_that_a_head_remembers_is_missed(root: Path, seq: int) -> None:
    """The newest entries are gone, the head is not: that is a loss, and is reported as one."""
    for gone in range(seq, 72):
        entry_of(root, gone).unlink()

    with pytest.raises(Corrupt, match=f"entry {seq} of churn is gone, though (it|entry 71) was written"):
        Registry(root).get("churn@champion")
    with pytest.raises(Corrupt):
        Registry(root).label("churn@1", {"a": "b"})


def test_an_entry_changed_under_a_head_is_noticed(root: Path) -> None:
    """The newest entry has no entry after it that would tell; the head does."""
    entry_of(root, 71).write_bytes(entry_of(root, 71).read_bytes().replace(b"yes", b"no"))

    with pytest.raises(Corrupt, match="was changed after it was written"):
        Registry(root).get("churn@2")


def test_an_entry_changed_after_the_checkpoint_breaks_the_chain(root: Path) -> None:
    """The entry after it has another parent."""
    entry_of(root, 70).write_bytes(entry_of(root, 70).read_bytes().replace(b'"actor":"ana"', b'"actor":"eve"'))

    with pytest.raises(Corrupt, match="contradicts itself at entry 71"):
        Registry(root).get("churn@2")
    with pytest.raises(Corrupt):
        Registry(root).register("churn", root / "journal")


def test_a_void_file_at_the_end_is_no_break(root: Path) -> None:
    """Junk in the next slot is kept, shown, and written upon."""
    entry_of(root, 72).write_bytes(b"junk")

    registry = Registry(root)
    registry.label("churn@2", {"after": "junk"})

    assert registry.get("churn@champion").labels["after"] == "junk"
    assert [line.void for line in registry.history("churn") if line.void] == ["no line end: torn or truncated"]


def test_checkpoints_of_any_two_writers_are_the_same_bytes(root: Path) -> None:
    """From the first entry or from a checkpoint on: one state, one file."""
    raw = checkpoint_of(root).read_bytes()
    seq = int(checkpoint_of(root).stem)
    journals = Registry(root)._journals

    assert encode_checkpoint("churn", journals.replay(list(journals.of("churn").slots())[:seq])) == raw


def test_a_head_stays_small_however_often_an_alias_moved(root: Path) -> None:
    """It keeps the newest places of the trail; the journal has all."""
    registry = Registry(root)
    for turn in range(30):
        registry.promote(f"churn@{1 + turn % 2}", to="mine")
    registry.flush()

    head = decode_head(head_of(root).read_bytes(), "churn")

    assert head is not None
    trail = registry._journals.of("churn").state().aliases["mine"].trail
    assert head.aliases["mine"]["trail"] == list(trail[-16:])
    assert len(trail) == 29
    assert Registry(root).get("churn@mine~29").number == trail[0]
