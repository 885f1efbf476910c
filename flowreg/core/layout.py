"""Where things lie under a root. Relative paths with ``/``; every name in its on-disk spelling (``names.on_disk``)."""

from __future__ import annotations

import re

from .names import digest, from_disk, on_disk

REGISTRY_JOURNAL = "journal"
HEADS = "heads"
MODELS = "models"
BLOBS = "blobs/sha256"
LAST_INCARNATION = 9  # a digest that was doomed this often is not doomed again: a reader who misses it looks at no more places
_BLOB_NAME = re.compile(r"([0-9a-f]{64})(?:\.([1-9]))?")


def journal_folder(model: str | None) -> str:
    """The folder of a model's journal; None: of the registry's own."""
    return REGISTRY_JOURNAL if model is None else f"models/{on_disk(model)}/journal"


def entry_path(model: str | None, seq: int) -> str:
    return f"{journal_folder(model)}/{seq:020d}.json"


def checkpoint_folder(model: str) -> str:
    return f"models/{on_disk(model)}/checkpoints"


def checkpoint_path(model: str, seq: int) -> str:
    return f"{checkpoint_folder(model)}/{seq:020d}.json"


def head_path(model: str) -> str:
    """Flat, with ``/`` as ``%2f``, so that one listing of ``heads/`` finds what changed in every model."""
    return f"{HEADS}/{on_disk(model).replace('/', '%2f')}.json"


def model_of_head(file_name: str) -> str | None:
    """The model whose head this file name is, or None for a stranger's file."""
    stem = file_name.removesuffix(".json")
    return from_disk(stem.replace("%2f", "/")) if stem != file_name and "/" not in stem else None


def blob_path(blob: str, incarnation: int = 0) -> str:
    """Where the bytes with this digest lie, by how often the digest was doomed before they were stored."""
    digits = digest(blob).removeprefix("sha256:")
    return f"blobs/sha256/{digits[:2]}/{digits}" + (f".{incarnation}" if incarnation else "")


def blob_named(file_name: str) -> tuple[str, int] | None:
    """The digest and the incarnation of the blob with this file name, or None for a stranger's file."""
    found = _BLOB_NAME.fullmatch(file_name)
    return (f"sha256:{found[1]}", int(found[2] or 0)) if found else None
