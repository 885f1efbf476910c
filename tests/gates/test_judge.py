"""Judging: what passes, what fails, and that whatever cannot be measured blocks and says why."""

import math
from decimal import localcontext

import pytest

from flowreg.core.decision import GateResult
from flowreg.gates import blocked_message
from flowreg.gates.judge import outcome_of


def only(decision):
    """The one result of a decision, after checking that the outcome follows from it."""
    (result,) = decision.results
    assert decision.outcome == ("promote" if result.status == "pass" else "blocked")
    return result


# What goes wrong elsewhere (each case passes, crashes or cannot be said in another registry).


def test_a_baseline_that_is_nan_blocks(bench):
    """A comparison with NaN says so and blocks, whichever way it points."""
    for gate in ("auc >= champion.auc - 0.005", "auc <= champion.auc", "auc != champion.auc"):
        result = only(bench.decide(gate, {"auc": 0.9}, {"auc": math.nan}))

        assert (result.status, result.sentence) == ("error", "champion.auc is nan")


def test_division_by_a_baseline_of_zero_blocks(bench):
    """A relative change from zero has no meaning; the sentence offers an absolute margin."""
    result = only(bench.decide("auc / champion.auc >= 1.01", {"auc": 0.9}, {"auc": 0}))

    assert result.status == "error"
    assert result.sentence.startswith("division by zero: champion.auc is 0")
    assert "absolute margin" in result.sentence


def test_no_worse_than_a_margin_can_be_said(bench):
    """A candidate may be a little below the champion, and no more than that."""
    gate = "auc >= champion.auc - 0.005"

    assert only(bench.decide(gate, {"auc": 0.861}, {"auc": 0.865})).status == "pass"
    assert only(bench.decide(gate, {"auc": 0.8599}, {"auc": 0.865})).status == "fail"


def test_no_baseline_blocks_with_a_reason(bench):
    """Where nobody holds the alias, a comparison blocks unless the policy gives leave."""
    result = only(bench.decide("auc >= champion.auc", {"auc": 0.9}, None))

    assert result.status == "error"
    assert "nobody holds champion of churn yet" in result.sentence
    assert "no_baseline: skip" in result.sentence


def test_arithmetic_is_decimal(bench):
    """0.3 is 0.2 + 0.1, and what a program does to its own decimals changes nothing."""
    with localcontext(prec=1):
        result = only(bench.decide("a == b + c", {"a": 0.3, "b": 0.2, "c": 0.1}))
        fine = only(bench.decide("a == b + c", {"a": 0.30001, "b": 0.2, "c": 0.10001}))

    assert (result.status, result.left, result.right, result.headroom) == ("pass", 0.3, 0.3, 0.0)
    assert (fine.status, fine.right) == ("pass", 0.30001)


# Sentences and numbers.


@pytest.mark.parametrize(
    ("gate", "value", "status", "sentence"),
    [
        ("auc >= 0.85", 0.8, "fail", "auc 0.8000 is below 0.8500"),
        ("auc >= 0.85", 0.85, "pass", "auc 0.8500 is at least 0.8500"),
        ("auc >= 0.85", 0.84999999, "fail", "auc 0.84999999 is below 0.85000000"),
        ("auc > 0.85", 0.85, "fail", "auc 0.8500 is not above 0.8500"),
        ("auc > 0.85", 0.86, "pass", "auc 0.8600 is above 0.8500"),
        ("auc <= 0.12", 0.2, "fail", "auc 0.2000 is above 0.1200"),
        ("auc <= 0.12", 0.12, "pass", "auc 0.1200 is at most 0.1200"),
        ("auc < 0.12", 0.12, "fail", "auc 0.1200 is not below 0.1200"),
        ("auc < 0.12", 0.1, "pass", "auc 0.1000 is below 0.1200"),
        ("auc == 5", 5, "pass", "auc 5 is equal to 5"),
        ("auc == 5", 6, "fail", "auc 6 is not equal to 5"),
        ("auc != 5", 5, "fail", "auc 5 is equal to 5"),
        ("auc != 5", 6, "pass", "auc 6 is different from 5"),
        ("0.85 <= auc", 0.8, "fail", "0.8500 is above auc 0.8000"),
        ("abs(auc) <= 2%", -0.03, "fail", "abs(auc) = 0.0300 is above 2% = 0.0200"),
        ("auc <= 40 ms", 0.05, "fail", "auc 0.0500 is above 40 ms = 0.0400"),
        ("auc >= 1e-7", 1.5e-7, "pass", "auc 0.00000015 is at least 0.00000010"),
        ("auc >= 1e20", 1e19, "fail", "auc 1E+19 is below 1e20"),
        ("-auc * 2 + 1 - min(auc, 0.1) / 2 >= 0", 0.5, "fail", "-auc * 2 + 1 - min(auc, 0.1) / 2 = -0.0500 is below 0.0000"),
        ("max(auc, 0.7) >= 0.6", 0.5, "pass", "max(auc, 0.7) = 0.7000 is at least 0.6000"),
        ("(auc - 1) * (auc + 1) < 0", 0.5, "pass", "(auc - 1) * (auc + 1) = -0.7500 is below 0.0000"),
    ],
)
def test_a_result_says_both_sides(bench, gate, value, status, sentence):
    """The sentence has both numbers, printed so that the difference is seen."""
    result = only(bench.decide(gate, {"auc": value}))

    assert (result.status, result.sentence) == (status, sentence.replace("1e20", "1E+20"))


