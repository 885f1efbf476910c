"""The verb about the local cache: what was fetched from afar and is kept on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..errors import BadInput
from .blocks import Block, Line, Span, quiet, strong
from .here import Here
from .options import AsJson, InHere
from .words import ago, counted, size

if TYPE_CHECKING:
    from ..storage.fetched import Cache, Cached

Trim = Annotated[
    tuple[str, ...] | None,
    Parameter(consume_multiple=True, help="Remove the least recently used until SIZE is left: 5GiB, 0; without SIZE: its bound."),
]


def cache(
    *,
    here: InHere,
    trim: Trim = None,
    clear: Annotated[bool, Parameter(help="Remove all but what is being fetched at this moment.")] = False,
    json: AsJson = False,
) -> int:
    """What the local cache holds."""
    from ..storage.fetched import cache_here

    to_bytes = _to_bytes(trim, clear)
    found = cache_here()
    if found is None:
        off = Line.of(strong("the cache is off"), quiet("  $FLOWREG_CACHE is its folder, $FLOWREG_CACHE_SIZE its bound"))
        return here.answer({"folder": None}, as_json=json, drawn=lambda: [off])
    removed = found.clear() if clear else found.trim(to_bytes) if trim is not None else ()
    value = _value(found, found.files(), removed)
    return here.answer(value, as_json=json, drawn=lambda: _drawn(value, here, told=clear or trim is not None))


def _to_bytes(trim: tuple[str, ...] | None, clear: bool) -> int | None:
    from ..storage.fetched.place import bytes_of

    if len(trim or ()) > 1 or (trim is not None and clear):
        raise BadInput("--trim takes one size, and goes without --clear", where="nothing was removed", do="see flowreg cache --help")
    return bytes_of(trim[0], where="--trim; nothing was removed") if trim else None


def _value(cache: Cache, files: Sequence[Cached], removed: Sequence[Cached]) -> dict[str, Any]:
    return {
        "folder": str(cache.folder),
        "size_bytes": sum(file.size_bytes for file in files),
        "limit_bytes": cache.limit_bytes,
        "files": sum(file.whole for file in files),
        "unfinished": sum(not file.whole for file in files),
        "oldest_use": datetime.fromtimestamp(files[0].used_at, UTC).isoformat(timespec="seconds") if files else None,
        "removed": len(removed),
        "removed_bytes": sum(file.size_bytes for file in removed),
    }


def _drawn(value: dict[str, Any], here: Here, *, told: bool) -> Iterator[Block]:
    if told:
        yield Line.of(Span("✓ ", "good"), f"{counted(value['removed'], 'file')} removed, {size(value['removed_bytes'])}")
    yield Line.of(strong(value["folder"]))
    yield Line.of(f"  {size(value['size_bytes'])} of at most {size(value['limit_bytes'])}, in {counted(value['files'], 'file')}")
    if value["unfinished"]:
        yield Line.of(quiet(f"  {counted(value['unfinished'], 'file')} on the way in, or left by a fetch that was interrupted"))
    if value["oldest_use"]:
        yield Line.of(quiet(f"  the least recently used: {ago(value['oldest_use'], here.now)}"))
