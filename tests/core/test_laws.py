"""The laws of the core, for lives of every shape."""

from __future__ import annotations

import contextlib
import math

import pytest
import rfc8785
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from flowreg.core import codec, decide
from flowreg.core.aliases import Move
from flowreg.core.decision import Decision, Override
from flowreg.core.events import Envelope, Event, VersionRegistered
from flowreg.core.names import Alias, ByDigest, Newest, Number, Ref, alias_name, model_name, parse_ref
from flowreg.core.replaying import replay
from flowreg.errors import BadInput, Conflict, FlowregError
from tests.core.lives import MODEL, POLICIES, Life, digest, hostile_slots, lives, without_record

LIFE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
LAW = settings(max_examples=300, deadline=None)


# ---- replay ----


@LIFE
@given(lives(), st.data())
def test_replaying_in_two_parts_is_replaying_at_once(life: Life, data: st.DataObject) -> None:
    """``replay(b, replay(a)) == replay(a + b)``, and slot by slot too, hostile slots included."""
    cut = data.draw(st.integers(0, len(life.slots)))
    first, second = life.slots[:cut], life.slots[cut:]

    whole = replay(life.slots, policies=POLICIES)

    assert replay(second, replay(first, policies=POLICIES), policies=POLICIES) == whole
    assert life.state == whole


@LIFE
@given(lives())
def test_what_decide_decides_has_effect_and_what_is_hostile_has_none(life: Life) -> None:
    """The void slots are exactly the hostile ones: readers refuse what writers would, and nothing else."""
    assert {void.seq: life.hostile.get(void.seq) for void in life.state.voids} == life.hostile
    assert not {void.seq for void in life.state.voids} & set(life.honest)
    assert life.state.broken is None


@LIFE
@given(lives(hostile=False))
def test_no_hostile_slot_changes_anything(life: Life) -> None:
    """After any life each of the hostile slots leaves everything as it was, is kept with a reason, and the chain goes on."""
    for why, made in hostile_slots(life).items():
        raw = made()
        slot = codec.decode_entry(raw, model=MODEL, seq=life.state.seq + 1)
        after = replay([slot], life.state, policies=POLICIES)

        assert without_record(after) == without_record(life.state), why
        assert [void.reason for void in after.voids] != [], why
        assert (after.seq, after.digest, after.broken) == (life.state.seq + 1, codec.digest_of(raw), None), why


@LIFE
@given(lives(), st.data())
def test_an_entry_that_contradicts_the_chain_breaks_it_for_good(life: Life, data: st.DataObject) -> None:
    """Another parent than the file before: from there on nothing is believed, whatever follows."""
    parent = data.draw(st.sampled_from([None, "sha256:" + "e" * 64]))
    assume(parent != life.state.digest)
    before = life.state
    life.say(*[event for slot in life.slots[:1] for event in slot.said.events], parent=parent)

    broken = life.state
    life.say(*[event for slot in life.slots[:1] for event in slot.said.events], seq=before.seq + 1)

    assert broken.broken is not None
    assert broken.broken.seq == before.seq + 1
    assert life.state == broken
    assert (broken.seq, broken.versions, broken.aliases) == (before.seq, before.versions, before.aliases)


# ---- canonical bytes ----

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(["\U0001f600", "\ufb33", "\uffff", "a", ""])
whole_numbers = st.integers(-codec.SAFE_INTEGER, codec.SAFE_INTEGER)
finite = st.floats(allow_nan=False, allow_infinity=False)
large = st.one_of(finite, st.integers(53, 80).map(lambda power: float(2**power)), st.integers(10, 30).map(lambda power: float(10**power)))
plain = st.one_of(st.none(), st.booleans(), text, whole_numbers, large)
values = st.recursive(plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=12)


@LAW
@given(values)
def test_what_was_encoded_decodes_to_itself_and_is_canonical(value: object) -> None:
    """``decode(encode(value)) == value``, and the bytes are those of an implementation of RFC 8785 that is not ours."""
    raw = codec.encode(value)

    assert raw == rfc8785.dumps(value)
    assert codec.decode(raw) == value
    assert codec.encode(codec.decode(raw)) == raw