@pytest.mark.parametrize(
    ("gate", "headroom"), [("auc >= 0.85", -0.05), ("auc <= 0.85", 0.05), ("auc == 0.85", -0.05), ("auc != 0.85", 0.05)]
)
def test_a_result_has_the_numbers_for_programs(bench, gate, headroom):
    """Left, right, headroom and the number of examples are there; a miss has a negative headroom."""
    result = only(bench.decide({"expr": gate, "id": "floor", "why": "Policy 4.2"}, {"auc": 0.8}))

    assert (result.gate, result.kind, result.why) == ("floor", "expression", "Policy 4.2")
    assert (result.left, result.right, result.headroom, result.n) == (0.8, 0.85, headroom, 1000)


@pytest.mark.parametrize(
    ("unit", "plain"),
    [
        ("%", 0.01),
        ("ms", 0.001),
        ("s", 1),
        ("min", 60),
        ("h", 3600),
        ("d", 86400),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("KiB", 2**10),
        ("MiB", 2**20),
        ("GiB", 2**30),
    ],
)
def test_units_become_fractions_seconds_and_bytes(bench, unit, plain):
    """Each unit is exactly its factor."""
    assert only(bench.decide(f"artifact.size == 3 {unit}", bench.subject(7, plain={"artifact.size": round(3 * plain, 6)}))).status == "pass"


# What cannot be measured.


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (math.nan, "auc is nan"),
        (math.inf, "auc is infinite"),
        (-math.inf, "auc is infinite"),
        (None, "auc is not a number but NoneType"),
        ("0.9", "auc is not a number but str"),
        (True, "auc is not a number but bool"),
        (10**400, "auc is too large"),
    ],
)
def test_what_is_no_finite_number_blocks(bench, value, said):
    """Only a finite number can pass, however it is compared."""
    for gate in ("auc >= 0.1", "auc <= 1e300", "auc != 5"):
        result = only(bench.decide(gate, {"auc": value}))

        assert (result.status, result.sentence) == ("error", said)


def test_a_result_too_large_to_keep_blocks(bench):
    """A product beyond every float is not compared."""
    assert only(bench.decide("auc * auc > 1", {"auc": 1e200})).sentence == "a number in it becomes too large"


def test_a_missing_metric_says_what_there_is(bench):
    """The sentence lists the metrics there are, and what may have been meant."""
    result = only(bench.decide("auc >= 0.8", {"accuracy": 0.9, "roc_auc": 0.9}))

    assert result.status == "error"
    assert result.sentence == "churn@7 has no metric 'auc' on holdout. It has: accuracy, roc_auc. Did you mean roc_auc?"


def test_no_metrics_at_all_says_how_to_get_them(bench):
    """A version that was never measured is sent to be measured."""
    assert only(bench.decide("auc >= 0.8")).sentence == "churn@7 has no metrics on holdout; run: flowreg evaluate churn@7 --on holdout"


def test_a_metric_from_another_data_set_does_not_count(bench):
    """With a data set in the policy, only measurements on it count; the sentence says where there is one."""
    result = only(bench.decide("auc >= 0.8", [bench.measured("auc", 0.9, on="train")]))

    assert result.sentence == "churn@7 has no metric 'auc' on holdout, only on train; run: flowreg evaluate churn@7 --on holdout"


