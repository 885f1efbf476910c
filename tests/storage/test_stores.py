"""Roots and credentials: what can't be a root is refused at once, and what was given as a secret is shown nowhere."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowreg import Registry
from flowreg.errors import BadInput, FlowregError, Unavailable
from flowreg.storage.store import open_store, shown_root

SECRET = "canary-7f3a9"


SHOWN = {
    f"s3://key:{SECRET}@bucket/x": "s3://bucket/x",
    f"https://ana:{SECRET}@host:8080/r?sig={SECRET}#{SECRET}": "https://host:8080/r",
    f"s3://AKIA:{SECRET}/b@bucket/x": "s3://…",
    f"s3://AKIA:#{SECRET}@bucket/x": "s3://…",
    f"s3://AKIA:?{SECRET}@bucket/x": "s3://…",
    "http://[::1]:80/x/": "http://[::1]:80/x",
    "s3://bucket/te@m/x": "s3://bucket/te@m/x",
    "/home/ana/models": "/home/ana/models",
}


@pytest.mark.parametrize("root", SHOWN)
def test_a_root_is_shown_without_its_secrets(root: str) -> None:
    """Neither user, password nor query, wherever the password has its odd characters."""
    assert shown_root(root) == SHOWN[root]


@pytest.fixture
def web() -> Iterator[str]:
    """A web server where everything is forbidden."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            self.send_error(403)

        do_HEAD = do_GET  # noqa: N815

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_secrets_stand_in_no_repr_and_no_error(web: str, tmp_path: Path) -> None:
    """A server that says no, one that is not there, a filesystem that is not installed: nobody quotes what was given."""
    (tmp_path / "model").write_bytes(b"x")
    roots: list[tuple[str, dict[str, Any]]] = [
        (f"http://ana:{SECRET}@{web}/forbidden", {}),
        (f"http://ana:{SECRET}@127.0.0.1:9/x?sig={SECRET}", {}),
        (f"nosuch://ana:{SECRET}@host/x", {"password": SECRET}),
        (f"s3://ana:{SECRET}/y@bucket/x", {"secret": SECRET, "endpoint_url": "http://127.0.0.1:9"}),
    ]
    for root, options in roots:
        registry = Registry(root, storage_options=options)
        said = [repr(registry), repr(registry._store), registry.root]
        for ask in (
            lambda registry=registry: registry.get("churn@1"),
            lambda registry=registry: registry.models(),
            lambda registry=registry: registry.register("churn", tmp_path / "model"),
        ):
            with pytest.raises(FlowregError) as error:
                ask()
            said += [str(error.value), repr(error.value), str(error.value.facts)]

        assert SECRET not in " ".join(said)


@pytest.mark.s3
def test_no_credentials_is_unavailable(seaweed: Any, tmp_path: Path) -> None:
    """A bucket without any key in sight: the storage did not do it, nothing was written."""
    (tmp_path / "model").write_bytes(b"x")
    registry = Registry(f"{seaweed.new_prefix()}/r", storage_options={"endpoint_url": seaweed.endpoint_url})

    for ask in (lambda: registry.get("churn@1"), registry.models, lambda: registry.register("churn", tmp_path / "model")):
        with pytest.raises(Unavailable):
            ask()


@pytest.mark.parametrize("root", ["", "  ", "a\0b", "simplecache::s3://bucket/x", "zip://x::file:///tmp/y.zip", b"/tmp/x"])
def test_what_is_no_root_is_refused_at_once(root: Any) -> None:
    """Before anything is opened."""
    with pytest.raises(BadInput):
        open_store(root)


def test_a_filesystem_that_nobody_has_is_refused_when_it_is_asked() -> None:
    """With the line that would install it, if there were one."""
    with pytest.raises(BadInput, match="cannot open the root 'nosuchprotocol://x'"):
        Registry("nosuchprotocol://x").models()
