"""Why a filesystem is believed to create a file for one writer only: the table of proofs, as data.

Rule 1: a row stands for the classes it names and for no other: another library may take over a protocol and ignore the condition.
Rule 2: a row is here because the contract suite and its races passed on the server it names.
Rule 3: what has no row is read, and written only where the probe passed (``probe``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .local import LocalStore


@dataclass(frozen=True, slots=True)
class Proof:
    """One row: which filesystem, from which version on, how it creates, where that was raced, and what is weaker than on a disk."""

    protocol: str
    package: str
    mechanism: str
    raced_on: str
    also: tuple[str, ...] = ()
    weaker: str = ""
    creates_by: Literal["link", "lock", "mode", "rename"] = "mode"
    classes: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


_S3_CONFIG = {
    "max_pool_connections": 64,
    "connect_timeout": 5,
    "read_timeout": 20,
    "retries": {"total_max_attempts": 2},
    # What is sent has a signed checksum: over plain http, too, hashing it once more for the signature would prove nothing new.
    "s3": {"payload_signing_enabled": False},
}
PROOFS: Mapping[str, Proof] = {
    "file": Proof("file", "", LocalStore.mechanism, "ext4, tmpfs", creates_by="link"),
    "s3": Proof(
        "s3",
        "s3fs>=2025.7",
        "PUT with If-None-Match: *",
        "SeaweedFS, moto",
        also=("s3a",),
        classes=("s3fs.core.S3FileSystem",),
        options={"use_listings_cache": False, "config_kwargs": _S3_CONFIG},
    ),
    "gs": Proof(
        "gs",
        "gcsfs>=2024.12",
        "upload with ifGenerationMatch=0",
        "fake-gcs-server",
        also=("gcs",),
        classes=("gcsfs.core.GCSFileSystem", "gcsfs.extended_gcsfs.ExtendedGcsFileSystem"),
        options={"use_listings_cache": False},
    ),
    "az": Proof(
        "az",
        "adlfs>=2024.12",
        "PUT with If-None-Match: *",
        "Azurite",
        also=("abfs", "abfss"),
        classes=("adlfs.spec.AzureBlobFileSystem",),
        options={"use_listings_cache": False},
    ),
    "sftp": Proof(
        "sftp",
        "paramiko>=3",
        "temporary file, fsync, rename that refuses a taken name",
        "OpenSSH",
        also=("ssh",),
        weaker="the server does not fsync the folder: a power cut there may take back the last entries",
        creates_by="rename",
        classes=("fsspec.implementations.sftp.SFTPFileSystem",),
    ),
    "memory": Proof(
        "memory",
        "fsspec>=2025.7",
        "one lock in this process",
        "threads",
        weaker="lost when the process ends: for tests",
        creates_by="lock",
        classes=("fsspec.implementations.memory.MemoryFileSystem",),
    ),
}


def proof_of(protocol: str, filesystem: Any) -> Proof | None:
    """The row that holds for this opened filesystem, or None."""
    row = PROOFS.get(protocol)
    made = type(filesystem)
    return row if row and f"{made.__module__}.{made.__qualname__}" in row.classes else None


def too_old(proof: Proof) -> str | None:
    """The installed version of the row's package, where it is below the floor."""
    from importlib import metadata

    package, _, floor = proof.package.partition(">=")
    if not floor:
        return None
    try:
        installed = metadata.version(package)
    except metadata.PackageNotFoundError:  # vendored, or installed by other means: the classes are what counts
        return None
    return installed if _numbers(installed) < _numbers(floor) else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0])[:3])
