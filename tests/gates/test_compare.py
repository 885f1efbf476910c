"""The gate that compares: its sentences, what it refuses, and that less evidence never helps."""

import json
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flowreg import Dataset, Policy, Registry
from flowreg.cli import report
from flowreg.errors import BadInput, Corrupt
from flowreg.gates import Compare, PerExample
from flowreg.gates.examples.table import Table, checked
from flowreg.gates.statistics import compared as comparison

N = 2000
RNG = np.random.default_rng(7)
Y = (RNG.random(N) < 0.3).astype(int)
SIGNAL = RNG.normal(size=N) + 1.8 * Y
NOISE = RNG.normal(size=(4, N))
REGION = np.array(["north", "south", "east", "west"])[np.arange(N) % 4]


def scored(noise, which, *, south=0.0, **more):
    """The table of a model whose scores have so much noise, and which is worse in the south."""
    score = SIGNAL + noise * NOISE[which] - south * Y * (REGION == "south")
    p = 1 / (1 + np.exp(0.9 - score))
    return {"id": np.arange(N), "y": Y, "score": p, "pred": (p > 0.5).astype(int), "region": REGION, **more}


GOOD, ALIKE, WORSE = scored(0.2, 1), scored(0.5, 2), scored(1.5, 3)
CHAMPION = scored(0.5, 0)


def examples(columns, *, on="holdout", digest="sha256:aa", n=N, order=1):
    return PerExample(on, digest, lambda: checked({name: np.asarray(values) for name, values in columns.items()}), n, order)


def compare(metric="roc_auc", test="superiority", **fields):
    return {"check": "compare", "metric": metric, "test": test, **fields}


@pytest.fixture(scope="session")
def judged(bench):
    """The decision of gates about two tables, or tuples of ``PerExample``."""

    def decide(gates, candidate=GOOD, champion=CHAMPION, **more):
        sides = []
        for number, tables in ((7, candidate), (5, champion)):
            tables = tables if isinstance(tables, tuple) else () if tables is None else (examples(tables),)
            sides.append(replace(bench.subject(number), examples=tables))
        return bench.decide(gates, *sides, **more)

    return decide


@pytest.fixture(scope="session")
def only(judged):
    """The one result of one gate; the outcome follows from it."""

    def result(gate, *sides, **more):
        decision = judged(gate, *sides, **more)
        (found,) = decision.results
        assert decision.outcome == ("promote" if found.status == "pass" else "blocked")
        return found

    return result


# Sentences and numbers.


def test_a_pass_says_both_values_the_difference_and_the_bound(only):
    """And the record has the numbers."""
    result = only(compare(test="non_inferiority", margin=0.004))

    assert result.status == "pass"
    assert result.sentence == (
        "roc_auc 0.8960 against champion's 0.8674: difference +0.0285, lower 95 % bound 0.021 > -0.004 (DeLong, n = 2,000)"
    )
    assert (result.method, result.n, result.seed) == ("DeLong", N, None)
    assert result.right + result.ci[0] < result.left < result.right + result.ci[1]
    assert result.headroom == pytest.approx(result.ci[0] + 0.004)


def test_what_is_inconclusive_blocks_and_says_how_many_more_would_settle_it(only):
    """About as many as bring the bound to the margin."""
    result = only(compare(test="non_inferiority", margin=0.004), ALIKE)

    assert result.status == "fail"
    assert "inconclusive: lower 95 % bound" in result.sentence
    assert result.sentence.endswith("more examples would settle it (DeLong, n = 2,000)")


def test_what_is_worse_fails_whatever_number_there_were(only):
    """Beyond the margin with confidence, no more examples are asked for."""
    result = only(compare(test="non_inferiority", margin=0.004), WORSE)

    assert result.status == "fail"
    assert result.sentence.endswith("< -0.004, so it is worse by more than the margin (DeLong, n = 2,000)")


def test_of_a_loss_less_is_better(only):
    """The difference is called an improvement, and is turned round."""
    result = only(compare("log_loss"))

    assert result.status == "pass"
    assert result.left < result.right
    assert "improvement +" in result.sentence
    assert only(compare("log_loss"), CHAMPION, GOOD).status == "fail"


