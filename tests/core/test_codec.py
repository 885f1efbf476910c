"""Exact bytes: what is read strictly, what is refused and how it is said."""

from __future__ import annotations

import json
import math
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flowreg.core import codec, events
from flowreg.core.events import By, Envelope, Evaluated, Labelled, Unknown
from flowreg.errors import BadInput


def raw_of(*events: Any, **other: Any) -> bytes:
    said = {"seq": 1, "model": "churn", "id": "i", "at": "2026-11-22T09:14:03.120Z", "by": By(actor="ana")}
    return codec.encode_entry(Envelope(**{**said, "events": events or (Labelled(version=1, labels={"a": "b"}),), **other}))


REFUSED = {
    "nothing": b"",
    "spaces": b" {}",
    "a space at the end": b"{} ",
    "a line end": b"{}\n",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a duplicate key": b'{"a":1,"a":1}',
    "keys out of order": b'{"b":1,"a":1}',
    "NaN": b'{"a":NaN}',
    "Infinity": b"[Infinity]",
    "an overflowing number": b"[1e400]",
    "minus zero": b"[-0]",
    "minus zero as a float": b"[-0.0]",
    "a trailing zero": b"[1.50]",
    "a float that is whole": b"[1.0]",
    "an exponent without need": b"[1e2]",
    "a capital exponent": b"[1E+22]",
    "a leading zero": b"[01]",
    "an integer that is not exact": b"[9007199254740993]",
    "a long integer that is no double": b"[12345678901234567891]",
    "digits that a double does not need": b"[0.1000000000000000055]",
    "a lone surrogate": b'["\\ud800"]',
    "an escaped letter": b'["\\u0061"]',
    "an escaped slash": b'["\\/"]',
    "a bare control character": b'["\x01"]',
    "invalid UTF-8": b'["\xff"]',
    "overlong UTF-8": b'["\xc0\xaf"]',
    "a comment": b"[1/**/]",
    "a trailing comma": b"[1,]",
    "two values": b"{}{}",
    "33 levels": b"[" * 33 + b"]" * 33,
    "a million levels": b"[" * 10**6,
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_canonical_is_not_read(raw: bytes) -> None:
    """There is one spelling of each value, and nothing else is one."""
    with pytest.raises(BadInput):
        codec.decode(raw)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        2**53,
        -(2**53),
        10**400,
        "\ud800",
        {"\udfff": 1},
        {1: 2},
        {None: 1},
        b"bytes",
        {1, 2},
        pytest.param(object(), id="object"),
        1j,
    ],
    ids=repr,
)
def test_what_has_no_exact_form_is_not_written(value: Any) -> None:
    """Refused, not bent."""
    with pytest.raises(BadInput):
        codec.encode([value])


def test_32_levels_are_written_and_33_are_not() -> None:
    """The bound is where the format says it is."""
    value: Any = []
    for _ in range(31):
        value = [value]

    assert codec.decode(codec.encode(value)) == value
    with pytest.raises(BadInput, match="nested too deeply"):
        codec.encode([value])


@pytest.mark.parametrize(
    "value", [2.0**53, 1e16, 123456789012345680.0, 2.0**63, 2.0**64, 1e20, 1e21, 5e-324, 1.7976931348623157e308, -1e17]
)
def test_large_doubles_come_back_as_they_went(value: float) -> None:
    """RFC 8785 writes 1e16 like an integer; it is a double all the same, wherever it stands."""
    for holder in (value, [value], {"a": {"b": [0, value]}}):
        read = codec.decode(codec.encode(holder))

        assert read == holder
        assert codec.encode(read) == codec.encode(holder)


def test_a_large_metric_is_no_reason_to_lose_an_entry() -> None:
    """A count of 10^16 rows is a metric like any other."""
    raw = raw_of(Evaluated(version=1, metrics={"rows": 1e16, "flops": -3e18}))

    slot = codec.decode_entry(raw, model="churn", seq=1)

    assert isinstance(slot, codec.Entry)
    assert slot.said.events[0].metrics == {"rows": 1e16, "flops": -3e18}


def test_an_entry_that_would_be_too_long_is_refused_before() -> None:
    """With what to do instead."""
    with pytest.raises(BadInput, match="bytes; 1048576 are allowed") as error:
        raw_of(Labelled(version=1, labels={"a": "x" * codec.ENTRY_LIMIT}))

    assert (error.value.code, "files of the artifact" in str(error.value)) == ("too-long", True)


def test_a_newer_format_is_void_and_says_so() -> None:
    """It is not read, and it is known that only a newer flowreg can."""
    raw = raw_of().replace(b'"format":1', b'"format":2')

    slot = codec.decode_entry(raw, model="churn", seq=1)

    assert isinstance(slot, codec.Void)
    assert slot.newer
    assert "newer flowreg" in slot.reason


@pytest.mark.parametrize("written", [b"0", b"-1", b"true", b'"1"', b"1.5", b"null", b"[1]", b"{}"])
def test_a_format_that_is_no_number_from_1_on_is_junk(written: bytes) -> None:
    """``true`` equals 1 in Python, and nowhere else."""
    slot = codec.decode_entry(raw_of().replace(b'"format":1', b'"format":' + written), model="churn", seq=1)

    assert isinstance(slot, codec.Void)
    assert not slot.newer


