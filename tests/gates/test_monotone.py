"""The laws of judging over every kind of gate: less evidence never turns a no into a yes, and nothing but evidence is a yes."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flowreg.gates import PerExample

from . import every_kind as kinds

MEASURED = [None, 0.2, 0.4, 0.6, 0.8]
BROKEN = [math.nan, math.inf, -math.inf, None, "0.9", "", True, 10**400, [], {}]
PARTS = ("owner", "use", "signature", "contents", "drifted", "size", "error")


@st.composite
def parts(draw):
    """What there may be about one version, and what was measured: at most one value for each thing."""
    values = {
        "owner": draw(st.sampled_from([None, "ana"])), "use": draw(st.sampled_from([None, "scoring"])),
        "signature": draw(st.sampled_from(kinds.SIGNATURES)), "contents": draw(st.sampled_from([None, *kinds.CONTENTS])),
        "drifted": draw(st.sampled_from(kinds.DRIFTS)), "size": draw(st.sampled_from([None, 50.0, 200.0])),
        "error": draw(st.sampled_from([None, 0.1, 0.2, 0.9])),
    }  # fmt: skip
    values["measured"] = {where: value for where in (None, "n", "s") if (value := draw(st.sampled_from(MEASURED))) is not None}
    return values


def subject(bench, number, values):
    measured = [
        bench.measured("auc", value, n=9, **({} if where is None else {"region": where})) for where, value in values["measured"].items()
    ]
    return kinds.subject(number, **{**values, "measured": measured})


words = st.lists(st.tuples(st.sampled_from(kinds.MEMBERS), st.sampled_from([True] * 4 + [False]), st.sampled_from(kinds.STALE)), max_size=6)
gates = st.lists(st.sampled_from(sorted(kinds.GATES)), min_size=1, max_size=4, unique=True)


def decide(bench, case):
    names, candidate, holder, said, people, answer, no_baseline = case
    facts = {
        "approvals": [kinds.word(actor, yes, seq, **other) for seq, (actor, yes, other) in said], "people": people,
        "authors": kinds.AUTHORS, "call": kinds.asking(answer),
    }  # fmt: skip
    held = None if holder is None else subject(bench, 5, holder)
    return bench.decide(
        [kinds.GATES[name] for name in names], subject(bench, 7, candidate), held, facts=facts, no_baseline=no_baseline
    ).outcome


@st.composite
def cases(draw):
    said = list(enumerate(draw(words)))
    holder = draw(st.one_of(st.none(), parts(), parts(), parts()))
    skip, answer = draw(st.sampled_from(["fail", "skip"])), draw(st.sampled_from(kinds.ANSWERS))
    return [draw(gates), draw(parts()), holder, said, kinds.PEOPLE, answer, skip]


def less(case):
    """Each way to take one piece of evidence away: a value, a paper, a yes, a member of a group, an answer."""
    for side in (1, 2):
        if case[side] is None:
            continue
        for name in PARTS:
            yield [*case[:side], {**case[side], name: None}, *case[side + 1 :]]
        for where in case[side]["measured"]:
            kept = {key: value for key, value in case[side]["measured"].items() if key != where}
            yield [*case[:side], {**case[side], "measured": kept}, *case[side + 1 :]]
    yield from ([*case[:3], [one for one in case[3] if one is not gone], *case[4:]] for gone in case[3] if gone[1][1])
    yield [*case[:5], None, case[6]]
    against = {actor for _, (actor, yes, _) in case[3] if not yes}  # whoever leaves a group takes a no along, which is no evidence
    for gone in {person for people in case[4].values() for person in people} - against:
        yield [*case[:4], {name: tuple(p for p in people if p != gone) for name, people in case[4].items()}, *case[5:]]


def check_law(bench, case):
    assume(decide(bench, case) != "promote")
    for poorer in less(case):
        assert decide(bench, poorer) != "promote", poorer


@settings(max_examples=60, deadline=None)
@given(case=cases())
def test_less_evidence_of_any_kind_never_turns_a_no_into_a_yes(bench, case):
    """Over all kinds of gate, and everything that can be taken away: what was not promoted is not promoted without it."""
    check_law(bench, case)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None)
@given(case=cases())
def test_less_evidence_never_helps_at_length(bench, case):
    """The same, fifty times as long."""
    check_law(bench, case)


@pytest.mark.parametrize("name", sorted(kinds.GATES))
def test_a_gate_of_any_kind_without_evidence_is_no_yes(bench, name):
    """A version about which nothing is known is promoted by no gate."""
    assert bench.decide(kinds.GATES[name], bench.subject(7)).outcome != "promote"
    assert bench.decide(kinds.GATES[name], bench.subject(7), bench.subject(5), no_baseline="skip").outcome != "promote"


class Bomb:
    """Whatever is asked of it raises."""

    def __getattr__(self, name):
        raise RuntimeError(f"no {name}")

    def __bool__(self):
        raise RuntimeError("no truth")

    def __iter__(self):
        raise RuntimeError("no parts")


@pytest.mark.parametrize("value", [*BROKEN, Bomb()], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("name", sorted(kinds.GATES))
def test_broken_evidence_of_any_kind_is_no_yes(bench, name, value):
    """NaN, infinity, nothing, text, truth, a number beyond bounds, an empty thing, an exception: in the place of all evidence at once."""

    def raising(*_):
        raise TimeoutError("too late")

    broken = bench.subject(
        7, [bench.measured("auc", value), bench.measured("auc", value, region="n"), bench.measured("auc", value, region="s")],
        plain={"artifact.size": value}, paths={"owner": value, "card": value, "signature": value}, contents=lambda scanner: value,
        drifted=value, examples=(PerExample("holdout", bench.AA, lambda: value, 9),),
    )  # fmt: skip
    facts = {"approvals": value, "people": {}, "call": raising}
    gate = {"check": "metadata", "require": ["owner.name"]} if name == "metadata" else kinds.GATES[name]
    if name.startswith("expr") and value is True:
        return  # a truth is stored as no measurement; expressions refuse it in test_laws

    assert bench.decide(gate, broken, bench.subject(5), facts=facts).outcome != "promote"