def test_the_champion_is_measured_too_or_the_gate_blocks(bench):
    """A holder without the metric is no baseline of zero, and no leave to skip."""
    result = only(bench.decide("auc >= champion.auc", {"auc": 0.9}, {"f1": 0.5}, no_baseline="skip"))

    assert result.status == "error"
    assert result.sentence.startswith("champion (churn@5) has no metric 'auc' on holdout. It has: f1")
    assert only(bench.decide("auc >= champion.auc", {"auc": 0.9}, {}, no_baseline="skip")).status == "error"


def test_hostile_names_are_shown_escaped(bench):
    """What others recorded cannot write to a terminal through a sentence."""
    result = only(bench.decide("auc >= 0.8", {"\x1b[31mauc": 0.9, "x" * 5000: 1}))

    assert "\x1b" not in result.sentence
    assert len(result.sentence) < 400


@pytest.mark.parametrize("name", ["live.error_rate", "shadow.hours", "env.cuda", "artifact.size", "current.data.age"])
@pytest.mark.parametrize("comparator", ["<=", ">=", "!="])
def test_a_reserved_name_that_is_not_known_blocks(bench, name, comparator):
    """What lies behind a reserved name is there or the gate blocks, whichever way it compares."""
    decision = bench.decide(["auc > 0", f"{name} {comparator} 0.5"], bench.subject(7, {"auc": 1}, plain={"artifact.files": 1}), {"auc": 1})

    assert decision.outcome == "blocked"
    assert f"has no {name.removeprefix('current.')}. It has" in decision.results[1].sentence


def test_plain_numbers_are_compared(bench):
    """Sizes and ages come from the version itself and from the holder."""
    candidate, holder = bench.subject(7, plain={"artifact.size": 61_000_000}), bench.subject(5, plain={"artifact.size": 50_000_000})
    result = only(bench.decide("artifact.size <= current.artifact.size * 1.1", candidate, holder))

    assert result.sentence == "artifact.size 61000000 is above current.artifact.size * 1.1 = 55000000"
    assert result.n is None


def test_a_gate_that_breaks_blocks_with_its_text(bench):
    """An unexpected exception inside a gate is an error of that gate, and the others are still judged."""

    class Breaking(dict):
        def __contains__(self, key):
            raise RuntimeError("the disk is on fire")

    decision = bench.decide(["artifact.size > 1", "auc > 0.5"], bench.subject(7, {"auc": 0.9}, plain=Breaking()))

    assert [result.status for result in decision.results] == ["error", "pass"]
    assert decision.results[0].sentence == "the gate itself failed: RuntimeError: 'the disk is on fire'"
    assert decision.outcome == "blocked"


# The same data on both sides.


def test_different_test_sets_cannot_be_compared(bench):
    """The sentence names both data sets and gives the command that makes the comparison fair."""
    holder = [bench.measured("auc", 0.8, on="holdout-q3", digest=bench.BB)]
    result = only(bench.decide("auc >= champion.auc", {"auc": 0.9}, holder, dataset=None))

    assert result.status == "error"
    assert result.sentence == (
        "auc of churn@7 is from holdout (sha256:aaaaaaaa…), auc of champion (churn@5) from holdout-q3 (sha256:bbbbbbbb…); "
        "run: flowreg evaluate churn@champion --on holdout"
    )


@pytest.mark.parametrize(
    ("mine", "theirs", "status", "command"),
    [
        ("AA", "AA", "pass", None),
        (None, None, "pass", None),
        ("AA", "BB", "error", "flowreg evaluate churn@champion --on holdout"),
        ("AA", None, "error", "flowreg evaluate churn@champion --on holdout"),
        (None, "AA", "error", "flowreg evaluate churn@7 --on holdout"),
    ],
)
@pytest.mark.parametrize("dataset", ["holdout", None])
def test_one_name_with_two_contents_cannot_be_compared(bench, dataset, mine, theirs, status, command):
    """Digests must agree; unknown on both sides is accepted, unknown on one is not."""
    digests = {"AA": bench.AA, "BB": bench.BB, None: None}
    candidate, holder = ([bench.measured("auc", 0.9, digest=digests[side])] for side in (mine, theirs))
    result = only(bench.decide("auc >= champion.auc", candidate, holder, dataset=dataset))

    assert result.status == status
    assert command is None or command in result.sentence