@pytest.mark.parametrize(
    ("metric", "method"),
    [
        ("roc_auc", "DeLong"), ("auc", "DeLong"), ("accuracy", "Tango"), ("recall", "Tango"), ("fpr", "Tango"), ("log_loss", "paired t"),
        ("brier", "paired t"), ("mae", "paired t"), ("mse", "paired t"), ("f1", "bootstrap"), ("precision", "bootstrap"),
        ("pr_auc", "bootstrap"), ("rmse", "bootstrap"), ("reward", "bootstrap"),
    ],
)  # fmt: skip
def test_each_metric_has_its_method(only, metric, method):
    """Chosen by ``auto``, named in the result, and a better model passes by it; what was drawn says its seed."""
    candidate, champion = (scored(noise, which, reward=-noise + NOISE[which]) for noise, which in ((0.0, 1), (1.5, 0)))
    result = only(compare(metric, better="higher" if metric == "reward" else None), candidate, champion)

    assert (result.status, result.method) == ("pass", method)
    assert result.seed == (0 if method == "bootstrap" else None)


@pytest.mark.parametrize("method", ["bootstrap", "permutation"])
def test_a_method_may_be_chosen(only, method):
    """The seed of what is drawn is the policy's."""
    result = only(compare("accuracy", method=method, seed=3), scored(0.0, 1), WORSE)

    assert (result.status, result.method, result.seed) == ("pass", method, 3)
    assert (result.ci is None) == (method == "permutation")


def test_clusters_are_drawn_as_a_whole(only):
    """With a cluster the method is the bootstrap, and the bound is wider where the rows of a customer go together."""
    customer = np.arange(N) // 10
    candidate = scored(0.2, 1, customer=customer, reward=NOISE[0] + NOISE[1][customer])
    champion = scored(0.5, 0, customer=customer, reward=NOISE[0])
    alone, together = (only(compare("reward", better="higher", **more), candidate, champion) for more in ({}, {"cluster": "customer"}))

    assert together.method == "bootstrap"
    assert together.ci[1] - together.ci[0] > 2.5 * (alone.ci[1] - alone.ci[0])
    assert "there are 4 clusters, 50 needed" in only(compare(cluster="region")).sentence


def test_any_version_may_be_the_baseline(bench, only):
    """A number fixes it, an alias moves; the sentence says which."""
    third = {3: replace(bench.subject(3), examples=(examples(WORSE),))}
    result = only(compare(against="v3"), facts={"versions": third})

    assert result.status == "pass"
    assert "against churn@3's" in result.sentence
    assert Compare(**compare(against="v3")).owners == {None, 3}


# Slices.


def test_a_slice_that_is_worse_is_named(judged):
    """Better on average and worse in the south: blocked, and the south is named."""
    candidate = scored(0.0, 1, south=1.0)
    overall, by_region = judged([compare("recall", "no_harm"), compare("recall", "no_harm", slices="region")], candidate, WORSE).results

    assert overall.status == "pass"
    assert by_region.status == "fail"
    assert by_region.sentence.startswith("3/4 pass; south: recall ")
    assert "by Holm over 5 tests" in by_region.sentence
    assert [(part.gate, part.status) for part in by_region.parts] == [
        ("region=east", "pass"), ("region=north", "pass"), ("region=south", "fail"), ("region=west", "pass"),
    ]  # fmt: skip


def test_many_tests_for_harm_are_corrected_together(judged):
    """What is just significant alone is not among eight, in however many gates of a policy they stand; unless the policy says so."""
    apart = NOISE[1] - NOISE[1].mean() - 2.1 / N**0.5  # 2.1 standard errors below zero
    champion = {**CHAMPION, **{f"m{i}": NOISE[0] for i in range(8)}}
    candidate = {**CHAMPION, "m0": NOISE[0] + apart, **{f"m{i}": NOISE[0] - apart for i in range(1, 8)}}
    gates = [compare(f"m{i}", "no_harm", better="higher", method="t") for i in range(8)]
    together = judged(gates, candidate, champion).results
    alone = judged([gate | {"correction": "none"} for gate in gates], candidate, champion).results

    assert (alone[0].status, together[0].status) == ("fail", "pass")
    assert "by Holm over 8 tests" in together[0].sentence


