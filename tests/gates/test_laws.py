"""The laws of judging, for facts of every shape: only evidence leads to a yes, and less of it never does."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from flowreg.gates import Subject

METRICS = ("auc", "f1")
REGIONS = ("north", "south")
EXPRESSIONS = [
    "auc >= 0.5", "auc != 0.1", "f1 < 0.9", "abs(auc - f1) <= 0.2",
    "max(auc, f1) > 0.3", "auc >= champion.auc - 0.1", "f1 * 2 >= current.f1",
    "auc[region=north] > 0.2", "auc[region=*] >= 0.3", "f1[region=*] >= champion.f1[region=*] * 50%", "artifact.size < 100",
    "artifact.size <= current.artifact.size", "auc >= v3.auc", "auc[dataset=stress] >= auc - 0.3", "auc / f1 > 0.5",
]  # fmt: skip


@st.composite
def gates(draw):
    """A gate of any kind; a star says how many slices there must be, since what is not recorded cannot be missed."""

    def one():
        expr = draw(st.sampled_from(EXPRESSIONS))
        fields = {"expr": expr, "min_n": draw(st.sampled_from([None, 5])) if not expr.startswith("artifact") else None}
        return fields | ({"slices_min": len(REGIONS)} if "*]" in expr else {})

    kind = draw(st.sampled_from(["expr", "expr", "expr", "any_of", "metadata"]))
    if kind == "metadata":
        return {"check": "metadata", "require": ["owner"]}
    gate = one() if kind == "expr" else {"any_of": [one(), one()]}
    return gate | {"severity": draw(st.sampled_from(["fail", "fail", "fail", "warn"]))}


values = st.sampled_from([0.1, 0.3, 0.5, 0.6, 0.8])
broken = st.sampled_from([math.nan, math.inf, -math.inf, None, "0.9", "", True, 10**400, [], {}])


@st.composite
def things(draw, bench, value):
    """Each thing measured at most once: (metric, slice, data set), some with other digests, counts and orders."""
    found = []
    for metric in METRICS:
        for region in (None, *REGIONS):
            for dataset in ("holdout", "stress"):
                if draw(st.integers(0, 9)):
                    at = {} if region is None else {"region": region}
                    digest = draw(st.sampled_from([bench.AA] * 8 + [bench.BB, None]))
                    n, order = draw(st.sampled_from([9, 9, 9, 9, 4, None])), draw(st.integers(1, 3))
                    found.append(bench.measured(metric, draw(value), on=dataset, digest=digest, n=n, order=order, **at))
    return found


@st.composite
def cases(draw, bench, value=values):
    """A policy, and the evidence about candidate, holder and a third version."""
    subjects = {}
    for number in (7, 5, 3):
        plain = draw(st.sampled_from([{"artifact.size": 50.0}, {"artifact.size": 200.0}, {}]))
        paths = draw(st.sampled_from([{"owner": "ana"}, {}]))
        subjects[number] = bench.subject(number, draw(things(bench, value)), plain=plain, paths=paths)
    head = {"no_baseline": draw(st.sampled_from(["fail", "skip"])), "dataset": "holdout"}
    return [*draw(st.lists(gates(), min_size=1, max_size=4)), "auc > 0.01"], subjects, head, draw(st.booleans())


def decide(bench, case, subjects):
    rules, _, head, held = case
    return bench.decide(rules, subjects[7], subjects[5] if held else None, facts={"versions": {3: subjects[3]}}, **head)


def without_a_thing(subject, draw):
    """One thing less: all measurements of it, or a plain number, or something that was written."""
    options = (
        [("measured", m) for m in subject.measured] + [("plain", key) for key in subject.plain] + [("paths", key) for key in subject.paths]
    )
    if not options:
        return subject
    where, what = draw(st.sampled_from(options))
    kept = {
        "measured": tuple(m for m in subject.measured if where != "measured" or m is not what),
        "plain": {key: value for key, value in subject.plain.items() if where != "plain" or key != what},
        "paths": {key: value for key, value in subject.paths.items() if where != "paths" or key != what},
    }
    return Subject(subject.ref, subject.number, subject.manifest, **kept)


@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_less_evidence_never_turns_a_no_into_a_yes(bench, data):
    """Taking away anything that was measured or written, of anybody, leaves a blocked candidate blocked."""
    case = data.draw(cases(bench))
    subjects = dict(case[1])
    before = decide(bench, case, subjects).outcome
    number = data.draw(st.sampled_from(sorted(subjects)))
    subjects[number] = without_a_thing(subjects[number], data.draw)
    after = decide(bench, case, subjects).outcome

    assert not (before == "blocked" and after == "promote")


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_broken_values_never_promote(bench, data):
    """NaN, infinity, nothing, text, truth and numbers beyond bounds: a candidate made of them is never promoted."""
    case = data.draw(cases(bench, broken))

    assert decide(bench, case, case[1]).outcome == "blocked"


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_yes_rests_on_every_gate(bench, data):
    """A promotion has no gate in its way and something measured, and each passing comparison really holds."""
    case = data.draw(cases(bench))
    decision = decide(bench, case, case[1])

    if decision.outcome == "promote":
        assert not decision.failing()
        assert any(result.status in ("pass", "fail") for result in decision.results)
    for result in decision.results:
        if result.headroom is not None and result.status == "pass":
            assert result.headroom >= 0
