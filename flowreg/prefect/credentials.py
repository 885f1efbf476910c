"""Credentials blocks of Prefect's integrations, as options of the filesystem that a registry lies on.

Rule 1: a block is known by its type slug, so that no integration need be installed to import this.
Rule 2: what is returned holds secrets: it goes into the filesystem and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prefect.blocks.core import Block

from ..core.names import shown
from ..errors import BadInput, NotFound


def options_of(credentials: Block) -> dict[str, Any]:
    """The ``storage_options`` that an ``AwsCredentials`` or ``MinIOCredentials`` block of ``prefect-aws`` amounts to."""
    slug = credentials.get_block_type_slug()
    if slug not in _READERS:
        raise BadInput(
            f"a block of type {slug} cannot open a registry",
            do=f"give one of {', '.join(sorted(_READERS))}, or put the options of the filesystem into storage_options",
            code="bad-credentials",
        )
    return {name: value for name, value in _READERS[slug](credentials).items() if value not in (None, "", {})}


def load_credentials(reference: str) -> Block:
    """The saved block that ``aws-credentials/prod`` names."""
    try:
        found: Block = Block.load(reference, _sync=True)  # type: ignore[call-arg, assignment]
    except ValueError as error:
        raise NotFound(
            f"there is no credentials block {shown(reference)}",
            do="save one, or see what there is: prefect block ls",
            code="no-block",
        ) from error
    return found


def reference_of(credentials: Block) -> str | None:
    """``aws-credentials/prod`` for a saved block, None for one that was never saved."""
    name = credentials._block_document_name
    return f"{credentials.get_block_type_slug()}/{name}" if name else None


def _aws(block: Any) -> Mapping[str, Any]:
    client = _client(block)
    if block.assume_role_arn:
        # s3fs cannot assume a role; the session that can hands out keys for an hour, longer than any task opens a registry for.
        keys = block.get_boto3_session().get_credentials().get_frozen_credentials()
        return {"key": keys.access_key, "secret": keys.secret_key, "token": keys.token, **client}
    return {
        "key": block.aws_access_key_id,
        "secret": _revealed(block.aws_secret_access_key),
        "token": block.aws_session_token,
        "profile": block.profile_name,
        **client,
    }


def _minio(block: Any) -> Mapping[str, Any]:
    return {"key": block.minio_root_user, "secret": _revealed(block.minio_root_password), **_client(block)}


def _client(block: Any) -> dict[str, Any]:
    """How to reach the server: what boto3 calls client parameters, under the names of s3fs."""
    given = block.aws_client_parameters.get_params_override()
    client = {name: given[name] for name in ("verify", "use_ssl", "api_version") if name in given}
    if block.region_name:
        client["region_name"] = block.region_name
    return {"endpoint_url": given.get("endpoint_url"), "client_kwargs": client, "config_kwargs": block.aws_client_parameters.config or {}}


def _revealed(secret: Any) -> str | None:
    return secret.get_secret_value() if secret else None


_READERS: dict[str, Callable[[Any], Mapping[str, Any]]] = {"aws-credentials": _aws, "minio-credentials": _minio}