def test_a_warning_does_not_soften_what_must_pass(judged):
    """Tests that only warn are corrected among themselves."""
    gates = [compare("recall", "no_harm"), *(compare(metric, "no_harm", severity="warn") for metric in ("f1", "accuracy"))]
    first, second, third = judged(gates).results

    assert "Holm" not in first.sentence
    assert "Holm over 2 tests" in second.sentence
    assert "Holm over 2 tests" in third.sentence


def test_one_of_several_ways_stands_alone(judged):
    """A part of any_of is not in the family: it is no test that every candidate has to pass."""
    gates = [compare("recall", "no_harm"), compare("f1", "no_harm"), {"any_of": [compare("accuracy", "no_harm"), "auc > 2"]}]
    first, _, either = judged(gates).results

    assert "by Holm over 2 tests" in first.sentence
    assert "Holm" not in either.sentence


def test_every_slice_must_be_as_good_and_large_enough(only):
    """Without ``no_harm`` each slice must pass; one with too few examples is an error."""
    assert only(compare(slices="region", test="non_inferiority", margin=0.1)).status == "pass"
    few = np.where(np.arange(N) < 90, "few", "many")
    result = only(compare(slices="group"), {**GOOD, "group": few}, CHAMPION)

    assert result.status == "error"
    assert "few: roc_auc can't be compared: there are 2" in result.sentence
    assert only(compare("accuracy", slices="region", min_n=501)).status == "error"


@pytest.mark.parametrize(("column", "reason"), [(np.arange(N), "2,000 values, and 200 slices"), (NOISE[0], "text or whole numbers")])
def test_what_is_no_slice_is_refused(only, column, reason):
    """An id or a measurement is no group."""
    assert reason in only(compare(slices="group"), {**GOOD, "group": column}, CHAMPION).sentence


# What cannot be compared.


def test_other_data_cannot_be_compared(only):
    """The sentence names both, and the command that measures the champion on the new data."""
    result = only(compare(), (examples(GOOD, digest="sha256:bb"),), (examples(CHAMPION, digest="sha256:aa"),))

    assert result.status == "error"
    assert result.sentence == (
        "roc_auc of churn@7 is from holdout (sha256:bb), roc_auc of champion (churn@5) from holdout (sha256:aa); "
        "run: flowreg evaluate churn@champion --on holdout --examples FILE"
    )


def test_the_newest_results_count(only):
    """Of several tables the last; the champion's is the last on the candidate's data."""
    old, new, elsewhere = examples(WORSE, order=1), examples(GOOD, order=2), examples(GOOD, on="other", order=3)

    assert only(compare(), (old, new, elsewhere), (examples(CHAMPION), examples(GOOD, digest="sha256:bb", order=9))).status == "pass"
    assert only(compare(), (replace(old, order=4), new, elsewhere)).status == "fail"


def test_one_policy_decides_on_one_content(bench, judged):
    """Metrics from a newer content of the dataset and a table from an older one are not mixed; the decision names the data."""
    candidate = replace(bench.subject(7, [bench.measured("roc_auc", 0.9, digest="sha256:bb", order=5)]), examples=(examples(GOOD),))
    decision = bench.decide(["roc_auc > 0.8", compare()], candidate, replace(bench.subject(5), examples=(examples(CHAMPION),)))
    alone = judged(compare())

    assert (
        "the examples of churn@7 are from holdout (sha256:aa), the newest for this policy is from holdout (sha256:bb)"
        in decision.results[1].sentence
    )
    assert (alone.dataset, alone.dataset_digest) == ("holdout", "sha256:aa")


MISSING = "has no per-example results on holdout; run: flowreg evaluate"


