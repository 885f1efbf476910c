"""Identifiers that do not change: URNs of flowreg's own words, UUIDs made of digests, package URLs."""

from __future__ import annotations

import re
from urllib.parse import quote
from uuid import NAMESPACE_URL, UUID, uuid5

from ..core.events import Dataset
from ..version import VERSION

PRODUCER = f"urn:flowreg:{VERSION}"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s]")
_SAFE = "%:/?#@!$&'()*+,;=~"
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


def uuid_of(*parts: str | None) -> str:
    """The same UUID for the same parts (RFC 9562, version 5)."""
    return str(uuid5(NAMESPACE_URL, "urn:flowreg:" + "\0".join(part or "" for part in parts)))


def run_uuid(flow_run: str | None, *otherwise: str | None) -> str:
    """The id of a flow run, which is a UUID; where there is none, one made of what it did."""
    try:
        return str(UUID(flow_run or ""))
    except ValueError:
        return uuid_of(flow_run, *otherwise)


def sha256_of(digest: str | None) -> str | None:
    """The 64 digits, if this digest is a sha256 of exact bytes; a digest of another kind is none."""
    found = _DIGEST.fullmatch(digest or "")
    return found[1] if found else None


def purl_of(name: str, version: str) -> str:
    """The package URL of a Python package (https://github.com/package-url/purl-spec)."""
    return f"pkg:pypi/{quote(re.sub(r'[-_.]+', '-', name).lower())}@{quote(version)}"


def uri_of(place: str | None) -> str | None:
    """A place as a URI (RFC 3986), or None where it is none: a path, a name of a table."""
    if place is None:
        return None
    if "://" not in place:
        host, colon, path = place.partition(":")
        is_remote = colon and "@" in host and "/" not in host and not path.startswith("/")
        return f"ssh://{quote(host, safe=_SAFE)}/{quote(path, safe=_SAFE)}" if is_remote else None  # git@host:team/churn.git
    scheme, _, rest = place.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{quote(host, safe=_SAFE + '[]')}{slash}{quote(path, safe=_SAFE)}" if _SCHEME.match(place) else None


def dataset_name(data: Dataset) -> str:
    """What people call a dataset: its name, else the end of its URI."""
    return data.name or (data.uri or "").rstrip("/").rpartition("/")[2] or data.role or "data"
