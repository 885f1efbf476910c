"""Policy files from strangers: each is read, or refused with its line; none is executed, none blows up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowreg.errors import BadInput
from flowreg.gates import Policy
from flowreg.gates.written import read_text

BOMB = "a: &a [x, x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20))


@pytest.mark.parametrize(
    ("text", "said", "where"),
    [
        (BOMB, "no anchors (&) and aliases (*)", "line 1, column 4"),
        ("a: *b", "no anchors (&) and aliases (*)", "line 1, column 4"),
        ("policy: !!python/object/apply:os.system ['touch /tmp/x']", "a policy has no tags", "line 1, column 9"),
        ("policy: !x y", "a policy has no tags", "line 1, column 9"),
        ("policy: a\nmodels: [b]\npolicy: c", "the key 'policy' is given twice", "line 3, column 1"),
        ("gates:\n- {expr: a > 1, expr: b > 1}", "the key 'expr' is given twice", "line 2, column 17"),
        ("policy: a\non: holdout", "YAML reads 'on' as True", "line 2, column 1"),
        ("1: a", "YAML reads '1' as 1", "line 1, column 1"),
        ("? [a]\n: b", "a key is text", "line 1, column 3"),
        ("<<: {a: b}", "'<<' cannot be read", "line 1, column 1"),
        ("policy: a\n---\npolicy: b", "a second document", "line 2, column 1"),
        ("policy: [a", "this is not YAML", "line 1"),
        ("policy: a\n\tmodels: b", "this is not YAML", "line 2"),
        ("policy: \x00", "this is not YAML", ""),
        ("", "the text is empty", ""),
        ("# nothing", "the text is empty", ""),
        ("---", "a policy is a mapping, not None", ""),
        ("- a", "a policy is a mapping, not ['a']", ""),
        ("just text", "a policy is a mapping, not 'just text'", ""),
        ("x: " + "[" * 5000, "nested at most", "line 1"),
        ("[" * 200_000, "nested at most", "line 1"),
        ("{" * 200_000, "a key is text, not a list or a mapping", "line 1"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "cannot be read", ""),
        ('{"policy": "a", "policy": "b"}', "the key 'policy' is given twice", ""),
        ('{"policy": NaN}', "NaN is not JSON", ""),
        ('{"policy": ' + "9" * 10_000 + "}", "cannot be read", ""),
        ("policy: " + "9" * 10_000, "cannot be read", "line 1, column 9"),
        ("policy: 2026-13-45", "cannot be read", "line 1, column 9"),
        ("policy: " + "a" * 1_000_000, "at most 256 KiB", ""),
        ("é" * 200_000, "at most 256 KiB", ""),
    ],
)
def test_hostile_text_is_refused(text, said, where):
    """What JSON could not say, what is too large, and what YAML reads in a surprising way is refused, with its line."""
    with pytest.raises(BadInput) as caught:
        Policy.parse(text)

    assert said in caught.value.what
    assert caught.value.where.startswith(where)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("policy: 2026-11-01", "policy is text, not date '2026-11-01'"),
        ("alias: no", "alias is text, not False"),
        ("decision_ttl: 24:00", "decision_ttl is text, not 1440"),
        ("dataset: 2026", "dataset is text, not 2026"),
    ],
)
def test_what_yaml_takes_for_something_else_wants_quotes(line, said):
    """A value that YAML turns into a date, a number or a truth is named as such, with its line and the remedy."""
    good = {"policy": "policy: a", "models": "models: [b]", "alias": "alias: champion", "gates": "gates: [auc > 1]"}
    text = "\n".join((good | {line.split(":")[0]: line}).values())
    with pytest.raises(BadInput) as caught:
        Policy.parse(text)

    assert said in caught.value.what
    assert caught.value.do == "put it in quotes"
    assert f"line {text.splitlines().index(line) + 1}, column 1" in caught.value.where


def test_a_comma_in_braces_is_explained():
    """YAML cuts an unquoted expression at its comma; the error says so."""
    with pytest.raises(BadInput, match="put the expression in quotes"):
        Policy.parse("policy: a\nmodels: [b]\nalias: champion\ngates: [{expr: max(a, b) > 1}]")


def test_plain_values_are_read_as_they_stand():
    """YAML and JSON give the same plain values, and the place of each key and item."""
    written = read_text("a: [x, {b: 1}]\nc: true\nd: 0.5\n")

    assert (
        written.content == {"a": ["x", {"b": 1}], "c": True, "d": 0.5} == read_text('{"a": ["x", {"b": 1}],\t"c": true, "d": 0.5}').content
    )
    assert written.line_of(("a", 1, "b")) == (1, 9)
    assert written.line_of(("d", "unknown")) == (3, 1)
    assert written.line_of(("unknown",)) is None


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.text("policy:[]{}*&!|>-\n\t '\"#%@`?,0aé\x85\ufeff", max_size=60)))
def test_every_text_is_a_policy_or_bad_input(text):
    """Whatever stands in a file, reading it ends in a value or in ``BadInput``."""
    try:
        read_text(text)
    except BadInput:
        return