@pytest.mark.parametrize(
    ("candidate", "champion", "reason"),
    [
        (None, CHAMPION, f"churn@7 {MISSING} churn@7 --on holdout --examples FILE"),
        (GOOD, None, f"champion (churn@5) {MISSING} churn@champion --on holdout --examples FILE"),
        ((examples(GOOD, n=N + 1),), CHAMPION, "2,000 examples of churn@7 are there, its evaluation is of 2,001; run: flowreg evaluate"),
        (GOOD, (examples(CHAMPION, n=3000),), "2,000 examples of champion (churn@5) are there, its evaluation is of 3,000"),
        ({"id": np.arange(N), "y": Y}, CHAMPION, "the examples of churn@7 have no column score; they have 'id', 'y'"),
    ],
)
def test_what_is_missing_blocks_and_says_what_helps(only, candidate, champion, reason):
    """A table, a column, or some of the examples."""
    result = only(compare(), candidate, champion)

    assert result.status == "error"
    assert result.sentence.startswith(reason)


def test_data_without_a_name_cannot_be_compared(only):
    """Nobody's holdout is no holdout."""
    nameless = (examples(GOOD, on=None, digest=None),)

    assert "from data that has no name" in only(compare(), nameless, nameless, dataset=None).sentence


@pytest.mark.parametrize(
    ("leave", "candidate", "status"),
    [("fail", GOOD, "error"), ("skip", GOOD, "skip"), ("skip", None, "error"), ("skip", {"id": [1], "y": [1]}, "error")],
)
def test_without_a_baseline_the_policy_decides(bench, leave, candidate, status):
    """An error, or skipped by the policy's leave; a candidate without the results it needs is an error all the same."""
    subject = replace(bench.subject(7), examples=() if candidate is None else (examples(candidate, n=None),))
    decision = bench.decide(compare(), subject, None, no_baseline=leave)

    assert decision.outcome == "blocked"
    assert decision.results[0].status == status


def test_a_table_that_cannot_be_read_blocks(only):
    """The reason stands in the sentence."""

    def gone():
        raise Corrupt("the bytes of the examples of churn@7 are gone")

    result = only(compare(), (PerExample("holdout", "sha256:aa", gone, N, 1),))

    assert (result.status, result.sentence) == (
        "error",
        "the examples of churn@7 cannot be read: the bytes of the examples of churn@7 are gone",
    )


BROKEN = {
    "constant": {"score": np.full(N, 0.5), "pred": np.ones(N, dtype=int)},
    "one class": {"y": np.zeros(N, dtype=int)},
    "49 positives": {"y": (np.arange(N) < 49).astype(int)},
    "no truth of two": {"y": np.arange(N)},
    "text": {"score": np.array(["high"] * (N - 1) + ["low"]), "pred": np.array(["yes"] * (N - 1) + ["no"])},
    "huge": {"score": np.where(np.arange(N) % 2, 1e300, -1e300), "pred": np.where(np.arange(N) % 2, 1e300, -1e300)},
    "few": {name: np.asarray(column)[:40] for name, column in GOOD.items()},
    "nan": {"score": np.where(np.arange(N) == 3, math.nan, GOOD["score"]), "pred": np.where(np.arange(N) == 3, math.nan, 1.0)},
    "infinite": {"score": np.where(np.arange(N) == 3, math.inf, GOOD["score"]), "pred": np.where(np.arange(N) == 3, -math.inf, 1.0)},
}


METRICS = ["roc_auc", "accuracy", "recall", "fpr", "f1", "precision", "pr_auc", "log_loss", "brier", "balanced_accuracy"]


@pytest.mark.parametrize(("broken", "metric"), [(b, m) for b in BROKEN for m in METRICS if b != "huge" or m not in ("roc_auc", "pr_auc")])
def test_broken_results_never_pass(judged, broken, metric):
    """On either side or both, by whichever test: nothing that says nothing lets a candidate through."""
    bad = {**GOOD, **BROKEN[broken]}
    same = {name: values for name, values in BROKEN[broken].items() if name == "y" or broken == "few"}
    gates = [compare(metric), compare(metric, "non_inferiority", margin=0.5), compare(metric, "no_harm")]
    for sides in ((bad, {**CHAMPION, **same}), ({**CHAMPION, **same}, bad), (bad, bad)):
        results = judged(gates, *sides).results

        assert {result.status for result in results} == {"error"}, results[0].sentence


