"""flowreg.formats.ubj: whole, or not."""

from __future__ import annotations

import pytest

from flowreg.formats.ubj import require_whole

WHOLE = {
    "nothing in it": b"{}",
    "a text": b"{i\x01aSi\x02hi}",
    "a typed array": b"{i\x01a[$dL\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00}".replace(b"[$d", b"[$d#"),
    "a counted array": b"{i\x01a[#i\x02i\x07T}",
    "an open array": b"{i\x01a[i\x07[]Z]}",
    "a counted object": b"{#i\x01i\x01aF",
    "a typed object": b"{$U#i\x02i\x01a\x01i\x01b\x02",
    "an array of texts": b"{i\x01a[$S#i\x02i\x01xi\x01y}",
}
NOT = {
    "nothing": (b"", "does not start"),
    "another start": (b"[]", "does not start"),
    "more behind": (b"{}}", "1 bytes after its end"),
    "no such marker": (b"{i\x01a?}", "no UBJ marker"),
    "a negative length": (b"{i\x01aSi\xff}", "negative"),
    "a length beyond the end": (b"{i\x01a[$D#L\x7f\xff\xff\xff\xff\xff\xff\xff}", "in the middle"),
    "a sort without a count": (b"{i\x01a[$U\x01]}", "should be a count"),
    "a length that is no integer": (b"{Sa", "sort of an integer"),
    "too deep": (b"{i\x01a" + b"[" * 100 + b"]" * 100 + b"}", "nested deeper"),
}


@pytest.mark.parametrize("raw", WHOLE.values(), ids=WHOLE)
def test_what_is_whole_passes_and_each_part_of_it_does_not(raw):
    """Every prefix is refused: there is no place where a file can be cut off unseen."""
    require_whole(raw)
    for size in range(len(raw)):
        with pytest.raises(ValueError, match=r"starts? as UBJ|in the middle"):
            require_whole(raw[:size])


@pytest.mark.parametrize(("raw", "said"), NOT.values(), ids=NOT)
def test_what_is_not_whole_is_refused_with_the_place(raw, said):
    """Lengths, markers and depth are never believed."""
    with pytest.raises(ValueError, match=said):
        require_whole(raw)


def test_a_huge_count_of_nothing_costs_no_time():
    """A typed array of values without bytes is one step, whatever its count; an object of them has a name for each."""
    require_whole(b"{i\x01a[$Z#L\x7f\xff\xff\xff\xff\xff\xff\xff}")
    with pytest.raises(ValueError, match="sort of an integer"):
        require_whole(b"{$Z#L\x7f\xff\xff\xff\xff\xff\xff\xff}")
