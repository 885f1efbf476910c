"""Walking the whole tree: every model there is, and every file whose name fits no pattern of the format.

Rule 1: folders are only listed where the format puts files; what a stranger keeps in a folder of his own is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..core.layout import HEADS, MODELS, REGISTRY_JOURNAL, blob_named, model_of_head
from ..core.names import from_disk
from ..storage.parallel import parallel_map
from ..storage.store import Store
from .report import Finding, found
from .slots import is_slot

FOLDERS = (f"{REGISTRY_JOURNAL}/", f"{MODELS}/", f"{HEADS}/", "blobs/")
NAMED_IN_FULL = 20  # strange files of one folder
DEPTH_LIMIT = 110  # a name of 200 bytes has at most 100 parts


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one model, as listings show them."""

    journal: list[str]
    checkpoints: list[str]


@dataclass(frozen=True, slots=True)
class Tree:
    """All that lies under a root, as listings show it."""

    own: list[str]
    models: dict[str, Folder]
    strange: list[Finding]
    whole: bool = True  # not of one model only


def tree_of(store: Store) -> Tree:
    """Walk everything but the blobs."""
    strange = list(_strange("", [n for n in store.names("") if n not in FOLDERS]))
    own, heads = store.names(REGISTRY_JOURNAL), store.names(HEADS)
    strange += _strange(REGISTRY_JOURNAL, [n for n in own if not is_slot(n)])
    strange += _strange(HEADS, [n for n in heads if model_of_head(n) is None])
    models = {name: Folder([], []) for name in map(model_of_head, heads) if name}
    strange += _walk(store, MODELS, "", models)
    strange += _strange("blobs", [n for n in store.names("blobs") if n not in ("sha256/", "incoming/")])
    return Tree(own, models, strange)


def blobs_there(store: Store) -> tuple[set[str], list[Finding]]:
    """The digest of every blob, and the strange files among them."""
    prefixes = store.names("blobs/sha256")
    folders = [name for name in prefixes if re.fullmatch(r"[0-9a-f]{2}/", name)]
    listed = parallel_map(lambda name: store.names(f"blobs/sha256/{name[:2]}"), folders, threads=8)
    there: set[str] = set()
    strange = list(_strange("blobs/sha256", [n for n in prefixes if n not in folders]))
    for folder, names in zip(folders, listed, strict=True):
        named = {n: found[0] for n in names if (found := blob_named(n)) and n.startswith(folder[:2])}
        there |= set(named.values())
        strange += _strange(f"blobs/sha256/{folder[:2]}", sorted(set(names) - named.keys()))
    return there, strange


def folder_of(store: Store, path: str) -> tuple[Folder, list[Finding]]:
    """The listings of one model's folder, ``path``, and what is strange in it."""
    folder = Folder(store.names(f"{path}/journal"), store.names(f"{path}/checkpoints"))
    strange = [
        finding
        for part, names in (("journal", folder.journal), ("checkpoints", folder.checkpoints))
        for finding in _strange(f"{path}/{part}", [n for n in names if not is_slot(n)])
    ]
    return folder, strange


def _walk(store: Store, path: str, prefix: str, models: dict[str, Folder]) -> list[Finding]:
    """Every model below ``path`` into ``models``; what is strange there."""
    names = store.names(path)
    model = from_disk(prefix.rstrip("/")) if prefix else None
    strange = list(_strange(path, [n for n in names if not n.endswith("/")]))
    if {"journal/", "checkpoints/"} & set(names):
        if model is None:
            strange += _strange(path, ["journal/"])
        else:
            models[model], more = folder_of(store, path)
            strange += more
    for name in names:
        if name.endswith("/") and name not in ("journal/", "checkpoints/") and prefix.count("/") < DEPTH_LIMIT:
            strange += _walk(store, f"{path}/{name[:-1]}", prefix + name, models)
    return strange


def _strange(folder: str, names: list[str]) -> Iterator[Finding]:
    names = sorted(name for name in names if not name.startswith("."))
    place = f"{folder}/" if folder else ""
    for name in names[:NAMED_IN_FULL]:
        yield found("foreign-file", place + name, "its name fits no pattern of a registry", None)
    if len(names) > NAMED_IN_FULL:
        what = f"{len(names) - NAMED_IN_FULL} more names fit no pattern of a registry"
        yield found("foreign-file", folder or ".", what, None)
