"""Who is to blame where a chain contradicts itself."""

from __future__ import annotations

import pytest

from flowreg.check.chain import Claim, examined
from flowreg.core.codec import Entry, Slot, Void
from flowreg.core.events import By, Envelope, Retired


def entry(seq: int, digest: str, parent: str | None) -> Slot:
    said = Envelope(seq=seq, parent=parent and f"sha256:{parent * 64}", id="x", at="2026-11-22T09:14:03.120Z", by=By(actor="a"),
                    model="m", events=(Retired(version=1),))  # fmt: skip
    return Entry(said, f"sha256:{digest * 64}")


def chain(letters: str, **parents: str) -> list[Slot]:
    """``abc``: three entries with these digests; a parent that is not the letter before is named by ``parents``."""
    return [
        entry(i + 1, letter, parents.get(letter, letters[i - 1] if i else None)) for i, letter in enumerate(letters)
    ]  # fmt: skip


def remembered(seq: int, letter: str) -> Claim:
    return Claim(seq, f"sha256:{letter * 64}", "heads/m.json", "its head")


def test_a_chain_that_holds_blames_nobody() -> None:
    """With a head that agrees."""
    found = examined(chain("abc"), [remembered(3, "c")])

    assert (found.blamed, found.doubtful, found.liars, found.lost, found.first_wrong) == ({}, {}, (), (), None)


@pytest.mark.parametrize(
    ("run", "claims", "blamed", "doubtful"),
    [
        pytest.param(chain("abcd", c="0"), [], {2}, set(), id="the entry after next vouches for the next"),
        pytest.param(chain("abc", c="0"), [remembered(3, "c")], {2}, set(), id="a head vouches for the last"),
        pytest.param(chain("abc", c="0"), [remembered(2, "b")], {3}, set(), id="a head vouches for the one before"),
        pytest.param(chain("abc", c="0"), [], set(), {3}, id="nobody vouches"),
        pytest.param(chain("abcd", c="0", d="1"), [], {3}, set(), id="both neighbours contradict it"),
        pytest.param(chain("abc", a="0"), [], {1}, set(), id="the first names one before it"),
        pytest.param(chain("abc"), [remembered(3, "0")], {3}, set(), id="a head remembers another last entry"),
        pytest.param([*chain("ab"), Void(3, "v", "torn"), entry(4, "d", "c")], [], {3}, set(), id="a void one that was none"),
        pytest.param(chain("abcdef", b="0", e="1"), [], {1, 4}, set(), id="two changes"),
    ],
)
def test_the_changed_entry_is_named(run: list[Slot], claims: list[Claim], blamed: set[int], doubtful: set[int]) -> None:
    """By all that is remembered of it elsewhere, and only where that does not tell, both are doubted."""
    found = examined(run, claims)

    assert (set(found.blamed), set(found.doubtful)) == (blamed, doubtful)
    assert found.first_wrong == min([*blamed, *(seq - 1 for seq in doubtful)])


def test_a_claim_that_the_chain_refutes_is_a_lie() -> None:
    """The entry after it names the digest it really has; the journal is believed."""
    lie = remembered(2, "0")

    found = examined(chain("abc"), [lie])

    assert (found.liars, found.first_wrong) == ((lie,), None)


def test_a_claim_beyond_the_end_tells_of_a_loss() -> None:
    """It is no lie: the entries may have been there."""
    claim = remembered(9, "0")

    assert examined(chain("abc"), [claim]).lost == (claim,)