def test_unknown_kinds_and_fields_are_kept() -> None:
    """A reader keeps what it does not know, with every field, and gives the same bytes again."""
    raw = raw_of(Unknown(kind="teleported", to="mars"), extra=[1, {"a": None}])

    slot = codec.decode_entry(raw, model="churn", seq=1)

    assert isinstance(slot, codec.Entry)
    assert codec.unknown_kinds(slot) == ("teleported",)
    assert slot.said.model_extra == {"extra": [1, {"a": None}]}
    assert codec.encode_entry(slot.said) == raw


DIGEST = "sha256:" + "ab" * 32
ONE_OF_EACH = (
    events.VersionRegistered(version=1, manifest=DIGEST, loader="files", size_bytes=1, file_count=1, labels={"team": "ops"}),
    events.Evaluated(version=1, metrics={"auc": math.inf}, dataset="july"),
    events.Labelled(version=1, labels={"team": None}),
    events.Decided(decision=DIGEST, outcome="waiting", alias="champion", version=1, manifest=DIGEST, policy="p", policy_digest=DIGEST),
    events.Approved(
        version=1, manifest=DIGEST, alias="champion", verdict="rejected", base=3, generation=2, policy="p", policy_digest=DIGEST,
        person="bea", via="prefect", key="k",
    ),
    events.AliasMoved(alias="champion", version=1, base=2, how="rollback", undoes=7),
    events.Retired(version=1, manifest=DIGEST),
    events.Restored(version=1),
    events.BytesDropped(version=1, manifest=DIGEST),
    events.Held(version=1),
    events.Released(),
    events.Fenced(),
    events.RegistryCreated(nonce="n"),
    events.PolicySet(name="p", models=("churn", "risk/*"), alias="champion", digest=DIGEST, policy={"gates": ["auc >= 0.9"]}),
    events.PolicyRemoved(name="p"),
    events.PeopleSet(groups={"model-risk": ("ana", "bo"), "ops": ()}),
    events.ModelCreated(model="churn"),
    events.BlobsDoomed(digests=(DIGEST,)),
)  # fmt: skip


def test_every_kind_of_event_comes_back_as_it_went() -> None:
    """With its own type, every field, and the same bytes again; no kind is left out here."""
    assert [type(event) for event in ONE_OF_EACH] == list(events.KINDS)
    for event in ONE_OF_EACH:
        raw = raw_of(event)

        slot = codec.decode_entry(raw, model="churn", seq=1)

        assert isinstance(slot, codec.Entry)
        assert slot.said.events == (event,)
        assert codec.unknown_kinds(slot) == ()
        assert codec.encode_entry(slot.said) == raw


@pytest.mark.parametrize(
    ("event", "field"),
    [(event, field) for event in ONE_OF_EACH for field, told in type(event).model_fields.items() if told.is_required()],
    ids=lambda given: given if isinstance(given, str) else given.kind,
)
def test_an_event_without_a_field_it_needs_is_void(event: Any, field: str) -> None:
    """Nothing is made up for what an event has to say."""
    value = json.loads(raw_of(event))
    del value["events"][0][field]

    slot = codec.decode_entry(codec.encode(value) + b"\n", model="churn", seq=1)

    assert isinstance(slot, codec.Void)
    assert field in slot.reason


@pytest.mark.parametrize("field", ["by", "at", "id", "seq", "events", "format"])
def test_an_entry_without_a_field_it_needs_is_void_with_the_field_named(field: str) -> None:
    """The reason says what is missing."""
    value = json.loads(raw_of())
    del value[field]

    slot = codec.decode_entry(codec.encode(value) + b"\n", model="churn", seq=1)

    assert isinstance(slot, codec.Void)
    assert field in slot.reason


@pytest.mark.parametrize(
    ("at", "value"),
    [("seq", True), ("seq", "1"), ("seq", 0), ("under", -1), ("under", 1.5), ("at", "2026-11-22"), ("at", "٢٠٢٦-11-22T09:14:03.120Z"),
     ("by", "ana"), ("events", {}), ("registry", "sha256:00"), ("parent", "SHA256:" + "0" * 64), ("model", 5)],
)  # fmt: skip
def test_types_are_strict(at: str, value: Any) -> None:
    """Nothing is converted: text is no number, true is no 1, a digit is 0 to 9."""
    said = json.loads(raw_of())

    slot = codec.decode_entry(codec.encode({**said, at: value}) + b"\n", model="churn", seq=1)

    assert isinstance(slot, codec.Void)


@pytest.mark.parametrize("raw", [b"null\n", b"[]\n", b"1\n", b'"x"\n', b"{}\n", b"\n", b"\x00" * 4096, b"{" * 70000 + b"\n"])
def test_any_file_is_a_slot(raw: bytes) -> None:
    """Whatever lies in a journal is void with a reason, and never an exception."""
    slot = codec.decode_entry(raw, model="churn", seq=7)

    assert isinstance(slot, codec.Void)
    assert (slot.seq, slot.digest, bool(slot.reason)) == (7, codec.digest_of(raw), True)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=500, deadline=None)
@given(PLAIN)
@example([1e16])
@example([1e21, -0.0, 1.5])
@example({"\U0001f600": 1, "\uff5e": 2})
@example(["\x7f\x1f\u2028/"])
def test_what_is_canonical_at_a_glance_is_canonical(value: Any) -> None:
    """Whatever orjson writes: the quick look never accepts what ``encode`` would write differently."""
    try:
        raw = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (TypeError, orjson.JSONEncodeError):
        return

    try:
        read = codec.decode(raw)
    except BadInput:
        return
    assert codec.encode(read) == raw
