"""Random lives of a model: journals that ``decide`` wrote, with the slots of strangers, vandals and accidents in between.

A life is written like a real one: read, decide, append. Hostile slots are what the storage or somebody without manners may put
there: each must be without effect. They are built for the state they stand on, so that each breaks exactly one rule.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from hypothesis import strategies as st

from flowreg.core import codec, decide
from flowreg.core.aliases import NOBODY
from flowreg.core.decide.moving import recorded_decision
from flowreg.core.decision import Decision, Judged, Override
from flowreg.core.events import (
    AliasMoved,
    Approved,
    By,
    Envelope,
    Evaluated,
    Labelled,
    PolicyRemoved,
    PolicySet,
    RegistryCreated,
    Restored,
    Retired,
    VersionRegistered,
)
from flowreg.core.policies import PolicyRecord, RegistryState, replay_registry
from flowreg.core.replaying import replay
from flowreg.core.state import EMPTY, ModelState
from flowreg.errors import FlowregError

MODEL = "risk/churn"
ALIASES = ("champion", "mine")
NOW = "2026-11-22T09:14:03.120Z"


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def policy_set(name: str = "guard", *, models: Sequence[str] = ("risk/*",), alias: str = "champion", **text: Any) -> PolicySet:
    return PolicySet(name=name, models=tuple(models), alias=alias, digest=codec.digest_of(codec.encode(text)), policy=text)


def registry_slots(*entries: Sequence[Any]) -> list[codec.Slot]:
    """The registry's own journal with these lists of events, after its creation."""
    slots: list[codec.Slot] = []
    state = replay_registry([])
    for events in ([RegistryCreated(nonce="n")], *entries):
        said = Envelope(
            registry=state.registry, seq=state.seq + 1, parent=state.digest, id="i", at=NOW, by=By(actor="ana"), events=tuple(events)
        )
        slots.append(codec.decode_entry(codec.encode_entry(said), model=None, seq=said.seq))
        state = replay_registry(slots)
    return slots


# The champion is protected from entry 2 on, by other gates from entry 3 on, and free again from entry 4 on.
POLICIES = replay_registry(
    registry_slots(
        [policy_set(override={"by": ["ana"]})],
        [policy_set(gates=["auc >= 0.9"], override={"by": ["ana"]})],
        [PolicyRemoved(name="guard")],
    )
)


@dataclass
class Life:
    """A journal while it is being written. ``honest`` are the numbers that ``decide`` wrote, ``hostile`` maps the others to why."""

    policies: RegistryState = POLICIES
    state: ModelState = EMPTY
    under: int = 1
    slots: list[codec.Slot] = field(default_factory=list)
    honest: list[int] = field(default_factory=list)
    hostile: dict[int, str] = field(default_factory=dict)

    def envelope(self, events: Sequence[Any], **other: Any) -> Envelope:
        said = {
            "registry": self.policies.registry, "model": MODEL, "seq": self.state.seq + 1, "parent": self.state.digest,
            "id": f"id-{self.state.seq + 1}", "at": NOW, "by": By(actor="ana"), "under": self.under, "events": tuple(events),
        }  # fmt: skip
        return Envelope(**{**said, **other})

    def put(self, raw: bytes) -> codec.Slot:
        """This file is the next one."""
        slot = codec.decode_entry(raw, model=MODEL, seq=self.state.seq + 1)
        self.slots.append(slot)
        self.state = replay([slot], self.state, policies=self.policies)
        return slot

    def say(self, *events: Any, **other: Any) -> None:
        """Whatever it is, somebody writes it."""
        self.put(codec.encode_entry(self.envelope(events, **other)))

    def decided(self, events: Sequence[Any], **other: Any) -> None:
        """``decide`` said so."""
        if events:
            self.honest.append(self.state.seq + 1)
            self.say(*events, **other)

    def in_force(self, alias: str) -> PolicyRecord | None:
        return self.policies.in_force(MODEL, alias, under=self.under)

    def decision(self, number: int, alias: str, policy: PolicyRecord, **other: Any) -> tuple[str, Decision]:
        """A decision about this moment, as ``judge`` makes it."""
        before, version = self.state.aliases.get(alias, NOBODY), self.state.versions[number - 1]
        base = self.state.version(before.version or 0)
        said = {
            "id": "d", "asked_at": NOW, "expires_at": NOW, "asked_by": "ana", "model": MODEL, "alias": alias,
            "candidate": Judged(version=number, manifest=version.manifest),
            "base": Judged(version=base.number, manifest=base.manifest) if base else None,
            "generation": before.generation, "policy_name": policy.name, "policy_digest": policy.digest, "policy": policy.policy,
            "dataset": None, "dataset_digest": None, "outcome": "promote", "results": (), "flowreg_version": "1",
        }  # fmt: skip
        record = Decision(**{**said, **other})
        return codec.digest_of(codec.encode(record.model_dump(exclude_none=True))), record