@LIFE
@given(lives(hostile=False))
def test_entries_read_back_as_they_were_written(life: Life) -> None:
    """Whatever ``decide`` says survives its bytes: the entry read is the entry written, and has the same bytes again."""
    for slot in life.slots:
        assert isinstance(slot, codec.Entry)
        assert codec.digest_of(codec.encode_entry(slot.said)) == slot.digest
        assert Envelope.model_validate(codec.decode(codec.encode_entry(slot.said)[:-1])).seq == slot.seq


@LAW
@given(st.binary(max_size=60) | values.map(codec.encode).flatmap(lambda raw: st.just(raw[: len(raw) // 2] + b"}" + raw[len(raw) // 2 :])))
def test_any_bytes_are_canonical_or_refused(raw: bytes) -> None:
    """No second spelling of anything is read."""
    try:
        value = codec.decode(raw)
    except BadInput:
        return

    assert codec.encode(value) == raw


# ---- references ----

segments = st.from_regex(r"[a-zA-Z0-9é模][\w.\-]{0,6}", fullmatch=True)
selectors = st.one_of(
    st.builds(Number, st.integers(1, 999_999_999)),
    st.builds(Alias, st.from_regex(r"[a-z][a-z0-9_\-]{0,8}", fullmatch=True), st.integers(0, 9999)),
    st.just(Newest()),
    st.builds(ByDigest, st.from_regex(r"[0-9a-f]{6,64}", fullmatch=True)),
)
references = st.builds(Ref, st.lists(segments, min_size=1, max_size=3).map("/".join), selectors)


@LAW
@given(
    references.map(str) | st.text(max_size=20) | st.from_regex(r"\A[\w./-]{1,9}@[\w:~]{1,12}\Z") | st.from_regex(r"\A[a-z]@[0-9~v]{1,4}\Z")
)
def test_a_reference_that_parses_is_spelled_as_it_was(written: str) -> None:
    """``str(parse_ref(s)) == s``: there is one spelling of each."""
    try:
        parsed = parse_ref(written)
    except BadInput:
        return

    assert str(parsed) == written


@LAW
@given(references)
def test_what_a_reference_says_is_read_again(ref: Ref) -> None:
    """A reference written out and read is the same, unless a rule of names forbids it."""
    try:
        model_name(ref.model)
        assert not isinstance(ref.selector, Alias) or alias_name(ref.selector.name)
    except BadInput:
        return

    assert parse_ref(str(ref)) == ref


# ---- decisions ----


@LIFE
@given(lives(hostile=False, max_steps=4), st.booleans(), st.sampled_from(["promotion", "override"]))
def test_a_stale_decision_is_refused_and_never_half_written(life: Life, there_and_back: bool, how: str) -> None:
    """A passing decision counts for the holder, the generation and the policy it was made about, and for nothing later."""
    life.under = max(2, life.state.under)
    policy = life.in_force("champion")
    assume(policy is not None)
    for number in (90, 91, 92):
        life.decided(decide.register(life.state, version(number), None))
    first, second, candidate = (life.state.newest - 2, life.state.newest - 1, life.state.newest)

    def promote(number: int, decision: tuple[str, Decision]) -> list[Event]:
        return decide.promote(life.state, number, "champion", model=MODEL, policy=policy, decision=decision)

    life.decided(promote(first, life.decision(first, "champion", policy)))
    over = {"outcome": "blocked", "override": Override(by="ana", reason="x")} if how == "override" else {}
    stale = life.decision(candidate, "champion", policy, **over)
    events = promote(candidate, stale)
    life.decided(promote(second, life.decision(second, "champion", policy)))
    if there_and_back:
        life.decided([decide.rollback(life.state, "champion", None, model=MODEL)], because="worse")
    moved = life.state

    with pytest.raises(Conflict):
        promote(candidate, stale)
    life.say(*events)

    assert without_record(life.state) == without_record(moved)
    assert len(life.state.voids) == len(moved.voids) + 1


@pytest.mark.parametrize("wrong", [{"model": "risk/other"}, {"alias": "mine"}, {"policy_digest": "sha256:" + "3" * 64}, {"generation": 1}])
def test_a_decision_about_something_else_is_refused(wrong: dict[str, object]) -> None:
    """Another model, alias, policy or moment: the decision is not about this."""
    life = one_version()
    policy = life.in_force("champion")

    where, record = life.decision(1, "champion", policy)

    with pytest.raises(Conflict, match=r"judge again|promote again"):
        decide.promote(life.state, 1, "champion", model=MODEL, policy=policy, decision=(where, record.model_copy(update=wrong)))


def version(number: int) -> VersionRegistered:
    return VersionRegistered(version=1, manifest=digest(number), loader="files", size_bytes=1, file_count=1)


def one_version() -> Life:
    """A model with one version, whose champion is protected."""
    life = Life()
    life.decided(decide.register(life.state, version(1), None))
    life.under = 2
    return life


@LIFE
@given(lives())
def test_the_same_request_again_writes_nothing(life: Life) -> None:
    """What is fulfilled already needs no event: a retry is not a twin."""
    for version in life.state.versions:
        if version.said.key is not None:
            assert decide.register(life.state, version.said, None) == []
        for evaluation in version.evaluations:
            if evaluation.said.key is not None:
                assert decide.evaluate(life.state, evaluation.said) == []
        assert decide.label(life.state, version.number, version.labels) == []
        if version.retired:
            assert decide.retire(life.state, version.number, model=MODEL) == []
        else:
            assert decide.restore(life.state, version.number) == []


def walked(moves: tuple[Move, ...]) -> tuple[int, ...]:
    """The trail after these moves, as FORMAT.md tells it."""
    trail: list[int] = []
    holder = None
    for move in moves:
        if move.said.how == "rollback" and move.said.version in trail:
            del trail[len(trail) - 1 - trail[::-1].index(move.said.version) :]
        elif holder is not None:
            trail.append(holder)
        holder = move.said.version
    return tuple(trail)


@LIFE
@given(lives())
def test_a_rollback_walks_the_trail(life: Life) -> None:
    """A rollback without target goes to the newest earlier holder that may hold it, and takes the steps off the trail."""
    for name, alias in life.state.aliases.items():
        trail = walked(alias.moves)
        bad = life.state.versions[alias.version - 1].manifest if alias.version else None
        allowed = [n for n in trail if life.state.versions[n - 1].manifest != bad and not life.state.versions[n - 1].retired]

        assert alias.trail == trail
        if alias.version is None or not allowed:
            with pytest.raises(FlowregError):
                decide.rollback(life.state, name, None, model=MODEL)
        else:
            assert decide.rollback(life.state, name, None, model=MODEL).version == allowed[-1]


@LIFE
@given(lives())
def test_a_rollback_that_is_undone_leaves_no_trace_but_the_history(life: Life) -> None:
    """Holders, trails of one step, and what is retired are as before."""
    for name in life.state.aliases:
        before = life.state
        with contextlib.suppress(FlowregError):
            move = decide.rollback(before, name, None, model=MODEL)
            life.say(move, *decide.retire_left(before, move), because="worse")
            life.say(*decide.undo_rollback(life.state, name, model=MODEL), because="not so bad")

            assert life.state.aliases[name].version == before.aliases[name].version
            assert [v.retired for v in life.state.versions] == [v.retired for v in before.versions]
            assert life.state.retired_bytes == before.retired_bytes
            assert life.state.voids == before.voids


@LIFE
@given(lives())
def test_barred_bytes_hold_no_alias(life: Life) -> None:
    """Whatever the number, and whoever registers them again."""
    for manifest in life.state.retired_bytes:
        life.decided(decide.register(life.state, version(0).model_copy(update={"manifest": manifest}), None))
        for same in life.state.same_bytes(manifest):
            assert same.retired
            assert life.state.held_by(same.number) == ()


@LIFE
@given(lives())
def test_metrics_that_are_not_numbers_are_kept(life: Life) -> None:
    """NaN and infinities stand in the state as they were said."""
    for version in life.state.versions:
        for evaluation in version.evaluations:
            again = codec.decode(codec.encode(evaluation.said.model_dump(exclude_none=True)))
            for name, value in evaluation.said.metrics.items():
                assert math.isfinite(value) or again["metrics"][name] in ("NaN", "Infinity", "-Infinity")
