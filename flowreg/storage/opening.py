"""Opening a filesystem of fsspec, so that it does what its row of proofs says.

Rule 1: every call opens an instance of its own: nothing is shared with a cache of fsspec's, a parent process or another store.
Rule 2: what is handed out keeps ``pipe_file(path, data, mode="create")`` to its word, or has no proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import BadInput
from .proofs import PROOFS, Proof, proof_of
from .roots import Root, shown_root


class Opened(NamedTuple):
    """A filesystem, the path of the root on it, and the proof that holds for it."""

    files: Any
    base: str
    proof: Proof | None


def open_filesystem(root: Root, options: Mapping[str, Any]) -> Opened:
    """The filesystem of ``root``. ``BadInput`` where it isn't installed or can't be made of these options."""
    import fsspec

    row = PROOFS.get(root.protocol)
    wanted = _merged(row.options if row else {}, options)
    if root.archive:
        wanted = {**wanted, "fo": root.archive}
    try:
        files, base = fsspec.core.url_to_fs(root.url, skip_instance_cache=True, **wanted)
    except (ImportError, ValueError) as error:
        raise BadInput(
            f"cannot open the root {shown_root(root.url)!r}: {type(error).__name__}",
            where=brief(error),
            do=_install(root.protocol),
            code="bad-root",
        ) from None
    if getattr(files, "protocol", None) == "dir":  # a filesystem seen from one of its folders: it claims to be asynchronous, and may not be
        files, base = files.fs, files._join(base)
    proof = proof_of(root.protocol, files)
    return Opened(_kept_to_its_word(files, proof), str(base).rstrip("/"), proof)


def _kept_to_its_word(files: Any, proof: Proof | None) -> Any:
    match proof.creates_by if proof else "mode":
        case "lock":
            from .memory import OneAtATime

            return OneAtATime(files)
        case "rename":
            from .sftp import RenamingFiles

            return RenamingFiles(files)
    return files


def sends_plainly(files: Any) -> bool:
    """Whether what comes from there may have a flipped byte that nobody notices: over plain HTTP nothing but TCP's 16 bits guards it.

    Where it cannot be told for an object store or HTTP (no connection yet), the answer is no: nothing has come either.
    """
    s3 = getattr(getattr(files, "_s3", None), "meta", None)
    azure = getattr(files, "service_client", None)
    places = (getattr(s3, "endpoint_url", None), getattr(azure, "url", None), getattr(files, "_endpoint", None))
    return any(str(place).startswith("http://") for place in places)


def _install(protocol: str) -> str:
    extra = {"gs": "gcs", "az": "azure"}.get(protocol, protocol)
    return f'install its filesystem, for example: pip install "flowreg[{extra}]"'


def _merged(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(ours)
    for name, value in theirs.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = {**merged[name], **value} if both else value
    return merged


def brief(error: BaseException) -> str:
    """The first line of a library's message, cut: some of them quote whole requests."""
    return (str(error).splitlines() or [""])[0][:200]
