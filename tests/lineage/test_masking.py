"""Parameters are kept as plain JSON without secrets, however large, odd or hostile they are."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy
import pytest
from pydantic import BaseModel, SecretStr

from flowreg.lineage.masking import MASK, TEXT_LIMIT, TOTAL_LIMIT, VALUE_LIMIT, masked, masked_text, without_credentials

CANARY = "hunter2-canary"


@pytest.mark.parametrize(
    "name",
    ["password", "DB_PASSWORD", "dbPassword", "passwd", "pwd", "api_key", "apiKey", "APIKEY", "aws_secret_access_key", "token", "authToken",
     "hf-token", "credentials", "creds", "key", "SSHPassphrase", "connection_string", "Authorization", "session_cookie"],
)  # fmt: skip
def test_a_secret_is_hidden_by_its_name(name: str) -> None:
    """Whatever is in it, and however deep it lies."""
    given = {name: CANARY, "deep": {"er": [{name: {"user": CANARY}}]}}

    assert masked(given) == {name: MASK, "deep": {"er": [{name: MASK}]}}


@pytest.mark.parametrize("name", ["max_tokens", "author", "keyword", "monkey", "passenger_count", "tokenizer", "learning_rate", "path"])
def test_ordinary_names_stay_readable(name: str) -> None:
    """A name that only contains a piece of a secret word hides nothing."""
    assert masked({name: "seen"}) == {name: "seen"}


def test_a_secret_is_hidden_by_its_type() -> None:
    """A pydantic secret shows nothing, whatever it is called."""

    class Connection(BaseModel):
        host: str
        login: SecretStr

    given = {"a": SecretStr(CANARY), "b": [SecretStr(CANARY)], "c": Connection(host="lake", login=SecretStr(CANARY))}

    assert masked(given) == {"a": MASK, "b": [MASK], "c": {"host": "lake", "login": MASK}}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"s3://AKIA:{CANARY}@bucket/data?X-Amz-Signature={CANARY}#{CANARY}", "s3://bucket/data"),
        (f"read postgresql://ana:{CANARY}@db:5432/x then stop", "read postgresql://db:5432/x then stop"),
        (f"ana:{CANARY}@db:5432/x", "db:5432/x"),
        (f"Server=db;Password={CANARY};Timeout=5", f"Server=db;Password={MASK};Timeout=5"),
        (f'{{"api_key": "{CANARY}", "n": 3}}', f'{{"api_key": "{MASK}", "n": 3}}'),
        (f"Authorization: Bearer {CANARY}", f"Authorization: {MASK}"),
        (f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----", MASK),
        ("use ghp_0123456789abcdefghij now", f"use {MASK} now"),
        ("AKIAIOSFODNN7EXAMPLE", MASK),
        ("https://[bad", f"https://{MASK}"),
        ("plain text, a=b", "plain text, a=b"),
    ],
)
def test_a_secret_is_hidden_by_its_looks(text: str, shown: str) -> None:
    """URLs lose user, password, query and fragment; what looks like a credential is masked where it stands."""
    assert masked_text(text) == shown


def test_a_url_keeps_where_it_points() -> None:
    """Scheme, host, port and path stay."""
    assert without_credentials("https://u:p@host:8443/a/b.git?x=1") == "https://host:8443/a/b.git"


def test_values_become_plain_json() -> None:
    """Dates, enums, paths, numbers of numpy and non-finite floats are written as a person would read them."""

    class Kind(Enum):
        GBM = "gbm"

    @dataclass
    class Window:
        days: int
        unit: str

    given: dict[Any, Any] = {
        "day": datetime.date(2026, 11, 22), "wait": datetime.timedelta(hours=1), "id": UUID(int=1), "price": Decimal("1.50"),
        "kind": Kind.GBM, "where": Path("data/x.csv"), "window": Window(7, "days"), "rate": numpy.float64(0.5), "nan": float("nan"),
        "big": 2**60, "huge": 1 << 10_000, "flags": {True}, 3: None, "odd": "a\ud800b",
    }  # fmt: skip

    assert json.loads(json.dumps(masked(given), allow_nan=False)) == {
        "day": "2026-11-22", "wait": "1:00:00", "id": "00000000-0000-0000-0000-000000000001", "price": "1.50",
        "kind": "gbm", "where": "data/x.csv", "window": {"days": 7, "unit": "days"}, "rate": 0.5, "nan": "nan",
        "big": str(2**60), "huge": "<int of 10001 bits>", "flags": [True], "3": None, "odd": "a?b",
    }  # fmt: skip


def test_what_is_not_plain_is_named_by_its_type() -> None:
    """Neither data nor the repr of an unknown object gets in."""

    class Client:
        def __repr__(self) -> str:
            return CANARY

    given = {"frame": numpy.zeros((1000, 5)), "raw": CANARY.encode(), "client": Client()}

    assert masked(given) == {"frame": "<ndarray (1000, 5)>", "raw": f"<bytes of {len(CANARY)} bytes>", "client": "<Client>"}


def test_an_object_whose_code_fails_costs_only_itself() -> None:
    """The other parameters are still recorded."""

    class Broken:
        @property
        def shape(self) -> tuple[int, ...]:
            raise RuntimeError(CANARY)

    assert masked({"broken": Broken(), "n": 1}) == {"broken": "<Broken>", "n": 1}


def test_long_texts_and_containers_are_cut() -> None:
    """A cut text says how long it was; a cut container how many items it had."""
    given = {"text": "x" * 50_000_000, "items": list(range(1_000_000)), "table": {str(i): i for i in range(1000)}}

    plain = masked(given)

    assert plain["text"] == "x" * TEXT_LIMIT + "… (50000000 characters)"
    assert plain["items"][-1] == "… (1000000 items)"
    assert plain["table"]["…"] == "1000 items"
    assert len(json.dumps(plain)) < 5000


def test_the_work_is_bounded_whatever_the_shape() -> None:
    """Nesting, width in every level, and a container that holds itself all end."""
    itself: list[Any] = []
    itself.append(itself)
    wide = {f"{i}": {f"{j}": {f"{k}": k for k in range(50)} for j in range(50)} for i in range(50)}

    plain = masked({"itself": itself, "wide": wide})

    assert json.dumps(plain).count(":") <= 2 * VALUE_LIMIT


def test_what_is_kept_is_bounded_in_all() -> None:
    """However many long texts there are, they cannot swell a journal entry."""
    plain = masked({f"table {i}": {f"{j}": "x" * 10_000 for j in range(50)} for i in range(50)})

    assert len(json.dumps(plain)) < 2 * TOTAL_LIMIT


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["a", "a.", "a:", "token", "token ", "eyJ-", "sk-a", "-----BEGIN ", "://", "a@"])
def test_no_text_makes_the_search_slow(piece: str) -> None:
    """Minutes would pass here if a pattern looked at a text again from each of its letters."""
    text = piece * 100_000

    for _ in range(TOTAL_LIMIT // TEXT_LIMIT):
        masked_text(text)