def test_data_without_a_name_cannot_be_compared(bench):
    """Two measurements on data nobody named may be on anything."""
    nameless = [bench.measured("auc", 0.9, on=None, digest=None)]
    result = only(bench.decide("auc >= champion.auc", nameless, nameless, dataset=None))

    assert result.status == "error"
    assert "measured on data that has no name" in result.sentence


def test_one_entry_may_compare_its_own_metrics_without_a_name(bench):
    """Two metrics recorded together are from the same data, named or not; recorded apart they are not."""
    together = [bench.measured(metric, 0.9, on=None, digest=None, order=4) for metric in ("auc", "f1")]
    apart = [together[0], bench.measured("f1", 0.9, on=None, digest=None, order=5)]

    assert only(bench.decide("auc >= f1", together, dataset=None)).status == "pass"
    assert only(bench.decide("auc >= f1", apart, dataset=None)).status == "error"


def test_the_newest_measurement_counts(bench):
    """Of two values for the same thing the later one counts, on the data that the policy names."""
    measured = [bench.measured("auc", 0.9, order=3), bench.measured("auc", 0.7, order=8), bench.measured("auc", 0.95, on="train", order=9)]

    assert only(bench.decide("auc >= 0.8", measured)).left == 0.7
    assert only(bench.decide("auc >= 0.8", measured, dataset=None)).left == 0.95
    assert only(bench.decide("auc[dataset=holdout] >= 0.8", measured, dataset=None)).left == 0.7


def test_the_champion_is_read_on_the_candidates_data(bench):
    """A champion that was measured again elsewhere is still comparable where both were measured."""
    holder = [bench.measured("auc", 0.8, order=1), bench.measured("auc", 0.99, digest=bench.BB, order=9)]
    result = only(bench.decide("auc >= champion.auc", {"auc": 0.9}, holder))

    assert (result.status, result.right) == ("pass", 0.8)


def test_a_decision_is_about_one_content_of_its_data_set(bench):
    """Metrics from two contents of one data set do not add up to a decision on it."""
    measured = [bench.measured("auc", 0.9, order=1), bench.measured("f1", 0.9, digest=bench.BB, order=2)]
    decision = bench.decide(["auc > 0.5", "f1 > 0.5"], measured)

    assert [result.status for result in decision.results] == ["error", "pass"]
    assert (
        "auc of churn@7 is from holdout (sha256:aaaaaaaa…), the newest for this policy from holdout (sha256:bbbbbbbb…)"
        in decision.results[0].sentence
    )
    assert (decision.dataset, decision.dataset_digest, decision.outcome) == ("holdout", bench.BB, "blocked")


def test_a_warning_does_not_choose_the_data(bench):
    """Which content a decision is about is said by the gates that must pass, however new the value behind a warning."""
    measured = [bench.measured("auc", 0.9, order=1), bench.measured("f1", 0.9, digest=bench.BB, order=2)]
    decision = bench.decide(["auc > 0.5", {"expr": "f1 > 0.5", "severity": "warn"}], measured)

    assert [result.status for result in decision.results] == ["pass", "error"]
    assert (decision.dataset_digest, decision.outcome) == (bench.AA, "promote")


def test_another_data_set_can_be_named_on_purpose(bench):
    """A gate may compare the candidate with itself on a stress set, but not a data set with itself."""
    measured = [bench.measured("auc", 0.9), bench.measured("auc", 0.84, on="stress", digest=bench.BB, order=2)]
    gate = "auc[dataset=stress] >= auc - 0.05"

    assert only(bench.decide(gate, measured)).sentence == "auc[dataset=stress] 0.8400 is below auc - 0.05 = 0.8500"
    assert "both from stress" in only(bench.decide(gate, measured, dataset=None)).sentence


def test_a_named_data_set_does_not_excuse_another_subject(bench):
    """The champion's value on other data is no baseline, even where the gate names the data."""
    measured = [bench.measured("auc", 0.9), bench.measured("auc", 0.95, on="easy", digest=bench.BB)]

    assert only(bench.decide("auc[dataset=easy] >= champion.auc", measured, {"auc": 0.93})).status == "error"


