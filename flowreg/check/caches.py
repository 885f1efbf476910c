"""The head and the checkpoints of one model: what they remember of its journal, and whether they say what a full replay says.

Rule 1: a head that lies and one that is stale but true are different findings.
Rule 2: one that remembers an entry the journal lacks is evidence of a loss, and is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from ..core.codec import digest_of, parse
from ..core.layout import checkpoint_path, head_path
from ..core.state import ModelState
from ..errors import BadInput
from ..storage.caches import CHECKPOINT_DEPTH, READER, Head, decode_checkpoint, decode_head, encode_checkpoint, encode_head
from ..storage.store import Store
from .chain import Chain, Claim
from .files import Raw, Unreadable, read, read_many
from .report import Finding, found
from .slots import is_slot


@dataclass(frozen=True, slots=True)
class Stored:
    """The head and the checkpoints as they lie there; None for a checkpoint or head that cannot be read as one."""

    model: str
    raw_head: Raw = None
    head: Head | None = None
    raw_checkpoints: Mapping[int, Raw] = field(default_factory=dict)
    checkpoints: Mapping[int, ModelState] = field(default_factory=dict)

    def claims(self, registry: str | None) -> list[Claim]:
        """What they remember of the journal, the most trustworthy first."""
        head = self.head if self.head and registry in (None, self.head.registry) else None
        of_head = [Claim(head.seq, head.digest, head_path(self.model), "its head")] if head and head.seq else []
        return of_head + [
            Claim(seq, state.digest, checkpoint_path(self.model, seq), "a checkpoint")
            for seq, state in sorted(self.checkpoints.items(), reverse=True)
            if state.digest
        ]


def read_stored(store: Store, model: str, listed: list[str]) -> Stored:
    """``listed`` is what a listing of the folder of checkpoints showed."""
    raw_head = read(store, head_path(model))
    seqs = [int(name[:20]) for name in sorted(listed) if is_slot(name)]
    raws = dict(zip(seqs, read_many(store, [checkpoint_path(model, seq) for seq in seqs]), strict=True))
    states = {seq: decode_checkpoint(raw, model) for seq, raw in raws.items() if isinstance(raw, bytes)}
    return Stored(
        model,
        raw_head,
        decode_head(raw_head, model) if isinstance(raw_head, bytes) else None,
        raws,
        {seq: state for seq, state in states.items() if state is not None and state.seq == seq},
    )


def judged(stored: Stored, registry: str | None, chain: Chain, states: Mapping[int, ModelState], newest: int) -> Iterator[Finding]:
    """What is wrong with them. ``states`` has the replayed state at each entry they tell of, as far as the journal is sound."""
    liars = {claim.where for claim in chain.liars}
    yield from _head(stored, registry, liars, states, newest)
    for seq, raw in stored.raw_checkpoints.items():
        if raw is not None:
            yield from _checkpoint(stored, seq, raw, liars, states)


def _head(stored: Stored, registry: str | None, liars: set[str], states: Mapping[int, ModelState], newest: int) -> Iterator[Finding]:
    model, head, where = stored.model, stored.head, head_path(stored.model)
    if stored.raw_head is None:
        if newest:
            yield found("missing-head", where, f"{model} has no head", model)
    elif head is None:
        yield found("unreadable-head", where, _why(stored.raw_head), model)
    elif registry not in (None, head.registry):
        yield found("wrong-head", where, "it was written for another registry", model)
    elif where in liars:
        yield found("wrong-head", where, f"it remembers another entry {head.seq} than the one the journal goes on from", model)
    elif head.seq in states:
        expected = decode_head(encode_head(model, head.registry, states[head.seq], head.checkpoint), model)
        if expected != head:
            what = f"it does not say what entries 1 to {head.seq} add up to ({_difference(head, expected)})"
            yield found("wrong-head", where, what, model)
        elif head.seq < newest:
            yield found("stale-head", where, f"it tells of entry {head.seq}; the newest is {newest}", model)
        if head.checkpoint and stored.raw_checkpoints.get(head.checkpoint) is None:
            yield found("missing-checkpoint", checkpoint_path(model, head.checkpoint), "the head names it, and it is gone", model)


def _difference(head: Head, expected: Head | None) -> str:
    names = [
        name for name in ("seq", "digest", "at", "newest", "aliases") if expected is None or getattr(head, name) != getattr(expected, name)
    ]
    return ", ".join(names) or "its fields"


def _checkpoint(stored: Stored, seq: int, raw: bytes | Unreadable, liars: set[str], states: Mapping[int, ModelState]) -> Iterator[Finding]:
    model, where, state = stored.model, checkpoint_path(stored.model, seq), stored.checkpoints.get(seq)
    if state is None:
        code = "newer-checkpoint" if isinstance(raw, bytes) and _other_reader(raw) else "unreadable-checkpoint"
        yield found(code, where, _why(raw), model)
    elif where in liars:
        yield found("wrong-checkpoint", where, f"it remembers another entry {seq} than the one the journal goes on from", model)
    elif seq in states and not _same(model, state, states[seq]):
        yield found("wrong-checkpoint", where, f"it does not say what entries 1 to {seq} add up to", model)


def _same(model: str, stored: ModelState, replayed: ModelState) -> bool:
    """By their bytes: a NaN is not equal to itself."""
    try:
        return encode_checkpoint(model, stored) == encode_checkpoint(model, replayed)
    except (BadInput, ValueError, TypeError):
        return False


def _other_reader(raw: bytes) -> bool:
    try:
        value = parse(raw, depth_limit=CHECKPOINT_DEPTH)
    except orjson.JSONDecodeError:
        return False
    reader = value.get("reader") if isinstance(value, dict) else None
    return type(reader) is int and reader != READER


def _why(raw: bytes | Unreadable) -> str:
    return raw.why if isinstance(raw, Unreadable) else f"its {len(raw)} bytes ({digest_of(raw)[:19]}…) are not whole"
