"""The approval gate: who is asked, what their words are about, and for how long they hold."""

from dataclasses import replace

import pytest

from flowreg.gates.facts import Approval as Word

from .conftest import POLICY_DIGEST

PEOPLE = {"model-risk": ("ben", "eva"), "legal": ("kim",)}
GATE = {"check": "approval", "by": ["model-risk"], "count": 2, "not_author": True, "valid_days": 14}
MEASURED = {"auc": 0.9}


def word(actor, approved=True, **rest):
    fields = {
        "at": "2026-11-21T09:00:00.000Z", "reason": "looks right", "version": 7, "manifest": f"sha256:{7:064x}", "alias": "champion",
        "base": 5, "generation": 3, "policy_digest": POLICY_DIGEST, "seq": 10,
    }  # fmt: skip
    return Word(actor=actor, approved=approved, **{**fields, **rest})


def ask(bench, *words, gate=GATE, authors=None, people=PEOPLE):
    facts = {"approvals": words, "people": people, "authors": authors or {}}
    return bench.decide(["auc >= 0.5", gate], MEASURED, MEASURED, facts=facts)


def test_enough_people_of_the_group_let_it_pass(bench):
    """Two of model-risk said yes."""
    decision = ask(bench, word("ben"), word("eva"))

    assert decision.outcome == "promote"
    assert decision.results[1].sentence == "2 of 2 (ben, eva)"


def test_one_is_missing_and_is_waited_for(bench):
    """What is missing is said, and the decision waits instead of being blocked."""
    decision = ask(bench, word("ben"))

    assert decision.outcome == "waiting"
    assert decision.results[1].sentence == "1 of 2 (ben): waits for model-risk"


def test_a_failed_gate_blocks_though_people_are_awaited(bench):
    """Waiting is only for what people alone can settle."""
    assert bench.decide(["auc >= 0.95", GATE], MEASURED, MEASURED, facts={"people": PEOPLE}).outcome == "blocked"


def test_a_no_blocks_with_its_reason(bench):
    """One of those who are asked said no."""
    decision = ask(bench, word("ben"), word("eva", approved=False, reason="labels leak [region=*]"))

    assert decision.outcome == "blocked"
    assert decision.results[1].sentence == "eva said no: labels leak [region=*]"


def test_the_last_word_of_a_person_counts(bench):
    """A yes after a no is a yes; a no after a yes is a no; two words of one person are one person."""
    assert ask(bench, word("eva", False, seq=9), word("eva", seq=10), word("ben")).outcome == "promote"
    assert ask(bench, word("eva", seq=9), word("eva", False, seq=10), word("ben")).outcome == "blocked"
    assert ask(bench, word("eva", seq=9), word("eva", seq=10)).outcome == "waiting"


@pytest.mark.parametrize(
    "other",
    [
        {"version": 6}, {"manifest": "sha256:" + "b" * 64}, {"alias": "canary"}, {"base": 4}, {"base": None}, {"generation": 2},
        {"policy_digest": "sha256:" + "c" * 64}, {"at": "2026-11-01T09:00:00.000Z"},
    ],
)  # fmt: skip
def test_a_word_about_something_else_does_not_count(bench, other):
    """Other bytes, another alias, holder, moment or policy, or too long ago: it is waited for a new one."""
    assert ask(bench, word("ben"), replace(word("eva"), **other)).outcome == "waiting"


def test_a_later_word_about_something_else_takes_nothing_back(bench):
    """A policy that came and went: what was said about the present one still stands. So does a yes that was said again."""
    assert ask(bench, word("ben", seq=1), word("ben", seq=2, policy_digest="sha256:" + "c" * 64), word("eva")).outcome == "promote"
    assert ask(bench, word("ben", seq=1), word("ben", seq=2, at="2026-10-01T09:00:00.000Z"), word("eva")).outcome == "promote"


def test_a_no_about_something_else_blocks_nothing(bench):
    """A no to an earlier holder is void as a yes would be."""
    assert ask(bench, word("ben"), word("eva"), word("ben", False, generation=2, seq=1)).outcome == "promote"


@pytest.mark.parametrize("did", ["registered it", "evaluated it", "asked for its promotion"])
def test_who_had_a_hand_in_it_does_not_count(bench, did):
    """Four eyes: an author's yes is named, and not counted."""
    decision = ask(bench, word("ben"), word("eva"), authors={"eva": did})

    assert decision.outcome == "waiting"
    assert f"eva {did} and does not count" in decision.results[1].sentence


def test_authors_count_where_the_policy_does_not_mind(bench):
    """Without ``not_author`` the same words are enough."""
    assert ask(bench, word("ben"), word("eva"), gate={**GATE, "not_author": False}, authors={"eva": "registered it"}).outcome == "promote"


def test_strangers_are_not_asked(bench):
    """Neither the yes nor the no of somebody outside the group counts."""
    assert ask(bench, word("ben"), word("mallory")).outcome == "waiting"
    assert ask(bench, word("ben"), word("eva"), word("mallory", approved=False)).outcome == "promote"


def test_people_are_named_by_group_or_by_themselves(bench):
    """``by`` may name a person; an unknown group has no members."""
    gate = {"check": "approval", "by": ["legal", "zoe"]}

    assert ask(bench, word("zoe"), gate=gate).outcome == "promote"
    assert ask(bench, word("kim"), gate=gate).outcome == "promote"
    nobody = ask(bench, word("kim"), gate=gate, people={})
    assert nobody.outcome == "waiting"


def test_a_word_without_a_moment_blocks(bench):
    """A time that cannot be read is an error, not a yes."""
    assert ask(bench, word("ben"), word("eva", at="soon")).results[1].status == "error"