# Who is compared with.


def test_aliases_versions_and_current_are_looked_up(bench):
    """``current`` and the alias's own name are its holder; other aliases and versions are who they name."""
    facts = {
        "aliases": {"canary": bench.subject(6, {"auc": 0.7}), "champion": bench.subject(1, {"auc": 0.1})},
        "versions": {3: bench.subject(3, {"auc": 0.6})},
    }
    gates = ["auc > champion.auc", "auc > current.auc", "auc > canary.auc", "auc > v3.auc"]
    decision = bench.decide(gates, {"auc": 0.9}, {"auc": 0.8}, facts=facts)

    assert [result.right for result in decision.results] == [0.8, 0.8, 0.7, 0.6]


def test_the_holder_of_the_alias_is_who_the_facts_say(bench):
    """What the decision is bound to is the holder; a gathered alias of the same name does not stand in for nobody."""
    decision = bench.decide("auc > champion.auc", {"auc": 0.9}, facts={"aliases": {"champion": bench.subject(1, {"auc": 0.1})}})

    assert (decision.base, only(decision).status) == (None, "error")


def test_a_version_that_is_not_there_is_never_skipped(bench):
    """Leave to go without a baseline is for aliases; a version that the policy names must exist."""
    result = only(bench.decide("auc > v3.auc", {"auc": 0.9}, no_baseline="skip"))

    assert (result.status, result.sentence) == ("error", "churn has no version 3 to compare with")


def test_the_candidate_may_hold_the_alias_already(bench):
    """A version compared with itself is neither better nor worse."""
    self = bench.subject(7, [bench.measured("auc", 0.9, on=None, digest=None)])

    assert only(bench.decide("auc >= champion.auc", self, self, dataset=None)).status == "pass"
    assert only(bench.decide("auc > champion.auc", self, self, dataset=None)).status == "fail"


@pytest.mark.parametrize(
    ("policy", "gate", "status"), [("fail", None, "error"), ("skip", None, "skip"), ("fail", "skip", "skip"), ("skip", "fail", "error")]
)
def test_leave_to_go_without_a_baseline(bench, policy, gate, status):
    """The gate's own word wins over the policy's; a skip is shown and promotes only beside something measured."""
    decision = bench.decide([{"expr": "auc >= champion.auc", "no_baseline": gate}, "auc >= 0.8"], {"auc": 0.9}, no_baseline=policy)

    assert [result.status for result in decision.results] == [status, "pass"]
    assert decision.outcome == ("promote" if status == "skip" else "blocked")
    assert decision.base is None


@pytest.mark.parametrize("candidate", [{}, {"auc": math.nan}, {"f1": 0.9}])
def test_a_skip_hides_no_error_of_the_candidate(bench, candidate):
    """Without a champion the candidate's own value must still be sound."""
    assert only(bench.decide("auc >= champion.auc", candidate, no_baseline="skip")).status == "error"


def test_a_skip_hides_no_error_of_a_slice(bench):
    """Without a champion every slice of the candidate must still be sound."""
    measured = [bench.measured("auc", value, region=region) for region, value in {"north": 0.9, "south": math.nan}.items()]

    assert only(bench.decide("auc[region=*] >= champion.auc[region=*]", measured, no_baseline="skip")).status == "error"
    assert bench.decide("auc[region=*] >= champion.auc[region=*]", measured[:1], no_baseline="skip").results[0].status == "skip"


def test_a_metric_with_a_dot_is_no_absent_alias(bench):
    """A name that was meant as a metric is not skipped as an alias that nobody holds."""
    result = only(bench.decide(["eval.auc >= 0.9 * auc"], {"auc": 0.9, "eval.auc": 0.1}, no_baseline="skip"))

    assert result.status == "error"
    assert "eval.auc means auc of eval" in result.sentence


def test_only_skips_promote_nothing(bench):
    """If all gates were skipped nothing speaks for the candidate, and the message says what would."""
    decision = bench.decide("auc >= champion.auc", {"auc": 0.9}, no_baseline="skip")

    assert decision.outcome == "blocked"
    assert blocked_message(decision) == (
        "churn@7 may not become champion: not one gate was measured (1 of 1 skipped), so nothing speaks for it; "
        "add a gate that needs no baseline, such as auc >= 0.85"
    )


# Severity, examples, slices.


