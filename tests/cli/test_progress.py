"""Bars: none where nobody looks, none for what is quick, and always cleared away."""

from __future__ import annotations

import io
from pathlib import Path

from flowreg.cli.paint import Screen
from flowreg.cli.progress import _Bar, bytes_below, watched


def test_nobody_is_shown_a_bar_who_does_not_look() -> None:
    """A pipe gets nothing."""
    stream = io.StringIO()
    with watched(Screen(stream, terminal=False), "copying", 10) as done:
        done(10)

    assert stream.getvalue() == ""


def test_what_is_quick_shows_no_bar() -> None:
    """Nor does a bar appear after its work was done."""
    stream = io.StringIO()
    bar = _Bar(Screen(stream, terminal=True, width=80), "copying", 10)
    bar.add(10)
    bar.close()
    bar.show()

    assert stream.getvalue() == ""


def test_what_takes_long_shows_how_far_it_is() -> None:
    """The bytes that are done before and after it appeared count; brackets of a path survive."""
    stream = io.StringIO()
    bar = _Bar(Screen(stream, terminal=True, width=120), "copying [x]", 4 << 20)
    bar.add(1 << 20)
    bar.show()
    bar.add(1 << 20)
    bar.close()

    assert "copying [x]" in stream.getvalue()
    assert "2.0/4.0 MiB" in stream.getvalue()


def test_sizes_are_summed_before(tmp_path: Path) -> None:
    """A file, a folder with all below it, nothing."""
    (tmp_path / "m" / "n").mkdir(parents=True)
    (tmp_path / "m" / "a").write_bytes(b"123")
    (tmp_path / "m" / "n" / "b").write_bytes(b"45")

    assert bytes_below(str(tmp_path / "m")) == 5
    assert bytes_below(str(tmp_path / "m" / "a")) == 3
    assert bytes_below(str(tmp_path / "gone")) == 0
