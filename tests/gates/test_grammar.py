"""Reading gate expressions: one canonical spelling, errors that point, and an end to every input."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowreg.errors import BadInput
from flowreg.gates.grammar import DEPTH_LIMIT, LENGTH_LIMIT, parse
from flowreg.gates.tree import UNITS, Call, Comparison, Metric, Negative, Number, Plain, Product, Sum


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("auc>=0.85", "auc >= 0.85"),
        ("  auc >=\n champion.auc-0.005 ", "auc >= champion.auc - 0.005"),
        ("latency_p95<=current.latency_p95*80 %", "latency_p95 <= current.latency_p95 * 80%"),
        ("latency_p95 <= 40ms", "latency_p95 <= 40 ms"),
        ("artifact.size <= 50MB", "artifact.size <= 50 MB"),
        ("abs(rate[sex=F]-rate[sex=M]) <= 3%", "abs(rate[sex=F] - rate[sex=M]) <= 3%"),
        ("recall[ region = * ] >= 0.70", "recall[region=*] >= 0.70"),
        ('fpr[age="65+"] < 5%', 'fpr[age="65+"] < 5%'),
        ('fpr[age="65"] < 5%', "fpr[age=65] < 5%"),
        ('fpr[age="*"] < 5%', 'fpr[age="*"] < 5%'),
        (r'fpr[name="a\"b\\c"] < 5%', r'fpr[name="a\"b\\c"] < 5%'),
        ("fpr[sex=F, age=old] < 5%", "fpr[age=old, sex=F] < 5%"),
        ("auc[dataset=stress] >= 0.8", "auc[dataset=stress] >= 0.8"),
        ("p@10 > v7.recall@5", "p@10 > v7.recall@5"),
        ("live.latency_p99 <= current.live.latency_p99 + 20 ms", "live.latency_p99 <= current.live.latency_p99 + 20 ms"),
        ("(a+b)*c - -d / (e*f) == max(a, b, 1e-5)", "(a + b) * c - -d / (e * f) == max(a, b, 1e-5)"),
        ("a - (b - c) != 0", "a - (b - c) != 0"),
        ("((auc)) > ((0.5))", "auc > 0.5"),
        ("max > min", "max > min"),
    ],
)
def test_an_expression_has_one_spelling(written, canonical):
    """However it is spaced and bracketed, an expression is written back in its canonical form, which means the same."""
    tree = parse(written)

    assert str(tree) == canonical
    assert parse(canonical) == tree


def test_names_say_whose_value_they_mean():
    """The first word of a dotted name is an alias, ``current``, a version, or a reserved word with plain numbers behind it."""
    assert parse("auc > champion.auc").names == (Metric(None, "auc"), Metric("champion", "auc"))
    assert parse("v12.auc > current.auc").names == (Metric(12, "auc"), Metric("current", "auc"))
    assert parse("data.age < canary.artifact.size").names == (Plain(None, "data.age"), Plain("canary", "artifact.size"))


@pytest.mark.parametrize(
    ("written", "column", "hint"),
    [
        ("", 1, "empty"),
        ("auc => 0.8", 5, "expected a comparison (>= <= > < == !=)"),
        ("auc = 0.8", 5, "expected a comparison"),
        ("auc", 4, "expected a comparison"),
        ("auc >", 6, "expected a name or a number"),
        ("auc >= 0.8 and f1 >= 0.7", 12, "one gate has one comparison"),
        ("auc[a=b] >= 0.8 or f1 > 1", 17, "one gate has one comparison"),
        ("0.7 < auc < 0.9", 11, "one gate has one comparison"),
        ("latency <= 5 days", 14, "'days' is not a unit: % ms s min h d KB"),
        ("sqrt(auc) > 1", 5, "the functions are abs, min and max"),
        ("auc > .5", 7, "a digit before the dot"),
        ("(auc > 1", 6, "expected ')'"),
        ("auc[region=] > 1", 12, "expected a value"),
        ("auc[region=a, region=b] > 1", 15, "region is given twice"),
        ("auc[a=*, b=*] > 1", 5, "one [key=*] for each gate"),
        ("auc[a=*] > f1[b=*]", 1, "one [key=*] for each gate"),
        ("auc[dataset=*] > 1", 5, "name one dataset"),
        ("artifact.size[a=b] > 1", 1, "artifact.size has no slices"),
        ("1 < 2", 1, "names nothing that is measured"),
        ("Champion.auc > 1", 1, "Champion is none of them"),
        ("newest.auc > 1", 1, "newest is none of them"),
        ("v0.auc > 1", 1, "v0 is none of them"),
        ("auc > 1e999", 7, "too large"),
        ("abs(a, b) > 1", 1, "abs takes one value"),
        ("1 < max(a)", 5, "max takes two values or more"),
        ("auc > \x1b[31m", 7, "expected a name"),
        ("__import__('os').system('ls') > 1", 11, "the functions are"),
        ("auc >= ٣", 8, "expected a name or a number"),
    ],
)
def test_an_unreadable_expression_is_shown_with_a_caret(written, column, hint):
    """The error shows the expression, a caret under the column where reading stopped, and what is allowed."""
    with pytest.raises(BadInput) as caught:
        parse(written)

    headline, shown, caret, said = caught.value.what.splitlines()
    assert headline == f"cannot read gate at column {column}:"
    assert len(shown) == len(written) + 4
    assert caret.index("^") == column + 3
    assert hint in said
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("text", ["-" * 400 + "a > 1", "abs(" * 80 + "a" + ")" * 80 + " > 1", "(1+" * 100 + "a" + ")" * 100 + " > 1"])
def test_deep_nesting_is_refused(text):
    """Signs, calls and sums nested beyond the limit are refused before they exhaust the stack."""
    with pytest.raises(BadInput, match=f"nested {DEPTH_LIMIT} deep"):
        parse(text)


def test_brackets_that_mean_nothing_may_be_many():
    """Brackets round a single name leave no trace."""
    assert str(parse("(" * 240 + "a" + ")" * 240 + " > 1")) == "a > 1"


def test_a_long_expression_is_refused():
    """The limit of characters is exact."""
    room = LENGTH_LIMIT - len(" > 1")

    assert parse("a" * room + " > 1").names[0] == Metric(None, "a" * room)
    with pytest.raises(BadInput, match=f"at most {LENGTH_LIMIT} characters, this one has {LENGTH_LIMIT + 1}"):
        parse("a" * (room + 1) + " > 1")


@pytest.mark.parametrize("given", [None, 5, b"auc > 1", ["auc > 1"]])
def test_only_text_is_an_expression(given):
    """Anything but text is refused by its type."""
    with pytest.raises(BadInput, match="is text, not"):
        parse(given)


PIECES = ["auc", "champion.", "v7.", "current.", "artifact.size", ".", "[", "]", "region", "=", "*", '"65+"', ",", "(", ")", "abs"]
PIECES += ["min(", "max(", "+", "-", "/", "%", " ", "0.85", "1e5", "40 ms", ">=", "<", "==", "!", "and", "é", "\x00", "\ud800"]


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=600), st.lists(st.sampled_from(PIECES), max_size=40).map("".join)))
def test_every_text_is_a_tree_or_bad_input(text):
    """Whatever is written, reading ends with a tree that spells itself, or with a refusal: never with anything else."""
    try:
        tree = parse(text)
    except BadInput:
        return
    if len(str(tree)) <= LENGTH_LIMIT:
        assert parse(str(tree)) == tree


words = st.sampled_from(["auc", "p@10", "recall_south", "größe", "max", "data"])
values = st.text(st.characters(exclude_categories=["Cs"]), min_size=0, max_size=6)
slices = st.dictionaries(st.sampled_from(["region", "sex", "Alter"]), values, max_size=2).map(lambda d: tuple(sorted(d.items())))
starred = st.sampled_from([(), (("region", None),)])
owners = st.sampled_from([None, "champion", "current", 7])
names = st.one_of(
    st.builds(Metric, owners, words, slices | starred, st.none() | values),
    st.builds(Plain, owners, st.sampled_from(["artifact.size", "live.a.b"])),
)
numbers = st.builds(Number, st.sampled_from(["0", "0.850", "1e-5", "12E+3"]), st.sampled_from(["", *UNITS]))


def _compound(node):
    return st.one_of(
        st.builds(Negative, node),
        st.builds(Sum, node, st.lists(st.tuples(st.sampled_from("+-"), node), min_size=1, max_size=3).map(tuple)),
        st.builds(Product, node, st.lists(st.tuples(st.sampled_from("*/"), node), min_size=1, max_size=3).map(tuple)),
        st.builds(Call, st.just("abs"), st.tuples(node)),
        st.builds(Call, st.sampled_from(["min", "max"]), st.lists(node, min_size=2, max_size=3).map(tuple)),
    )


nodes = st.recursive(names | numbers, _compound, max_leaves=8)
comparisons = st.builds(Comparison, nodes, st.sampled_from([">=", ">", "<=", "<", "==", "!="]), nodes)


@settings(max_examples=400, deadline=None)
@given(comparisons.filter(lambda tree: tree.names and len(str(tree)) <= LENGTH_LIMIT))
def test_a_printed_tree_reads_back_as_itself(tree):
    """Printing loses nothing: brackets, signs, quotes and units come back as they were."""
    assert parse(str(tree)) == tree
