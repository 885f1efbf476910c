"""A sample of the blobs: as many as was asked for, the same by the same seed, and damage in it is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowreg import BadInput
from flowreg.check import check
from flowreg.check.reading import EVERYTHING, NOTHING, sample
from flowreg.storage.store import open_store
from tests.broken import zoo

DIGESTS = [f"sha256:{n:064x}" for n in range(200)]


def test_a_share_is_rounded_up_and_a_number_is_that_many() -> None:
    """Never none, never more than there are."""
    assert [len(sample(text, seed="a").drawn(DIGESTS)) for text in ("10%", "0.1%", "100%", "7", "900")] == [20, 1, 200, 7, 200]
    assert (len(NOTHING.drawn(DIGESTS)), len(EVERYTHING.drawn(DIGESTS))) == (0, 200)


def test_the_seed_decides_which() -> None:
    """The order of the listing does not; many seeds come by every blob."""
    assert sample("10%", seed="a").drawn(DIGESTS) == sample("10%", seed="a").drawn(DIGESTS[::-1])
    assert sample("10%", seed="a").drawn(DIGESTS) != sample("10%", seed="b").drawn(DIGESTS)
    assert frozenset().union(*(sample("10%", seed=str(day)).drawn(DIGESTS) for day in range(150))) == frozenset(DIGESTS)


@pytest.mark.parametrize("text", ["0", "0%", "101%", "1.5", "-3", "ten", "", "10%%", "1e3", "١٠%"])
def test_what_is_no_sample_is_refused(text: str) -> None:
    """With an example of one."""
    with pytest.raises(BadInput, match="write 10% or a number of blobs"):
        sample(text, seed="a")


def test_damage_in_the_sample_is_found_and_only_the_sample_is_read(tmp_path: Path) -> None:
    """A flipped bit leaves the size as it was: who reads the blob finds it, who does not does not."""
    zoo.write(tmp_path)
    damaged = zoo.blob_of("file")(tmp_path)
    zoo.flip(damaged)(tmp_path)
    reports = [check(open_store(tmp_path), reading=sample("30%", seed=str(day))) for day in range(30)]

    found = [[f.where for f in report.faults] for report in reports]
    assert [] in found
    assert [damaged] in found
    whole = check(open_store(tmp_path), read_data=True)
    assert max(report.checked.bytes_read for report in reports) < whole.checked.bytes_read
