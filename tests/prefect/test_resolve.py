"""What may be given as ``registry=``, and which registry is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowreg import BadInput, NotFound, Registry
from flowreg.prefect import ModelRegistry
from flowreg.prefect.resolve import resolve
from tests.conftest import Root
from tests.servers.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect


def test_each_way_to_name_a_registry(prefect_env: PrefectServer, root: Root) -> None:
    """A registry, a block, the name of a block, a path, and a URL."""
    block = ModelRegistry(root=root.url, actor="nightly")
    block.save("by-name", overwrite=True)
    registry = Registry(root.url)

    found = [resolve(given) for given in (registry, block, "by-name", root.url, Path(root.url), f"file://{root.url}")]

    assert found[0] is registry
    assert [each.root for each in found] == [root.url] * 6


def test_none_means_the_default_block_or_the_default_root(prefect_env: PrefectServer, root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a run the block ``default`` wins where there is one; outside Prefect is not asked."""
    from prefect import flow

    monkeypatch.setenv("FLOWREG_ROOT", f"{root.url}-of-the-environment")
    block = ModelRegistry(root=root.url)

    @flow
    def looks() -> str:
        return resolve(None).root

    without = looks()
    block.save("default", overwrite=True)
    try:
        with_block, outside = looks(), resolve(None).root
    finally:
        ModelRegistry.delete("default")

    assert (without, with_block, outside) == (f"{root.url}-of-the-environment", root.url, f"{root.url}-of-the-environment")


def test_a_name_without_a_block_says_what_to_do(prefect_env: PrefectServer) -> None:
    """Also how to write a folder of that name."""
    with pytest.raises(NotFound, match=r"no ModelRegistry block named 'models'[\s\S]*\./models"):
        resolve("models")


@pytest.mark.parametrize("given", [3, {"root": "x"}, object()])
def test_what_is_no_registry_is_refused(given: Any) -> None:
    """With the forms that are allowed."""
    with pytest.raises(BadInput, match="is not a registry"):
        resolve(given)
