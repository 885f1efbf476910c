"""A small good registry, and the damages that can be done to it: one each, each with what ``check`` has to say about it.

The registry has the models ``churn`` (twelve entries, with a policy, decisions and a rollback) and ``risk/fraud`` (untouched).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from flowreg import GateBlocked, Policy, Registry
from flowreg.core.codec import digest_of, encode
from flowreg.core.events import Decided
from flowreg.core.layout import blob_path, checkpoint_path, entry_path, head_path
from flowreg.core.state import ModelState
from flowreg.storage.caches import encode_checkpoint

LAST = 12
CHECKPOINT = 6
POLICY = Policy(policy="p", models=["churn"], alias="champion", dataset="july", no_baseline="skip", gates=["auc >= 0.60"])


def write(folder: Path) -> None:
    """The good registry."""
    registry = Registry(folder, actor="ana")
    registry.set_policy(POLICY)
    for auc in (0.7, 0.8, 0.5):
        registry.register("churn", {"auc": auc}, trust="pickle", metrics={"auc": auc}, on="july", slices={"a=b": {"auc": auc}})
    for number in (1, 2, 3):
        try:
            registry.promote(f"churn@{number}", to="champion")
        except GateBlocked:
            registry.rollback("churn@champion", because="worse", keep=True)
    registry.label("churn@1", {"team": "risk"})
    registry.retire("churn@3", because="diverged")
    registry.promote("churn@2", to="previous")
    registry.register("churn", {"w": 4}, trust="pickle", card="a card")
    registry.label("churn@4", {"team": "ops"})
    registry.register("risk/fraud", {"w": 9}, trust="pickle")
    registry.promote("risk/fraud@1", to="live-eu")
    registry.flush()
    state = registry._journals.replay(list(registry._journals.of("churn").slots())[:CHECKPOINT])
    (folder / checkpoint_path("churn", CHECKPOINT)).parent.mkdir()
    (folder / checkpoint_path("churn", CHECKPOINT)).write_bytes(encode_checkpoint("churn", state))


class Said(NamedTuple):
    """What a check has to say: severity, code, file."""

    severity: str
    code: str
    where: str


class Damage(NamedTuple):
    """One damage: how it is done, what has to be said, and whether the model still answers (``Registry.get``)."""

    do: Callable[[Path], None]
    said: Callable[[Path], set[Said]]
    answers: bool
    read_data: bool = False


def fault(code: str, *where: str) -> Callable[[Path], set[Said]]:
    return lambda _: {Said("fault", code, path) for path in where}


def note(code: str, *where: str) -> Callable[[Path], set[Said]]:
    return lambda _: {Said("note", code, path) for path in where}


def entry(seq: int, model: str | None = "churn") -> str:
    return entry_path(model, seq)


def said_by(root: Path, path: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((root / path).read_bytes())
    return value


def put(root: Path, path: str, value: dict[str, Any]) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(encode(value) + b"\n")


def flip(path: str, at: bytes | None = None) -> Callable[[Path], None]:
    """One bit of the byte after ``at``, or of the byte in the middle."""

    def do(root: Path) -> None:
        raw = bytearray((root / path).read_bytes())
        raw[raw.index(at) + len(at) if at else len(raw) // 2] ^= 1
        (root / path).write_bytes(bytes(raw))

    return do


def cut(path: str) -> Callable[[Path], None]:
    return lambda root: os.truncate(root / path, (root / path).stat().st_size // 2)


def delete(*paths: str) -> Callable[[Path], None]:
    def do(root: Path) -> None:
        for path in paths:
            (root / path).unlink()

    return do


def junk(path: str, raw: bytes) -> Callable[[Path], None]:
    def do(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(raw)

    return do


def strangers(root: Path) -> None:
    for path in STRANGE:
        junk(path, b"x")(root)


def renumbered(_: Path) -> set[Said]:
    """Each entry stands where it does not belong, and the last number is gone."""
    moved = {Said("fault", "misplaced-entry", entry(seq)) for seq in range(9, LAST)}
    return moved | {Said("fault", "missing-entry", entry(LAST))}


def swap(a: str, b: str) -> Callable[[Path], None]:
    def do(root: Path) -> None:
        first, second = (root / a).read_bytes(), (root / b).read_bytes()
        (root / a).write_bytes(second)
        (root / b).write_bytes(first)

    return do


def copy(source: str, target: str) -> Callable[[Path], None]:
    return lambda root: junk(target, (root / source).read_bytes())(root)


def renumber(root: Path) -> None:
    """Entry 9 is taken out, and those after it move up."""
    for seq in range(9, LAST):
        (root / entry(seq)).write_bytes((root / entry(seq + 1)).read_bytes())
    (root / entry(LAST)).unlink()


def change(path: str, **fields: Any) -> Callable[[Path], None]:
    """A well-formed entry that says something else."""
    return lambda root: put(root, path, said_by(root, path) | fields)


def append(events: list[dict[str, Any]], *, model: str | None = "churn", after: int = LAST, **fields: Any) -> Callable[[Path], None]:
    """One more entry in the right place, with whatever events."""

    def do(root: Path) -> None:
        last = (root / entry(after, model)).read_bytes()
        more = {"seq": after + 1, "parent": digest_of(last), "id": "0199", "events": events}
        put(root, entry(after + 1, model), json.loads(last) | more | fields)

    return do


def numbered(seq: int) -> Callable[[Path], None]:
    """The next entry, with the number ``seq`` in it."""

    def do(root: Path) -> None:
        append(LABELS)(root)
        change(entry(LAST + 1), seq=seq)(root)

    return do


def of_another_registry(root: Path) -> None:
    other = Registry(root.parent / "other", actor="eve")
    other.register("churn", {"w": 0}, trust="pickle")
    name = said_by(root.parent / "other", entry(1))["registry"]
    append([{"kind": "labelled", "version": 1, "labels": {"a": "b"}}], registry=name)(root)


def head_says(**fields: Any) -> Callable[[Path], None]:
    """A whole head that says something else."""

    def do(root: Path) -> None:
        body = said_by(root, head_path("churn"))["head"] | fields
        (root / head_path("churn")).write_bytes(encode({"digest": digest_of(encode(body)), "head": body}))

    return do


def stale_head(root: Path) -> None:
    """The head as it was before one more entry."""
    before = (root / head_path("churn")).read_bytes()
    registry = Registry(root)
    registry.label("churn@1", {"team": "ops"})
    registry.flush()
    (root / head_path("churn")).write_bytes(before)


def checkpoint_says(**fields: Any) -> Callable[[Path], None]:
    def do(root: Path) -> None:
        path = root / checkpoint_path("churn", CHECKPOINT)
        value = json.loads(path.read_bytes())
        path.write_bytes(encode({**value, "state": {**value["state"], **fields}}, depth_limit=64))

    return do


def forged_together(root: Path) -> None:
    """A head, whole in itself, that leads readers to a checkpoint that lies."""
    head_says(checkpoint=CHECKPOINT)(root)
    checkpoint_says(aliases={})(root)


def swapped_blobs(root: Path) -> None:
    swap(blob_of("manifest")(root), blob_of("decision")(root))(root)


def state(root: Path) -> ModelState:
    return Registry(root)._journals.of("churn").state()


def blob_of(what: str) -> Callable[[Path], str]:
    """Where the blob lies that plays this part in ``churn``."""

    def where(root: Path) -> str:
        now, first = state(root), Registry(root).files("churn@1")
        blobs = {
            "manifest": now.versions[0].manifest,
            "file": next(iter(first.values())),
            "table": now.versions[0].evaluations[0].said.table,
            "card": now.versions[3].said.card,
            "decision": now.decisions[0].said.decision,
        }
        return blob_path(str(blobs[what]))

    return where


def to_blob(what: str, how: Callable[[str], Callable[[Path], None]]) -> Callable[[Path], None]:
    return lambda root: how(blob_of(what)(root))(root)


def blob_said(code: str, what: str) -> Callable[[Path], set[Said]]:
    return lambda root: {Said("fault", code, blob_of(what)(root))}


def other_decision(root: Path) -> dict[str, Any]:
    """A promotion, allowed by the rules, whose decision was about another version."""
    now = state(root)
    asked: Decided = now.decisions[0].said  # about version 1, with nobody as the holder
    alias = now.aliases["champion"]
    event = asked.model_dump(exclude_none=True) | {
        "version": 2 if alias.version == 1 else 1, "base": alias.version, "generation": alias.generation,
    }  # fmt: skip
    return event | {"manifest": now.versions[event["version"] - 1].manifest}


def registered_on(root: Path, manifest: str, **fields: Any) -> None:
    """A version 5 whose manifest is this blob."""
    (root / blob_path(JUNK)).parent.mkdir(exist_ok=True)
    (root / blob_path(JUNK)).write_bytes(b"junk")
    said = {"kind": "version_registered", "version": 5, "manifest": manifest, "loader": "pickle", "size_bytes": 1, "file_count": 1}
    append([said | fields])(root)


def decided_on_junk(root: Path) -> None:
    """A blocked decision whose record is no decision."""
    (root / blob_path(JUNK)).parent.mkdir(exist_ok=True)
    (root / blob_path(JUNK)).write_bytes(b"junk")
    append([other_decision(root) | {"outcome": "blocked", "decision": JUNK}])(root)


def linked(root: Path) -> None:
    """An entry moved away, with a link in its place."""
    (root / entry(4)).rename(root.parent / "elsewhere")
    (root / entry(4)).symlink_to(root.parent / "elsewhere")


def newer_checkpoint(root: Path) -> None:
    value = json.loads((root / POINT).read_bytes())
    (root / POINT).write_bytes(encode({**value, "reader": 99}, depth_limit=64))


def flipped_unremembered(root: Path) -> None:
    """The entry before the newest, where no head says what the newest was."""
    flip(entry(LAST - 1), b'"actor":"')(root)
    (root / HEAD).unlink()


def promotion_on(decision: str | None) -> Callable[[Path], None]:
    """A promotion of another version; ``decision`` None: on the record of an old decision."""

    def do(root: Path) -> None:
        event = other_decision(root) | ({"decision": decision} if decision else {})
        moved = {"kind": "alias_moved", "how": "promotion", "alias": "champion", "decision": event["decision"]}
        append([event, moved | {name: event[name] for name in ("version", "base")}])(root)

    return do


OF_ALL = {"deleted newest entry of the registry", "deleted policy", "bit flip in the identity"}  # damages of what every model stands on
JUNK = digest_of(b"junk")
NOWHERE = "sha256:" + "ab" * 32
HEAD, POINT = head_path("churn"), checkpoint_path("churn", CHECKPOINT)
STRANGE = ("notes.txt", "journal/1.json", "models/churn/journal/readme.md", "heads/no head.json", "blobs/sha256/ab/abcd")
PROTECTED = [{"kind": "alias_moved", "alias": "champion", "version": 2, "base": 1, "how": "set"}]
LABELS = [{"kind": "labelled", "version": 1, "labels": {"a": "b"}}]

ZOO: dict[str, Damage] = {
    # -- the journal of a model
    "bit flip in an entry that still parses": Damage(flip(entry(4), b'"actor":"'), fault("changed-entry", entry(4)), False),
    "bit flip in an entry that parses no more": Damage(flip(entry(4), b'"actor"'), fault("changed-entry", entry(4)), False),
    "bit flip in the first entry": Damage(flip(entry(1), b'"actor":"'), fault("changed-entry", entry(1)), False),
    "bit flip in the newest entry": Damage(flip(entry(LAST), b'"actor":"'), fault("changed-entry", entry(LAST)), False),
    "bit flip in the entry before the newest": Damage(flip(entry(LAST - 1), b'"actor":"'), fault("changed-entry", entry(LAST - 1)), False),
    "bit flip in a parent": Damage(flip(entry(9), b'"parent":"sha256:'), fault("changed-entry", entry(9)), False),
    "truncated entry": Damage(cut(entry(4)), fault("changed-entry", entry(4)), False),
    "emptied entry": Damage(junk(entry(4), b""), fault("changed-entry", entry(4)), False),
    "truncated newest entry": Damage(cut(entry(LAST)), fault("changed-entry", entry(LAST)), False),
    "deleted entry in the middle": Damage(delete(entry(4)), fault("missing-entry", entry(4)), False),
    "hole at the end of a window of reads": Damage(delete(entry(10)), fault("missing-entry", entry(10)), False),
    "deleted first entry": Damage(delete(entry(1)), fault("missing-entry", entry(1)), False),
    "deleted newest entry": Damage(delete(entry(LAST)), fault("missing-entry", entry(LAST)), False),
    "deleted newest two entries": Damage(delete(entry(LAST), entry(LAST - 1)), fault("missing-entry", entry(LAST - 1)), False),
    "two entries swapped": Damage(swap(entry(4), entry(5)), fault("misplaced-entry", entry(4), entry(5)), False),
    "two distant entries swapped": Damage(swap(entry(4), entry(9)), fault("misplaced-entry", entry(4), entry(9)), False),
    "fork in the middle": Damage(change(entry(9), id="0199", because="another"), fault("changed-entry", entry(9)), False),
    "fork at the end": Damage(change(entry(LAST), id="0199", because="another"), fault("changed-entry", entry(LAST)), False),
    "fork with another parent": Damage(change(entry(9), parent=NOWHERE), fault("changed-entry", entry(9)), False),
    "bit flip in the entry before the newest, and no head": Damage(
        flipped_unremembered, lambda _: {Said("fault", "broken-chain", entry(LAST)), Said("note", "missing-head", HEAD)}, False
    ),
    "link in place of an entry": Damage(linked, fault("unreadable", entry(4)), False),
    "renumbering": Damage(renumber, renumbered, False),
    "replay of an old entry": Damage(copy(entry(2), entry(LAST + 1)), fault("misplaced-entry", entry(LAST + 1)), True),
    "entry with an old number": Damage(numbered(3), fault("misplaced-entry", entry(LAST + 1)), True),
    "entry of another model": Damage(copy(entry(1, "risk/fraud"), entry(LAST + 1)), fault("misplaced-entry", entry(LAST + 1)), True),
    "entry of another registry": Damage(of_another_registry, fault("foreign-entry", entry(LAST + 1)), True),
    "entry under older policies": Damage(append(LABELS, under=1), fault("refused-entry", entry(LAST + 1)), True),
    "junk in the next slot": Damage(junk(entry(LAST + 1), b"hello\n"), fault("junk-entry", entry(LAST + 1)), True),
    "numbers in the next slot": Damage(junk(entry(LAST + 1), b"[[[1e999]]]\n"), fault("junk-entry", entry(LAST + 1)), True),
    "a huge file in the next slot": Damage(junk(entry(LAST + 1), b"a" * (2 << 20) + b"\n"), fault("junk-entry", entry(LAST + 1)), True),
    "a torn write in the next slot": Damage(junk(entry(LAST + 1), b'{"at":"2026'), note("torn-entry", entry(LAST + 1)), True),
    "an entry far beyond the end": Damage(junk(entry(10**15), b"hello\n"), fault("missing-entry", entry(LAST + 1)), True),
    "format 2": Damage(append(LABELS, format=2), note("newer-format", entry(LAST + 1)), True),
    "unknown kind": Damage(append([{"kind": "teleported", "version": 1}]), note("unknown-kind", entry(LAST + 1)), True),
    "protected alias moved without a decision": Damage(append(PROTECTED), fault("refused-entry", entry(LAST + 1)), True),
    # -- the journal of the registry
    "deleted journal of the registry": Damage(delete(*(entry(n, None) for n in (1, 2, 3, 4))), fault("lost-journal", "journal"), True),
    "deleted policy": Damage(delete(entry(2, None)), fault("missing-entry", entry(2, None)), False),
    "deleted newest entry of the registry": Damage(delete(entry(4, None)), fault("missing-entry", entry(4, None)), True),
    "bit flip in the identity": Damage(flip(entry(1, None), b'"nonce":"'), fault("changed-entry", entry(1, None)), False),
    "policy with another digest": Damage(
        append([{"kind": "policy_set", "name": "q", "models": ["*"], "alias": "a", "digest": NOWHERE, "policy": {}}], model=None, after=4),
        fault("refused-entry", entry(5, None)), True,
    ),
    "policy that cannot be read": Damage(
        append(
            [{"kind": "policy_set", "name": "q", "models": ["*"], "alias": "a", "digest": digest_of(encode({})), "policy": {}}],
            model=None, after=4,
        ),
        fault("bad-policy", entry(5, None)), True,
    ),
    # -- heads and checkpoints
    "bit flip in the head": Damage(flip(HEAD), fault("unreadable-head", HEAD), True),
    "truncated head": Damage(cut(HEAD), fault("unreadable-head", HEAD), True),
    "deleted head": Damage(delete(HEAD), note("missing-head", HEAD), True),
    "head of another model": Damage(copy(head_path("risk/fraud"), HEAD), fault("unreadable-head", HEAD), True),
    "head that is stale but true": Damage(stale_head, note("stale-head", HEAD), True),
    "head that lies about the newest": Damage(head_says(newest=None), fault("wrong-head", HEAD), True),
    "head that lies about an old entry": Damage(head_says(seq=9, digest=NOWHERE), fault("wrong-head", HEAD), False),
    "head that lies about aliases": Damage(head_says(aliases={}), fault("wrong-head", HEAD), True),
    "head of another registry": Damage(head_says(registry=NOWHERE), fault("wrong-head", HEAD), True),
    "head that names no checkpoint": Damage(
        head_says(checkpoint=5), note("missing-checkpoint", checkpoint_path("churn", 5)), True
    ),
    "bit flip in a checkpoint": Damage(flip(POINT, b'"reader"'), fault("unreadable-checkpoint", POINT), True),
    "checkpoint that lies": Damage(checkpoint_says(aliases={}), fault("wrong-checkpoint", POINT), True),
    "forged checkpoint that a forged head names": Damage(forged_together, fault("wrong-checkpoint", POINT), True),
    "checkpoint of another entry": Damage(checkpoint_says(digest=NOWHERE), fault("wrong-checkpoint", POINT), True),
    "checkpoint by a newer flowreg": Damage(newer_checkpoint, note("newer-checkpoint", POINT), True),
    # -- blobs
    "deleted file": Damage(to_blob("file", delete), blob_said("missing-blob", "file"), True),
    "deleted manifest": Damage(to_blob("manifest", delete), blob_said("missing-blob", "manifest"), True),
    "deleted decision": Damage(to_blob("decision", delete), blob_said("missing-blob", "decision"), True),
    "deleted table": Damage(to_blob("table", delete), blob_said("missing-blob", "table"), True),
    "deleted card": Damage(to_blob("card", delete), blob_said("missing-blob", "card"), True),
    "truncated file": Damage(to_blob("file", cut), blob_said("changed-blob", "file"), True),
    "bit flip in a file": Damage(to_blob("file", flip), blob_said("changed-blob", "file"), True, read_data=True),
    "bit flip in a table": Damage(to_blob("table", flip), blob_said("changed-blob", "table"), True, read_data=True),
    "bit flip in a manifest": Damage(to_blob("manifest", flip), blob_said("changed-blob", "manifest"), True),
    "truncated manifest": Damage(to_blob("manifest", cut), blob_said("changed-blob", "manifest"), True),
    "manifest and decision swapped": Damage(
        swapped_blobs, lambda root: {Said("fault", "changed-blob", blob_of(what)(root)) for what in ("manifest", "decision")}, True
    ),
    "bit flip in a decision": Damage(to_blob("decision", flip), blob_said("changed-blob", "decision"), True),
    "promotion on another version's decision": Damage(promotion_on(None), blob_said("wrong-decision", "decision"), True),
    "promotion on a decision that is nowhere": Damage(promotion_on(NOWHERE), fault("missing-blob", blob_path(NOWHERE)), True),
    "decision that is none": Damage(decided_on_junk, fault("bad-decision", blob_path(JUNK)), True),
    "manifest that is none": Damage(lambda root: registered_on(root, JUNK), fault("bad-manifest", blob_path(JUNK)), True),
    "manifest that says otherwise": Damage(
        lambda root: registered_on(root, state(root).versions[0].manifest), blob_said("wrong-manifest", "manifest"), True
    ),
    "blob that nothing needs": Damage(junk(blob_path(NOWHERE), b"stray"), note("dangling-blob", blob_path(NOWHERE)), True),
    # -- strangers
    "foreign files": Damage(strangers, note("foreign-file", *STRANGE), True),
}  # fmt: skip
