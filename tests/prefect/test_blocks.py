"""The block ``ModelRegistry``: what Prefect asks of a block, and that it keeps its secrets."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from prefect.testing.standard_test_suites import BlockStandardTestSuite
from prefect_aws import AwsCredentials, MinIOCredentials
from prefect_aws.client_parameters import AwsClientParameters
from pydantic import ValidationError

from flowreg import BadInput, NotFound
from flowreg.prefect import ModelRegistry
from flowreg.prefect.credentials import options_of
from tests.conftest import Root
from tests.servers.prefect_server import PrefectServer
from tests.servers.s3 import S3Server

pytestmark = pytest.mark.prefect
CANARY = "hunter2-canary"


class TestModelRegistryAsAnyBlock(BlockStandardTestSuite):
    """Prefect's own test suite for blocks."""

    @pytest.fixture
    def block(self) -> type[ModelRegistry]:
        return ModelRegistry

    test_has_a_valid_image = None  # the block has no picture: Prefect would fetch it from the net


def test_a_saved_block_loads_as_it_was(prefect_env: PrefectServer, root: Root) -> None:
    """Its registry lies where it was said, acts as whom it was said, and the secrets are there again."""
    saved = ModelRegistry(root=root.url, storage_options={"secret": CANARY}, actor="nightly")
    saved.save("round-trip", overwrite=True)

    loaded = ModelRegistry.load("round-trip")

    assert (loaded.root, loaded.actor, loaded.storage_options.get_secret_value()) == (root.url, "nightly", {"secret": CANARY})
    version = loaded.get_registry().register("churn", {"w": 1}, trust="pickle")
    assert (version.by.actor, loaded.get_registry().get("churn@1").digest) == ("nightly", version.digest)


def test_secrets_are_not_shown(prefect_env: PrefectServer, root: Root) -> None:
    """Neither by the block, nor by Prefect's API, nor by the parameters of a run that was given the block."""
    import httpx
    from prefect import flow, runtime

    block = ModelRegistry(root=root.url, storage_options={"secret": CANARY}, credentials=_aws())
    block.save("secretive", overwrite=True)

    @flow
    def train(registry: ModelRegistry) -> str:
        return str(runtime.flow_run.id)

    flow_run = train(ModelRegistry.load("secretive"))

    api = prefect_env.api_url
    told = [
        httpx.get(f"{api}/flow_runs/{flow_run}").text,
        httpx.get(f"{api}/block_types/slug/flowreg-model-registry/block_documents/name/secretive").text,
    ]
    assert all("********" in text for text in told)
    assert CANARY not in "".join([repr(block), str(block), repr(block.get_registry()), *told])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"root": f"s3://AKIA:{CANARY}@models/registry"}, "the root holds a password or a query"),
        ({"root": f"s3://models/registry?secret={CANARY}"}, "the root holds a password or a query"),
        ({"root": "s3://models", "storage_option": {"secret": CANARY}}, "a ModelRegistry has no 'storage_option'"),
        ({"root": "s3://models", "credentials": CANARY}, "credentials are named as type/name"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], said: str) -> None:
    """With what to do instead, and without repeating what may be a secret."""
    with pytest.raises(ValidationError, match=said) as refused:
        ModelRegistry(**given)

    assert CANARY not in str(refused.value)


def test_a_saved_credentials_block_is_referred_to(prefect_env: PrefectServer) -> None:
    """So a rotated secret is found the next time, and the registry's document holds none."""
    _aws().save("prod", overwrite=True)
    ModelRegistry(root="s3://models/registry", credentials=AwsCredentials.load("prod")).save("on-s3", overwrite=True)

    loaded = ModelRegistry.load("on-s3")

    assert (loaded.credentials, loaded.storage_options.get_secret_value()) == ("aws-credentials/prod", {})


def test_a_credentials_block_that_is_not_there(prefect_env: PrefectServer) -> None:
    """Its name is said, and where to look."""
    with pytest.raises(NotFound, match=r"no credentials block 'aws-credentials/nobody'[\s\S]*prefect block ls"):
        ModelRegistry(root="s3://models", credentials="aws-credentials/nobody").get_registry()


def test_aws_credentials_become_options_of_s3fs() -> None:
    """Key, secret, region, endpoint and the client's settings arrive under the names of s3fs."""
    parameters = AwsClientParameters(endpoint_url="http://127.0.0.1:5555", use_ssl=False)

    assert options_of(_aws(aws_client_parameters=parameters, region_name="eu-west-1")) == {
        "key": "AKIA",
        "secret": CANARY,
        "endpoint_url": "http://127.0.0.1:5555",
        "client_kwargs": {"use_ssl": False, "region_name": "eu-west-1"},
    }


def test_minio_credentials_become_options_of_s3fs() -> None:
    """User and password are what S3 calls key and secret."""
    assert options_of(MinIOCredentials(minio_root_user="minio", minio_root_password=CANARY))["key"] == "minio"
    assert options_of(MinIOCredentials(minio_root_user="minio", minio_root_password=CANARY))["secret"] == CANARY


def test_other_credentials_are_refused() -> None:
    """With the ones that are understood."""
    from prefect.blocks.system import Secret

    with pytest.raises(BadInput, match=r"type secret cannot open a registry[\s\S]*aws-credentials, minio-credentials"):
        options_of(Secret(value=CANARY))


@pytest.mark.s3
def test_a_registry_on_s3_opens_with_a_credentials_block(prefect_env: PrefectServer, seaweed: S3Server) -> None:
    """A flow's model goes to a real S3 server and back through what the block says."""
    from prefect import flow

    from flowreg.prefect import load_model, register_model

    credentials = AwsCredentials(
        aws_access_key_id=seaweed.key,
        aws_secret_access_key=seaweed.secret,
        aws_client_parameters=AwsClientParameters(endpoint_url=seaweed.endpoint_url),
    )
    block = ModelRegistry(root=f"{seaweed.new_prefix()}/registry", credentials=credentials, actor="nightly")

    @flow
    def train(registry: ModelRegistry) -> tuple[Any, Any]:
        version = register_model("churn", {"w": 1}, trust="pickle", registry=registry)
        return version, load_model(version, trust=True, registry=registry)

    version, model = train(block)

    assert (version.ref, version.by.actor, model) == ("churn@1", "nightly", {"w": 1})


def test_prefect_finds_the_block_by_its_module(prefect_server: PrefectServer) -> None:
    """``prefect block register -m flowreg.prefect`` puts it into the catalogue."""
    import httpx

    command = [sys.executable, "-m", "prefect", "block", "register", "-m", "flowreg.prefect"]

    done = subprocess.run(command, env=dict(prefect_server.env), capture_output=True, text=True, check=False)

    assert "Successfully registered 1 block" in done.stdout, done.stdout + done.stderr
    known = httpx.get(f"{prefect_server.api_url}/block_types/slug/flowreg-model-registry").json()
    assert known["name"] == "Model Registry"
    assert known["description"].startswith("A flowreg model registry")


def _aws(**more: Any) -> AwsCredentials:
    return AwsCredentials(aws_access_key_id="AKIA", aws_secret_access_key=CANARY, **more)
