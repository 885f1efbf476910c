"""The schema gate: what the holder takes, the candidate must take."""

import pytest

from flowreg.core.signature import Field, Signature

AGE, CITY = Field("age", "int64", low=0, high=120), Field("city", "string", nullable=True)
BACKWARD = {"check": "schema", "compatible_with": "champion"}


def ask(bench, mine, theirs, gate=BACKWARD, **head):
    def subject(number, signature):
        paths = {} if signature is None else {"signature": signature.to_json() if isinstance(signature, Signature) else signature}
        return bench.subject(number, {}, paths=paths)

    holder = None if theirs == "nobody" else subject(5, theirs)
    return bench.decide(gate, subject(7, mine), holder, **head)


def of(*fields):
    return Signature(fields)


@pytest.mark.parametrize(
    ("mine", "said"),
    [
        (of(AGE, CITY, Field("income", "float64")), "income is a new input that must be there"),
        (of(Field("age", "int32", low=0, high=120), CITY), "age is int32, was int64"),
        (of(AGE, Field("city", "string")), "city may no longer be null"),
        (of(Field("age", "int64", low=18, high=120), CITY), "age starts at 18, was 0"),
        (of(Field("age", "int64", high=99), CITY), "age ends at 99, was 120"),
    ],
)
def test_a_candidate_that_takes_less_is_blocked(bench, mine, said):
    """A new input that must be there, a narrower type, a null no longer taken, a smaller range: each is named."""
    decision = ask(bench, mine, of(AGE, CITY))

    assert decision.outcome == "blocked"
    assert said in decision.results[0].sentence


@pytest.mark.parametrize(
    "mine",
    [
        of(AGE, CITY),
        of(CITY, AGE),
        of(AGE),
        of(Field("age", "int64"), CITY),
        of(Field("age", "int64", nullable=True), CITY),
        of(AGE, CITY, Field("income", "float64", nullable=True)),
        of(AGE, Field("city", "any", nullable=True)),
    ],
)
def test_a_candidate_that_takes_as_much_passes(bench, mine):
    """Another order, fewer inputs, a wider type or range, a new input that may be left out: every old request still fits."""
    assert ask(bench, mine, of(AGE, CITY)).outcome == "promote"


def test_equal_means_the_same_inputs(bench):
    """In mode ``equal`` a wider type is a difference too, an order is none."""
    gate = {**BACKWARD, "mode": "equal"}

    assert ask(bench, of(CITY, AGE), of(AGE, CITY), gate).outcome == "promote"
    blocked = ask(bench, of(Field("age", "float64"), Field("new", "bool")), of(AGE, CITY), gate)
    assert blocked.outcome == "blocked"
    assert "city is gone; age is float64, was int64 in [0, 120]; new is new" in blocked.results[0].sentence


@pytest.mark.parametrize(("mine", "theirs"), [(None, of(AGE)), (of(AGE), None), ({"inputs": [{"x": 1}]}, of(AGE)), ({"free": 1}, of(AGE))])
def test_what_has_no_signature_blocks(bench, mine, theirs):
    """A missing signature, or one in another form, of either side is an error that says whose."""
    decision = ask(bench, mine, theirs)

    assert decision.outcome == "blocked"
    assert decision.results[0].status == "error"
    assert "churn@7" in decision.results[0].sentence or "champion (churn@5)" in decision.results[0].sentence


def test_the_first_version_goes_only_where_the_policy_says_so(bench):
    """Nobody to compare with: an error, or a skip by leave; and the skip hides no missing signature."""
    gates = [BACKWARD, {"check": "metadata", "require": ["signature"]}]

    assert ask(bench, of(AGE), "nobody", gates).results[0].status == "error"
    assert ask(bench, of(AGE), "nobody", gates, no_baseline="skip").outcome == "promote"
    assert ask(bench, None, "nobody", gates, no_baseline="skip").results[0].status == "error"
