"""What belongs into a bundle: the journals up to a moment, and the blobs that the entries about one version name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.codec import Entry, Slot, decode_entry
from ..core.layout import entry_path
from ..core.needs import named_by
from ..errors import Corrupt
from ..inside import Inside, Moment, VersionRef
from ..lineage.masking import public_text
from ..standards import told as standards
from ..standards.exporting import made
from ..standards.told import Told
from ..storage import blobs
from .report import report

AT_ONCE = 64
FORMAT = 1
_EXPORTS = {
    "exports/bom.cdx.json": "bom", "exports/provenance.intoto.json": "provenance", "exports/openlineage.json": "openlineage",
    "exports/card.md": "card",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a bundle: what it is for, and its bytes."""

    role: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Gathered:
    """The files of a bundle by path, but for the artifact's own; ``index`` is what ``bundle.json`` will say besides them."""

    told: Told
    parts: Mapping[str, Part]
    index: Mapping[str, Any]


def gather(inside: Inside, ref: VersionRef, *, as_of: Moment = None) -> Gathered:
    """All about a version, as of a moment."""
    told = standards.gather(inside, ref, as_of=as_of)
    model, number = told.version.model, told.version.number
    state, registry = inside.state(model, as_of), inside.registry_state(as_of)
    parts: dict[str, Part] = {}
    entries = {"registry": dict(_entries(inside, None, registry.seq)), "model": dict(_entries(inside, model, state.seq))}
    for name, raws in entries.items():
        parts |= {f"{name}/journal/{seq:020d}.json": Part("an entry", raw) for seq, raw in raws.items()}
    without_effect = {void.seq for void in state.voids}
    slots = (decode_entry(raw, model=model, seq=seq) for seq, raw in entries["model"].items() if seq not in without_effect)
    for digest, role in _named(slots, number):
        parts[f"blobs/{digest[7:]}"] = Part(role, blobs.get(inside.store, digest, what=f"{role} of {told.name}"))
    for path, form in _EXPORTS.items():
        found = made(told, form)
        text = found if isinstance(found, str) else json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        parts[path] = Part(f"made from the journal: {form}", text.encode())
    parts["report.html"] = Part("made from the journal: report", public_text(report(told)).encode())
    index = {
        "format": FORMAT, "ref": told.name, "model": model, "version": number, "manifest": told.version.digest, "registry": told.registry,
        "known_at": told.known_at, "root": told.root,
        "without_effect": {
            "model": {str(void.seq): void.reason for void in state.voids},
            "registry": {str(void.seq): void.reason for void in registry.voids},
        },
    }  # fmt: skip
    return Gathered(told, parts, index)


def _entries(inside: Inside, model: str | None, upto: int) -> Iterator[tuple[int, bytes]]:
    """The exact bytes of the entries of a journal, from the first on."""
    for first in range(1, upto + 1, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, upto + 1))
        for seq, raw in zip(numbers, inside.store.read_many([entry_path(model, seq) for seq in numbers]), strict=True):
            if raw is None:
                raise Corrupt(f"entry {seq} of {model or 'the registry'} is gone", do="run flowreg check", code="missing-entry")
            yield seq, raw


def _named(slots: Iterable[Slot], number: int) -> Iterator[tuple[str, str]]:
    """Each blob that an entry about this version names, once, with what it is."""
    seen: set[str] = set()
    for slot in slots:
        for event in slot.said.events if isinstance(slot, Entry) else ():
            if getattr(event, "version", None) != number:
                continue
            for named in named_by(event):
                if named.digest not in seen:
                    seen.add(named.digest)
                    yield named.digest, named.role