# What a policy may say.


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"test": "non_inferiority"}, "a test of non_inferiority needs a margin"),
        ({"margin": 0.1}, "a test of superiority has no margin"),
        ({"test": "non_inferiority", "margin": 0}, "margin cannot be 0"),
        ({"test": "non_inferiority", "margin": math.nan}, "margin cannot be nan"),
        ({"method": "tango"}, "roc_auc is not compared by Tango"),
        ({"method": "delong", "cluster": "customer"}, "roc_auc with a cluster is not compared by DeLong"),
        (
            {"metric": "recall", "test": "non_inferiority", "margin": 0.1, "method": "permutation"},
            "a permutation only tests for no difference",
        ),
        ({"metric": "zap"}, "is more 'zap' better, or less?"),
        ({"metric": "brier", "better": "higher"}, "of brier, lower is better"),
        ({"correction": "none"}, "which needs no correction"),
        ({"alpha": 0.5}, "alpha cannot be 0.5"),
        ({"against": "Champion"}, "cannot name an alias"),
        ({"margn": 0.1}, "'margn' is not a key of a compare gate"),
    ],
)
def test_what_means_nothing_is_refused(bench, fields, what):
    """When the policy is read, not when it judges."""
    with pytest.raises(BadInput) as caught:
        bench.policy({**compare(), **fields})

    assert what in caught.value.what


def test_a_policy_comes_back_from_json(bench):
    """Defaults are left out."""
    policy = bench.policy(
        compare("roc_auc", "non_inferiority", margin=0.004),
        compare("reward", "no_harm", better="higher", slices="region", cluster="customer", seed=4),
    )

    assert Policy.parse(json.loads(json.dumps(policy.to_json()))) == policy
    assert policy.to_json()["gates"][0] == {"check": "compare", "metric": "roc_auc", "test": "non_inferiority", "margin": 0.004}


def test_one_of_several_is_enough(judged):
    """Not better, but smaller: a part of any_of that is inconclusive does not stand in the way."""
    gate = {"any_of": [compare(), "artifact.size <= 50"]}
    decision = judged([compare(test="non_inferiority", margin=0.05), gate], ALIKE)

    assert [result.status for result in decision.results] == ["pass", "error"]
    assert judged([gate], GOOD).outcome == "promote"