def test_a_warning_is_shown_and_does_not_block(bench):
    """A gate of severity warn may fail or be unmeasurable; the decision says so and goes by the others."""
    warnings = [{"expr": "f1 >= 0.9", "severity": "warn"}, {"expr": "brier <= 0.1", "severity": "warn"}]
    decision = bench.decide(["auc > 0.5", *warnings], {"auc": 0.9, "f1": 0.1})

    assert [(result.severity, result.status) for result in decision.results] == [("fail", "pass"), ("warn", "fail"), ("warn", "error")]
    assert (decision.outcome, decision.failing()) == ("promote", ())


def test_unmeasured_warnings_alone_promote_nothing(bench):
    """A policy of warnings still needs one that was measured."""
    gate = {"expr": "auc >= 0.9", "severity": "warn"}

    assert bench.decide(gate, {}).outcome == "blocked"
    assert bench.decide(gate, {"auc": 0.1}).outcome == "promote"


@pytest.mark.parametrize(
    ("n", "status", "said"), [(300, "pass", "at least"), (299, "error", "has 299 examples, 300 needed"), (None, "error", "does not say")]
)
def test_too_few_examples_block(bench, n, status, said):
    """A value from too few examples, or from nobody knows how many, decides nothing."""
    gate = {"expr": "auc >= champion.auc", "min_n": 300}

    for candidate_n, holder_n in ((n, 1000), (1000, n)):
        measured = ([bench.measured("auc", 0.9, n=count)] for count in (candidate_n, holder_n))
        result = only(bench.decide(gate, *measured))
        assert result.status == status
        assert said in result.sentence


def regions(bench, metric="recall", n=1000, **values):
    return [bench.measured(metric, value, n=n, region=region) for region, value in values.items()]


def test_every_slice_must_pass(bench):
    """One weak slice fails the gate; the sentence says which and by how much, the parts have all."""
    result = only(bench.decide("recall[region=*] >= 0.70", regions(bench, north=0.8, east=0.7, south=0.69, west=0.9)))

    assert (result.status, result.sentence) == ("fail", "3/4 pass; south: 0.69, short by 0.01")
    assert (result.left, result.right, result.headroom) == (0.69, 0.7, -0.01)
    assert [(part.gate, part.status) for part in result.parts] == [
        ("region=east", "pass"), ("region=north", "pass"), ("region=south", "fail"), ("region=west", "pass"),
    ]  # fmt: skip


def test_passing_slices_say_which_is_closest(bench):
    """A pass shows the slice with the least to spare."""
    result = only(bench.decide("fpr[region=*] <= 5%", regions(bench, "fpr", north=0.01, south=0.049999)))

    assert result.sentence == "2/2 pass; closest is south: 0.049999, 0.000001 to spare"


def test_many_failing_slices_are_counted(bench):
    """The sentence names the worst few, and counts the rest."""
    result = only(bench.decide("recall[region=*] >= 0.70", regions(bench, **{f"r{place}": place / 100 for place in range(10)})))

    assert result.sentence == (
        "0/10 pass; r0: 0, short by 0.7; r1: 0.01, short by 0.69; r2: 0.02, short by 0.68; r3: 0.03, short by 0.67; "
        "r4: 0.04, short by 0.66; and 5 more"
    )


def test_a_slice_with_too_few_examples_blocks(bench):
    """Each slice needs its examples."""
    measured = [*regions(bench, north=0.8), *regions(bench, west=0.8, n=212)]
    result = only(bench.decide({"expr": "recall[region=*] >= 0.7", "min_n": 300}, measured))

    assert (result.status, result.sentence) == (
        "error",
        "1/2 pass; region=west has 212 examples, 300 needed. The gate can't decide; it blocks",
    )


def test_too_few_slices_block(bench):
    """How many slices there must be is the policy's to say; none at all is always too few."""
    gate = {"expr": "recall[region=*] >= 0.7", "slices_min": 3}
    result = only(bench.decide(gate, regions(bench, north=0.8, south=0.9)))

    assert (result.status, result.sentence) == ("error", "[region=*] matches 2 slices, 3 needed. The gate can't decide; it blocks")
    assert only(bench.decide("recall[region=*] >= 0.7", {"recall": 0.9})).status == "error"
    assert only(bench.decide("recall[region=*] >= 0.7", [bench.measured("recall", 0.9, sex="F")])).status == "error"


