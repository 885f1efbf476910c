"""What a test has to know of an S3 server, whichever it is."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import fsspec

from .process import listens


@dataclass(frozen=True)
class S3Server:
    """A bucket on loopback. ``storage_options`` is what ``fsspec.filesystem("s3", **options)`` and a registry take."""

    endpoint_url: str
    key: str
    secret: str = field(repr=False)
    bucket: str = "flowreg-tests"

    @property
    def storage_options(self) -> dict[str, Any]:
        return {"key": self.key, "secret": self.secret, "endpoint_url": self.endpoint_url}

    @property
    def env(self) -> Mapping[str, str]:
        """The same as environment variables, for a process that is told nothing but the root."""
        return {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_ENDPOINT_URL": self.endpoint_url}

    def behind(self, endpoint_url: str) -> S3Server:
        """The same bucket through another address, for example a counting proxy."""
        return replace(self, endpoint_url=endpoint_url)

    def new_prefix(self) -> str:
        """A URL in the bucket that no other test uses."""
        return f"s3://{self.bucket}/{secrets.token_hex(6)}"

    def filesystem(self) -> Any:
        """A filesystem of its own: no instance cache, no listing cache."""
        return fsspec.filesystem("s3", **self.storage_options, use_listings_cache=False, skip_instance_cache=True)


def new_credentials() -> tuple[str, str]:
    """A key and a secret that occur nowhere else, so that a search for them finds every leak."""
    return f"AKIAFLOWREG{secrets.token_hex(4).upper()}", f"flowreg-secret-{secrets.token_hex(16)}"


def bucket_is_ready(server: S3Server) -> bool:
    """Whether the bucket exists, or could be made, and takes an object."""
    if not listens(int(server.endpoint_url.rpartition(":")[2])):
        return False  # s3fs would retry for seconds
    files = server.filesystem()
    try:
        if not files.exists(server.bucket):
            files.mkdir(server.bucket)
        files.pipe_file(f"{server.bucket}/ready", b"yes")
    except OSError:
        return False
    return True