def test_without_the_extra_the_gate_says_what_to_install():
    """A missing numpy is an error of that gate, and only of that."""
    code = """
import sys
sys.modules["numpy"] = None
from flowreg.gates import *
m = Measured("auc", 0.9, "holdout")
s = [Subject(f"churn@{n}", n, "sha256:" + "0" * 64, (m,), examples=(PerExample("holdout", None, lambda: 1 / 0),)) for n in (7, 5)]
gates = ["auc > 0.5", {"check": "compare", "metric": "auc", "test": "no_harm"}]
p = Policy(policy="p", models=["churn"], alias="champion", dataset="holdout", gates=gates)
f = Facts("churn", "champion", *s, 0, "", "", "ana", "1", "0")
print(*(f"{r.status} {r.sentence}" for r in judge(p, "sha256:" + "0" * 64, f).results), sep="\\n")
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.splitlines() == [
        "pass auc 0.9000 is above 0.5000",
        "error this gate needs numpy, which is not installed here; run: pip install 'flowreg[stats]'",
    ]


# Laws.


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_taking_results_away_never_turns_a_no_into_a_yes(judged, data):
    """A whole table, of either side; or examples of either table or both: fewer than the evaluation says is an error."""
    tests = st.sampled_from([{"test": "superiority"}, {"test": "no_harm"}, {"test": "non_inferiority", "margin": 0.02}])
    gates = [compare(data.draw(st.sampled_from(["roc_auc", "recall", "f1", "brier"])), **data.draw(tests)) for _ in range(2)]
    sides = [data.draw(st.sampled_from([GOOD, ALIKE, WORSE, CHAMPION])) for _ in range(2)]
    assume(judged(gates, *sides).outcome == "blocked")
    kept = np.sort(np.random.default_rng(data.draw(st.integers(0, 99))).permutation(N)[: data.draw(st.integers(0, N - 1))])
    fewer = [{name: np.asarray(column)[kept] for name, column in side.items()} for side in sides]

    for mine in (sides[0], fewer[0], None):
        for theirs in (sides[1], fewer[1], None):
            assert judged(gates, mine, theirs).outcome == "blocked"


def test_tables_are_read_once_and_only_if_asked(judged):
    """However many gates compare; a policy without one reads nothing."""
    read = []

    def counted(columns):
        return PerExample("holdout", "sha256:aa", lambda: read.append(1) or Table(columns), N, 1)

    judged([compare(metric) for metric in ("roc_auc", "recall", "brier")], (counted(GOOD),), (counted(CHAMPION),))
    judged({"check": "metadata", "require": ["owner"]}, (counted(GOOD),), (counted(CHAMPION),))

    assert len(read) == 2


def test_each_comparison_is_made_once(judged, monkeypatch):
    """Also where those for harm are corrected together, for which each gate needs the numbers of all."""
    made, compare_once = [], comparison.compare
    monkeypatch.setattr(comparison, "compare", lambda *args: made.append(args) or compare_once(*args))
    judged([compare(metric, "no_harm", slices="region") for metric in ("recall", "f1", "accuracy")])

    assert len(made) == 3 * 4


# How often a holdout was used.


@pytest.mark.parametrize(("before", "warned"), [(0, False), (18, False), (19, True), (22, True)])
def test_a_worn_out_holdout_is_warned_about(judged, before, warned):
    """From the 20th decision on one content of a dataset; it blocks nothing."""
    decision = judged(compare(), facts={"uses": {("holdout", "sha256:aa"): before, ("holdout", "sha256:bb"): 99}})

    assert decision.outcome == "promote"
    assert decision.warnings == (
        (f"holdout has been used {before + 1} times to decide about churn; a fresh holdout is due",) if warned else ()
    )


def test_the_warning_is_shown_under_the_gates(judged):
    """Where a person reads the decision."""
    decision = judged(compare(), facts={"uses": {("holdout", "sha256:aa"): 40}})

    assert "holdout has been used 41 times" in str(list(report.judged(decision)))
    assert "has been used" not in str(list(report.judged(judged(compare()))))


# In a registry.


@pytest.mark.parametrize("kind", ["npz", "parquet"])
def test_a_registry_compares_what_was_recorded(tmp_path, kind):
    """Evaluate two versions with their examples, promote by a test; the record has its numbers, and the 20th decision its warning."""
    registry, on = Registry(tmp_path / "registry"), Dataset(name="holdout", digest="sha256:aa", rows=N)

    def evaluated(ref, columns):
        path = tmp_path / f"examples.{kind}"
        np.savez_compressed(path, **columns) if kind == "npz" else pd.DataFrame(columns).to_parquet(path)
        registry.evaluate(ref, {"roc_auc": 0.9}, on=on, examples=path)

    for weight, columns in enumerate((CHAMPION, GOOD, WORSE)):
        evaluated(registry.register("churn", {"w": weight}, trust="pickle"), columns)
    registry.promote("churn@1", to="champion")
    registry.set_policy(Policy(policy="p", models=["churn"], alias="champion", dataset="holdout", gates=[compare()]))

    assert not registry.judge("churn@3", to="champion").warnings
    registry.promote("churn@2", to="champion")
    (decision,) = registry.decisions("churn@2")
    assert (decision.outcome, decision.dataset_digest) == ("promote", "sha256:aa")
    assert decision.results[0].method == "DeLong"
    assert decision.results[0].ci[0] > 0