def test_a_slice_that_lacks_the_metric_blocks(bench):
    """A slice that was recorded for another metric does not go unseen."""
    result = only(bench.decide("recall[region=*] >= 0.7", [*regions(bench, north=0.8), *regions(bench, "fpr", north=0.1, south=0.1)]))

    assert result.status == "error"
    assert "churn@7 has no recall for region=south on holdout. It has: region=north" in result.sentence


@pytest.mark.parametrize("weak", ["candidate", "holder"])
def test_slices_are_compared_one_by_one(bench, weak):
    """Each slice is compared with the same slice of the champion; one that is missing on either side blocks."""
    gate = "wape[region=*] <= champion.wape[region=*] * 1.1"
    full, part = regions(bench, "wape", north=0.1, south=0.2), regions(bench, "wape", north=0.1)

    assert only(bench.decide(gate, full, full)).status == "pass"
    assert only(bench.decide(gate, regions(bench, "wape", north=0.12, south=0.1), full)).sentence == "1/2 pass; north: 0.12, over by 0.01"
    result = only(bench.decide(gate, *((part, full) if weak == "candidate" else (full, part))))
    assert result.status == "error"
    assert "has no wape for region=south" in result.sentence


def test_slices_are_of_one_content(bench):
    """A slice that only older data had is not mixed with the slices of the newest."""
    older = [bench.measured("recall", 0.1, digest=bench.BB, order=1, region="west")]
    newer = [bench.measured("recall", 0.8, order=2, region=region) for region in ("north", "south")]
    result = only(bench.decide("recall[region=*] >= 0.7", [*newer, *older]))

    assert [part.gate for part in result.parts] == ["region=north", "region=south"]


def test_a_single_slice_and_several_keys(bench):
    """A name picks the slice with exactly its keys; the star runs over one of them."""
    measured = [
        bench.measured("r", 0.9, region="north", sex="F"),
        bench.measured("r", 0.5, region="north", sex="M"),
        *regions(bench, "r", north=0.7),
    ]

    assert only(bench.decide("r[region=north] == 0.7", measured)).status == "pass"
    assert only(bench.decide("r[sex=F, region=north] == 0.9", measured)).status == "pass"
    assert only(bench.decide("r[region=*, sex=F] >= 0.8", measured)).sentence.startswith("1/1 pass")
    assert "It has: region=north" in only(bench.decide("r[region=south] > 0", measured)).sentence


# Metadata and any_of.


@pytest.mark.parametrize("value", [None, "", "  ", math.nan, {}, [], {"a": None}, [""]])
def test_what_is_empty_was_not_said(bench, value):
    """Metadata must be there and say something."""
    gate = {"check": "metadata", "require": ["owner", "card.intended_use"]}
    result = only(bench.decide(gate, bench.subject(7, paths={"owner": "ana", "card": {"intended_use": value}})))

    assert (result.status, result.kind, result.sentence) == ("fail", "metadata", "churn@7 does not say card.intended_use")


@pytest.mark.parametrize("value", ["ana", 0, False, ["x"], {"a": 1}])
def test_what_is_said_is_enough(bench, value):
    """Zero and False say something."""
    gate = {"check": "metadata", "require": ["card.intended_use"]}

    assert only(bench.decide(gate, bench.subject(7, paths={"card": {"intended_use": value}}))).status == "pass"
    assert only(bench.decide(gate, bench.subject(7, paths={"card": value}))).status == "fail"


def test_one_of_several_is_enough(bench):
    """any_of passes by its first part that holds, whatever the others are."""
    gate = {"any_of": ["auc >= 0.95", "f1 >= 0.5", "missing >= 0"]}
    result = only(bench.decide(gate, {"auc": 0.9, "f1": 0.6}))

    assert (result.status, result.kind, result.gate) == ("pass", "any_of", "any of: auc >= 0.95 | f1 >= 0.5 | missing >= 0")
    assert result.sentence == "f1 0.6000 is at least 0.5000 (1 of 3 hold)"
    assert [part.status for part in result.parts] == ["fail", "pass", "error"]


