"""What a root is: the text that says where a registry lies, taken apart, and shown without its secrets.

Rule 1: nothing is opened here, and nothing is looked at but whether a path names an archive.
Rule 2: whatever is shown of a root has no user, password, query or fragment.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import BadInput

_SAME = {"s3a": "s3", "gcs": "gs", "abfs": "az", "abfss": "az", "ssh": "sftp", "local": "file"}


@dataclass(frozen=True, slots=True)
class Root:
    """A root taken apart. ``archive`` is the zip file that it lies in, if any."""

    protocol: str
    url: str
    archive: str | None = None


def parse_root(root: Any) -> Root:
    """A path or a URL as a root. ``BadInput`` where it can't be meant as one."""
    text = os.fspath(root)
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise BadInput(f"{text!r} is not a root", do="give a folder or a URL such as s3://bucket/registry", code="bad-root")
    if "::" in text:
        raise BadInput(
            "a chained URL cannot be a root", where=shown_root(text), do="give the URL of the filesystem itself", code="bad-root"
        )
    protocol, is_url, rest = text.partition("://")
    protocol = _SAME.get(protocol, protocol) if is_url else "file"
    path = rest if is_url else text
    if protocol in ("file", "zip") and (found := _in_archive(path)):
        return Root("zip", f"zip://{found[1]}", archive=found[0])
    return Root(protocol, path if protocol == "file" else text)


def _in_archive(path: str) -> tuple[str, str] | None:
    """The zip file that ``path`` is or runs through, and the folder within."""
    if ".zip" not in path:
        return None
    whole = Path(path).expanduser()
    for place in (whole, *whole.parents):
        if place.suffix == ".zip" and place.is_file():
            return str(place.absolute()), whole.relative_to(place).as_posix().removeprefix(".")
    return None


def shown_root(root: str) -> str:
    """A root without user, password, query and fragment."""
    protocol, separator, _rest = root.partition("://")
    if not separator:
        return root
    parts = urlsplit(root)
    user, at, host = parts.netloc.rpartition("@")
    port = host.rpartition(":")[2] if ":" in host else "0"
    if not (port.isdigit() or port.endswith("]")):
        return f"{protocol}://…"  # a secret with a "/", "#" or "?" in it: nothing says where it ends
    if protocol in ("az", "abfs", "abfss") and at and ":" not in user:
        host = f"{user}@{host}"  # container@account: no person
    return f"{protocol}://{host}{parts.path}".rstrip("/")
