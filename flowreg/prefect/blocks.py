"""The block ``ModelRegistry``: a registry's root and how to get in, kept by Prefect.

Rule 1: every field but the root has a default, and none is ever renamed: a block that was saved once must load for ever.
Rule 2: secrets lie in ``storage_options``, or in a credentials block that is only referred to; the root never holds any.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from prefect.blocks.core import Block
from prefect.types import SecretDict
from pydantic import ConfigDict, Field, HttpUrl, field_validator, model_validator

from ..errors import BadInput
from ..registry import Registry
from .credentials import load_credentials, options_of, reference_of


class ModelRegistry(Block):
    """
    A flowreg model registry: where it lies, and how to get in.

    A block named `default` is what the tasks of flowreg use where no registry is given.

    Example:
        Load a saved registry and look at a model:
        ```python
        from flowreg.prefect import ModelRegistry

        registry = ModelRegistry.load("BLOCK_NAME").get_registry()
        registry.get("churn@champion")
        ```

        Save one that lies on S3, opened with a saved `AwsCredentials` block:
        ```python
        from prefect_aws import AwsCredentials

        ModelRegistry(root="s3://models/registry", credentials=AwsCredentials.load("prod")).save("default")
        ```
    """

    model_config = ConfigDict(hide_input_in_errors=True)  # what is refused may be a secret in the wrong place

    _block_type_name = "Model Registry"
    _block_type_slug = "flowreg-model-registry"
    _documentation_url = HttpUrl("https://pypi.org/project/flowreg/")

    root: str = Field(
        title="Root",
        description="Where the registry lies: a folder, or a URL such as s3://models/registry. Never with a password in it.",
    )
    credentials: str | None = Field(
        default=None,
        title="Credentials",
        description="A saved credentials block as type/name, such as aws-credentials/prod or minio-credentials/dev.",
    )
    storage_options: SecretDict = Field(
        default_factory=lambda: SecretDict({}),
        title="Storage options",
        description="Secret options of the filesystem, such as key, secret and endpoint_url of S3. They win over the credentials.",
    )
    actor: str | None = Field(
        default=None,
        title="Actor",
        description="Whom the registry records as having acted. Without it FLOWREG_ACTOR, or the user of the process.",
    )

    def get_registry(self) -> Registry:
        """The registry, ready to use. Credentials are looked up anew each time, so that a rotated one is found."""
        options = options_of(load_credentials(self.credentials)) if self.credentials else {}
        return Registry(self.root, storage_options=options | self.storage_options.get_secret_value(), actor=self.actor)

    @model_validator(mode="before")
    @classmethod
    def _take_credentials(cls, given: Any) -> Any:
        """A saved credentials block is kept as a reference; one that was never saved, as options."""
        credentials = given.get("credentials") if isinstance(given, dict) else None
        if not isinstance(credentials, Block):
            return given
        if reference := reference_of(credentials):
            return {**given, "credentials": reference}
        options = given.get("storage_options") or {}
        revealed = options.get_secret_value() if isinstance(options, SecretDict) else options
        return {**given, "credentials": None, "storage_options": options_of(credentials) | revealed}

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, given: Any) -> Any:
        """Blocks ignore fields they do not know; here that would be an option that silently does nothing."""
        names = given if isinstance(given, dict) else {}
        unknown = [name for name in names if name not in cls.model_fields and name != "block_type_slug" and not name.startswith("_")]
        if unknown:
            raise BadInput(
                f"a ModelRegistry has no {', '.join(map(repr, unknown))}",
                do=f"its fields are {', '.join(cls.model_fields)}; if a newer flowreg saved this block, upgrade here",
                code="bad-block",
            )
        return given

    @field_validator("root")
    @classmethod
    def _refuse_password(cls, root: str) -> str:
        if "://" in root and (urlsplit(root).password or urlsplit(root).query):
            raise BadInput(
                "the root holds a password or a query", do="put them into storage_options, or name a credentials block", code="bad-root"
            )
        return root

    @field_validator("credentials")
    @classmethod
    def _refuse_no_reference(cls, reference: str | None) -> str | None:
        if reference and reference.count("/") != 1:
            raise BadInput(
                "credentials are named as type/name", do="write aws-credentials/NAME or minio-credentials/NAME", code="bad-credentials"
            )
        return reference or None