numbers = st.integers(1, 6)
aliases = st.sampled_from(ALIASES)
outcomes = st.sampled_from(["promote", "promote", "promote", "blocked", "waiting"])
measures = st.floats(allow_nan=True, allow_infinity=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
names = st.sampled_from(["auc", "f1", "größe", "\U0001f600", "￿", "a" * 40])
keys = st.one_of(st.none(), st.sampled_from(["k1", "k2", "k3"]))


def versions_drafted() -> st.SearchStrategy[VersionRegistered]:
    plain = st.one_of(texts, st.integers(-9, 9), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none())
    return st.builds(
        VersionRegistered,
        version=st.just(1),
        manifest=numbers.map(digest),
        loader=st.just("files"),
        size_bytes=st.integers(0, 2**53 - 1),
        file_count=numbers,
        key=keys,
        params=st.dictionaries(names, st.one_of(plain, st.lists(plain, max_size=2)), max_size=2),
        labels=st.dictionaries(names, texts, max_size=2),
    )


def evaluations() -> st.SearchStrategy[Evaluated]:
    return st.builds(
        Evaluated,
        version=numbers,
        key=keys,
        dataset=st.sampled_from(["holdout", None]),
        metrics=st.dictionaries(names, measures, max_size=2),
    )


def _promote(life: Life, number: int, alias: str, outcome: str, override: bool) -> None:
    policy = life.in_force(alias)
    decision = None
    if policy is not None and life.state.version(number):
        over = Override(by="ana", reason="why not") if override and outcome != "promote" else None
        decision = life.decision(number, alias, policy, outcome=outcome, override=over)
    events = decide.promote(life.state, number, alias, model=MODEL, policy=policy, decision=decision)
    life.decided(events, because="why not")


def _approve(life: Life, number: int, alias: str, verdict: Any, key: str | None) -> None:
    policy = life.in_force(alias)
    events = decide.approve(life.state, number, alias, verdict, model=MODEL, policy=policy, person="ben", via="prefect", key=key)
    life.decided(events, because="read it")


def _roll_back(life: Life, alias: str, to: int | None) -> None:
    """As it is by default: what it leaves is retired if that can be."""
    move = decide.rollback(life.state, alias, to, model=MODEL)
    life.decided([move, *decide.retire_left(life.state, move)], because="worse")


def _newer_policies(life: Life) -> None:
    life.under = min(life.under + 1, life.policies.seq)


def _there(life: Life, number: int) -> int:
    """A version that exists, most of the time."""
    return number if number == 6 or not life.state.newest else 1 + number % life.state.newest


def steps() -> st.SearchStrategy[Callable[[Life], None]]:
    """One thing that people do, if the state lets them."""
    d, at = decide, _there
    return st.one_of(
        st.builds(lambda v, e: lambda life: life.decided(d.register(life.state, v, e)), versions_drafted(), st.none() | evaluations()),
        st.builds(
            lambda e: lambda life: life.decided(d.evaluate(life.state, e.model_copy(update={"version": at(life, e.version)}))),
            evaluations(),
        ),
        st.builds(
            lambda n, labels: lambda life: life.decided(d.label(life.state, at(life, n), labels)),
            numbers,
            st.dictionaries(names, st.none() | texts, max_size=2),
        ),
        *[st.builds(lambda n, *given: lambda life: _promote(life, at(life, n), *given), numbers, aliases, outcomes, st.booleans())] * 3,
        st.builds(
            lambda a, to: lambda life: life.decided([d.rollback(life.state, a, to and at(life, to), model=MODEL)], because="worse"),
            aliases,
            st.none() | numbers,
        ),
        st.builds(lambda a, to: lambda life: _roll_back(life, a, to and at(life, to)), aliases, st.none() | numbers),
        st.builds(lambda a: lambda life: life.decided(d.undo_rollback(life.state, a, model=MODEL), because="not so bad"), aliases),
        st.builds(
            lambda n, *given: lambda life: _approve(life, at(life, n), *given),
            numbers,
            aliases,
            st.sampled_from(["approved", "rejected"]),
            keys,
        ),
        st.builds(lambda a: lambda life: life.decided(d.remove_alias(life.state, a, model=MODEL, policy=life.in_force(a))), aliases),
        st.builds(lambda n: lambda life: life.decided(d.retire(life.state, at(life, n), model=MODEL), because="old"), numbers),
        st.builds(lambda n: lambda life: life.decided(d.restore(life.state, at(life, n))), numbers),
        st.just(_newer_policies),
    )


# ---- what must have no effect ----


def _raw(life: Life, *events: Any, **other: Any) -> bytes:
    return codec.encode_entry(life.envelope(events or [Labelled(version=1, labels={"x": "y"})], **other))


def _new_version(life: Life, **other: Any) -> VersionRegistered:
    said = {"version": life.state.newest + 1, "manifest": digest(9), "loader": "files", "size_bytes": 1, "file_count": 1}
    return VersionRegistered(**{**said, **other})


def _moved(life: Life, how: str, alias: str = "champion", **other: Any) -> AliasMoved:
    before = life.state.aliases.get(alias, NOBODY)
    return AliasMoved(**{"alias": alias, "version": 1, "base": before.version, "how": how, **other})


def _promotion(life: Life, *, of: int = 1, **wrong: Any) -> list[Any]:
    """A promotion of version ``of``, good but for what is ``wrong`` in its decision."""
    policy = life.in_force("champion")
    assert policy is not None
    where, record = life.decision(of, "champion", policy)
    decided = recorded_decision(where, record)
    return [decided.model_copy(update=wrong), _moved(life, "promotion", version=of, decision=where)]


def _other_than(life: Life, alias: str = "champion") -> int | None:
    """A version that may hold the alias and does not."""
    holder = life.state.aliases.get(alias, NOBODY).version
    return next((v.number for v in life.state.versions if v.number != holder and not v.retired), None)


def hostile_slots(life: Life) -> dict[str, Callable[[], bytes]]:
    """Files that must have no effect here, by what is wrong with them."""
    state, good = life.state, _raw(life, _new_version(life))
    entry = good.decode()
    wrong: dict[str, Callable[[], bytes]] = {
        "empty": lambda: b"",
        "junk": lambda: b"\x00\xff\xfe junk\n",
        "torn": lambda: good[: len(good) // 2],
        "no line end": lambda: good[:-1],
        "two line ends": lambda: good + b"\n",
        "windows line end": lambda: good[:-1] + b"\r\n",
        "a byte order mark": lambda: b"\xef\xbb\xbf" + good,
        "a space at the end": lambda: good[:-1] + b" \n",
        "a duplicate key": lambda: entry.replace('{"at":', '{"at":"x","at":', 1).encode(),
        "keys out of order": lambda: entry.replace('"format":1,"id":', '"id":', 1).replace("}\n", ',"format":1}\n').encode(),
        "a NaN token": lambda: entry.replace('"size_bytes":1', '"size_bytes":NaN').encode(),
        "an odd number": lambda: entry.replace('"size_bytes":1', '"size_bytes":1.0').encode(),
        "an exponent": lambda: entry.replace('"size_bytes":1', '"size_bytes":1e0').encode(),
        "a lone surrogate": lambda: entry.replace('"loader":"files"', '"loader":"\\ud800"').encode(),
        "an escaped letter": lambda: entry.replace('"loader":"files"', '"loader":"\\u0066iles"').encode(),
        "too long": lambda: good[:-2] + b" " * codec.ENTRY_LIMIT + b"}\n",
        "too deep": lambda: entry.replace('"loader":"files"', '"loader":' + "[" * 5000 + "]" * 5000).encode(),
        "a huge integer": lambda: entry.replace('"size_bytes":1', '"size_bytes":9007199254740993').encode(),
        "format 0": lambda: entry.replace('"format":1', '"format":0').encode(),
        "format true": lambda: entry.replace('"format":1', '"format":true').encode(),
        "no events": lambda: entry.replace(entry[entry.index('"events":[') : entry.index('],"format"')], '"events":[').encode(),
        "a moment without zone": lambda: entry.replace("120Z", "120").encode(),
        "another number": lambda: _raw(life, seq=state.seq + 2),
        "another model": lambda: _raw(life, model="risk/other"),
        "the registry's own": lambda: _raw(life, model=None),
        "another registry": lambda: _raw(life, _new_version(life), registry=digest(7)),
        "no registry": lambda: _raw(life, _new_version(life), registry=None),
        "policies to come": lambda: _raw(life, _new_version(life), under=life.policies.seq + 1),
        "a number skipped": lambda: _raw(life, _new_version(life, version=state.newest + 2)),
        "a number used": lambda: _raw(life, _new_version(life, version=max(state.newest, 1) if state.newest else 2)),
        "no such version": lambda: _raw(life, Evaluated(version=state.newest + 1)),
        "a label of no version": lambda: _raw(life, Labelled(version=state.newest + 1, labels={})),
        "half good": lambda: _raw(life, _new_version(life, key="half"), Retired(version=state.newest + 2)),
        "restored, never retired": lambda: _raw(life, _new_version(life), Restored(version=state.newest + 1)),
        "an alias of no version": lambda: _raw(life, _moved(life, "set", "free", version=state.newest + 1)),
        "a set without version": lambda: _raw(life, _moved(life, "set", "free", version=None)),
        "another base": lambda: _raw(life, _new_version(life), _moved(life, "set", "mine", version=state.newest + 1, base=77)),
    }
    if state.under:
        wrong["under going back"] = lambda: _raw(life, _new_version(life), under=state.under - 1)
    if state.seq:
        wrong["an entry again"] = lambda: codec.encode_entry(life.slots[-1].said) if isinstance(life.slots[-1], codec.Entry) else b"{}\n"
    if state.by_key:
        wrong["a key used before"] = lambda: _raw(life, _new_version(life, key=next(iter(state.by_key))))
    return {**wrong, **_hostile_moves(life)}


def _hostile_moves(life: Life) -> dict[str, Callable[[], bytes]]:
    number, state = _other_than(life), life.state
    wrong: dict[str, Callable[[], bytes]] = {}
    holders = {n for n, a in state.aliases.items() if a.version}
    for name in sorted(holders):
        holder = state.aliases[name].version
        wrong[f"retired while {name}"] = partial(_raw, life, Retired(version=holder))
        wrong[f"{name} back to its holder"] = partial(_raw, life, _moved(life, "rollback", name, version=holder), because="x")
    for version in [v.number for v in state.versions if v.retired]:
        wrong["retired twice"] = partial(_raw, life, Retired(version=version))
        wrong["a retired one set"] = partial(_raw, life, _moved(life, "set", "mine", version=version))
        wrong["a retired one promoted"] = partial(_raw, life, _moved(life, "promotion", version=version, decision=digest(1)))
    wrong |= _hostile_words(life)
    if number is None:
        return wrong
    held = {move.said.version for move in state.aliases.get("champion", NOBODY).moves}
    if number not in held:
        wrong["back to where it never was"] = lambda: _raw(life, _moved(life, "rollback", version=number), because="x")
    else:
        wrong["back without a reason"] = lambda: _raw(life, _moved(life, "rollback", version=number))
    wrong["promoted without decision"] = lambda: _raw(life, _moved(life, "promotion", version=number, decision=digest(1)))
    wrong["overridden by a stranger"] = lambda: _raw(life, _moved(life, "override", version=number), by=By(actor="eve"), because="x")
    wrong["overridden without a reason"] = lambda: _raw(life, _moved(life, "override", version=number))
    if life.in_force("champion") is None:
        return wrong
    wrong["protected, but set"] = lambda: _raw(life, _moved(life, "set", version=number))
    wrong["protected, but removed"] = lambda: _raw(life, _moved(life, "removal", version=None))
    other = next((v.number for v in state.versions if v.number != number), None)
    flaws: dict[str, dict[str, Any]] = {
        "a stale generation": {"generation": state.aliases.get("champion", NOBODY).generation + 1},
        "a stale holder": {"base": number},
        "other gates": {"policy_digest": digest(5)},
        "gates that expired": {"expires_at": "2026-11-22T09:14:03.119Z"},
        "gates that failed": {"outcome": "blocked"},
        "another alias": {"alias": "mine"},
        "other bytes": {"manifest": digest(8)},
        "another decision": {"decision": digest(6)},
    }
    for flaw, fields in flaws.items():
        wrong[f"promoted by {flaw}"] = partial(_raw, life, *_promotion(life, of=number, **fields))
    if other is not None:
        about_other = {"version": other, "manifest": state.versions[other - 1].manifest}
        wrong["promoted by another candidate"] = lambda: _raw(life, *_promotion(life, of=number, **about_other))
    return wrong


def _hostile_words(life: Life) -> dict[str, Callable[[], bytes]]:
    """Approvals that are about something else than what is now, and bars of other bytes."""
    state, policy, before = life.state, life.in_force("champion"), life.state.aliases.get("champion", NOBODY)
    if not state.versions:
        return {}
    said = {
        "version": 1, "manifest": state.versions[0].manifest, "alias": "champion", "verdict": "approved", "base": before.version,
        "generation": before.generation, "policy": "guard", "policy_digest": policy.digest if policy else digest(5),
    }  # fmt: skip
    flaws: dict[str, dict[str, Any]] = {
        "of other bytes": {"manifest": digest(8)},
        "of no version": {"version": state.newest + 1},
        "of another holder": {"base": 77},
        "of another moment": {"generation": before.generation + 1},
        "of another policy": {"policy_digest": digest(4)},
        "of an alias without policy": {"alias": "mine"},
    }
    wrong = {f"an approval {flaw}": partial(_raw, life, Approved(**{**said, **fields}), because="x") for flaw, fields in flaws.items()}
    wrong["an approval without a reason"] = partial(_raw, life, Approved(**said))
    if key := next((a.said.key for a in state.approvals if a.said.key), None):
        wrong["an approval again"] = partial(_raw, life, Approved(**said, key=key), because="x")
    wrong["retired with other bytes"] = partial(_raw, life, Retired(version=1, manifest=digest(8)))
    for name, alias in state.aliases.items():
        for twin in state.same_bytes(state.versions[alias.version - 1].manifest) if alias.version else ():
            wrong[f"the bytes of {name} retired"] = partial(_raw, life, Retired(version=twin.number, manifest=twin.manifest))
    return wrong


@st.composite
def lives(draw: st.DrawFn, *, hostile: bool = True, max_steps: int = 14) -> Life:
    """A life of up to ``max_steps`` steps; every so often a hostile slot comes between."""
    life = Life()
    for draft in draw(st.lists(versions_drafted(), min_size=1, max_size=3)):
        life.decided(decide.register(life.state, draft.model_copy(update={"key": None}), None))
    if draw(st.booleans()):
        _newer_policies(life)
    for step in draw(st.lists(steps(), max_size=max_steps)):
        with contextlib.suppress(FlowregError):  # refused: nothing is written
            step(life)
        if hostile and draw(st.integers(0, 3)) == 0:
            found = hostile_slots(life)
            why = draw(st.sampled_from(sorted(found)))
            life.hostile[life.state.seq + 1] = why
            life.put(found[why]())
    return life


def without_record(state: ModelState) -> ModelState:
    """What a state says, but for where it stands and what was void."""
    return replace(state, seq=0, digest=None, voids=(), at="", unknown=())
