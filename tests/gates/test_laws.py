"""The laws of judging, for facts of every shape: only evidence leads to a yes, and less of it never does."""

import math

from hypothesis import assume, given, settings
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

    kind = draw(st.sampled_from(["expr", "expr", "any_of", "metadata"]))
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
                    digest = draw(st.sampled_from([bench.AA] * 12 + [bench.BB, None]))
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
    return draw(st.lists(gates(), min_size=1, max_size=3)), subjects, head, draw(st.booleans())


def decide(bench, case, subjects):
    rules, _, head, held = case
    return bench.decide(rules, subjects[7], subjects[5] if held else None, facts={"versions": {3: subjects[3]}}, **head)


def ways_to_take_away(subject):
    """Each thing alone (each was measured or written once), all of one metric, all that was measured, and everything."""
    everything = [*subject.measured, *subject.plain, *subject.paths]
    of_metrics = [[m for m in subject.measured if m.metric == metric] for metric in METRICS]
    return [[thing] for thing in everything] + [gone for gone in [*of_metrics, list(subject.measured), everything] if gone]


def without(subject, gone):
    return Subject(
        subject.ref,
        subject.number,
        subject.manifest,
        measured=tuple(m for m in subject.measured if m not in gone),
        plain={key: value for key, value in subject.plain.items() if key not in gone},
        paths={key: value for key, value in subject.paths.items() if key not in gone},
    )


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_less_evidence_never_turns_a_no_into_a_yes(bench, data):
    """Taking away anything that was measured or written, of anybody, leaves a blocked candidate blocked."""
    case = data.draw(cases(bench))
    subjects = case[1]
    assume(decide(bench, case, subjects).outcome == "blocked")

    for number, subject in subjects.items():
        for gone in ways_to_take_away(subject):
            assert decide(bench, case, subjects | {number: without(subject, gone)}).outcome == "blocked", gone


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_broken_values_never_promote(bench, data):
    """NaN, infinity, nothing, text, truth and numbers beyond bounds: a candidate made of them is never promoted."""
    rules, *rest = data.draw(cases(bench, broken))
    case = ([*rules, "auc > 0.01"], *rest)

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