@pytest.mark.parametrize(
    ("gates", "status"),
    [
        (["auc > 1", "f1 > 1"], "fail"),
        (["auc > 1", "missing > 1"], "error"),
        (["auc > champion.auc", "f1 > 1"], "fail"),
        (["auc > champion.auc", "f1 > champion.f1"], "skip"),
    ],
)
def test_none_of_several_blocks(bench, gates, status):
    """A part that was skipped is not a part that passed."""
    result = only(bench.decide({"any_of": gates, "no_baseline": "skip"}, {"auc": 0.9, "f1": 0.9}))

    assert result.status == status
    assert result.sentence.startswith("none of 2 holds: ")


# The decision.


def result(status, severity="fail"):
    return GateResult(gate="g", kind="expression", severity=severity, status=status, sentence="s")


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ([], "blocked"),
        (["pass"], "promote"),
        (["pass", "skip"], "promote"),
        (["skip"], "blocked"),
        (["pass", "fail"], "blocked"),
        (["pass", "error"], "blocked"),
        (["pass", "pending"], "waiting"),
        (["fail", "pending"], "blocked"),
        (["error", "pending"], "blocked"),
    ],
)
def test_the_outcome_follows_from_the_gates(statuses, outcome):
    """Promote needs every gate and one that was measured; waiting is for people only."""
    assert outcome_of([result(status) for status in statuses]) == outcome


def test_a_decision_is_bound_to_what_it_judged(bench):
    """Candidate, holder, move, policy and data are in the record, and so is what was asked."""
    decision = bench.decide(["auc >= champion.auc"], {"auc": 0.9}, {"auc": 0.8}, facts={"flow_run": "f-1"})

    assert (decision.candidate.version, decision.candidate.manifest) == (7, f"sha256:{7:064x}")
    assert (decision.base.version, decision.base.manifest, decision.generation) == (5, f"sha256:{5:064x}", 3)
    assert (decision.policy_name, decision.policy_digest) == ("basic", "sha256:" + "0f" * 32)
    assert decision.policy == {
        "policy": "basic", "models": ["churn"], "alias": "champion", "dataset": "holdout", "gates": [{"expr": "auc >= champion.auc"}],
    }  # fmt: skip
    assert (decision.dataset, decision.dataset_digest) == ("holdout", bench.AA)
    assert (decision.id, decision.asked_by, decision.flow_run, decision.outcome) == ("0199", "ana", "f-1", "promote")


def test_without_a_data_set_the_decision_names_the_one_that_was_used(bench):
    """If all evidence is from one piece of data it is named; else none is."""
    one = bench.decide(["auc > 0", "f1 > 0"], {"auc": 1, "f1": 1}, dataset=None)
    two = bench.decide(["auc > 0", "f1 > 0"], [bench.measured("auc", 1), bench.measured("f1", 1, on="train")], dataset=None)

    assert (one.dataset, one.dataset_digest, one.outcome) == ("holdout", bench.AA, "promote")
    assert (two.dataset, two.dataset_digest, two.outcome) == (None, None, "promote")


def test_the_message_says_why_gate_by_gate(bench):
    """One line says it all; then a line for each gate in the way, with the policy's reason."""
    decision = bench.decide(["f1 > 0", {"expr": "auc >= 0.85", "why": "Policy 4.2"}, "brier <= 0.1"], {"auc": 0.8, "f1": 1})

    assert blocked_message(decision).splitlines() == [
        "churn@7 may not become champion: auc 0.8000 is below 0.8500",
        "  fail    auc >= 0.85: auc 0.8000 is below 0.8500 (Policy 4.2)",
        "  error   brier <= 0.1: churn@7 has no metric 'brier' on holdout. It has: auc, f1.",
    ]


class Counted(tuple):
    """Measurements that count how often they are gone through."""

    walks = 0

    def __iter__(self):
        Counted.walks += 1
        return super().__iter__()


def test_measurements_are_indexed_once(bench):
    """Fifty gates over ten thousand measured values go through them once for each subject."""
    Counted.walks = 0
    measured = Counted(bench.measured(f"m{place}", 0.5, region=f"r{place}") for place in range(10_000))
    candidate, holder = (type(bench.subject(1))(f"churn@{n}", n, f"sha256:{n:064x}", measured) for n in (7, 5))
    gates = [f"m{place}[region=r{place}] >= champion.m{place}[region=r{place}]" for place in range(50)]

    assert bench.decide(gates, candidate, holder).outcome == "promote"
    assert Counted.walks == 2
