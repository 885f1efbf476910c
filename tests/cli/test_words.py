"""Moments, sizes and numbers for people."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from flowreg.cli.words import ago, apart, number, size
from flowreg.ids import rfc3339

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(), "now"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(minutes=2), "2 min ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(days=9), "9 d ago"),
        (timedelta(days=90), "3 months ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(hours=-1), "2026-11-22 13:00:00 UTC"),
    ],
)
def test_moments_are_told_in_the_largest_unit(passed: timedelta, text: str) -> None:
    """A moment of a clock that runs ahead is shown as it is."""
    assert ago(rfc3339(NOW - passed), NOW) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1 << 30, "1.0 GiB"), (1 << 60, "1048576.0 TiB")]
)
def test_sizes_have_binary_units(count: int, text: str) -> None:
    """With one decimal."""
    assert size(count) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.91, "0.91"), (0.123456789, "0.123457"), (212.0, "212"), (1e300, "1e+300"), (math.nan, "nan"), (-math.inf, "-inf")],
)
def test_numbers_are_short(value: float, text: str) -> None:
    """Six digits, and whole numbers whole."""
    assert number(value) == text


def test_two_values_that_differ_look_different() -> None:
    """Numbers beyond six digits, and a number and its text."""
    assert apart(0.12345678, 0.12345679) == ("0.12345678", "0.12345679")
    assert apart(6, "6") == ("6", "'6'")
    assert apart(0.5, 0.6) == ("0.5", "0.6")
