"""What may only be read is read like the rest, and refused for writing with the reason; and README's table is the table of proofs."""

from __future__ import annotations

import functools
import http.server
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowreg import Refused, Registry
from flowreg.storage.probe import probe, reason_against_first
from flowreg.storage.store import PROOFS, Proof, open_on_trial, open_store
from tests.conftest import Root
from tests.servers.need import need_module
from tests.servers.rclone import rclone

README = Path(__file__).parents[2] / "README.md"
KINDS = ("zip", "zip-folder", "http", "dir", "simplecache")


@pytest.fixture(params=KINDS)
def published(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Root]:
    """One registry, published in different ways."""
    folder = tmp_path / "registry"
    registry = Registry(folder)
    registry.promote(registry.register("m", {"w": 1}, trust="pickle"), to="champion")
    registry.flush()
    match request.param:
        case "zip" | "zip-folder":
            inside = "" if request.param == "zip" else "registry/"
            with zipfile.ZipFile(tmp_path / "r.zip", "w") as archive:
                for file in filter(Path.is_file, folder.rglob("*")):
                    archive.write(file, f"{inside}{file.relative_to(folder)}")
            yield Root(f"{tmp_path / 'r.zip'}/{inside}".rstrip("/"), {})
        case "http":
            need_module("aiohttp", "pip install aiohttp")
            handler = functools.partial(QuietHandler, directory=str(folder))
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
            yield Root(f"http://127.0.0.1:{server.server_port}", {})
            server.shutdown()
            server.server_close()
        case "dir":
            yield Root("dir://", {"path": str(folder), "target_protocol": "file"})
        case "simplecache":
            yield Root(f"simplecache://{folder}", {"target_protocol": "file", "cache_storage": str(tmp_path / "cache")})


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None: ...


def test_it_is_read_and_not_written(published: Root, tmp_path: Path) -> None:
    """Resolved, loaded, listed; a write is refused and changes no file."""
    registry = Registry(published.url, storage_options=published.storage_options)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "cache" not in path.parts}

    assert registry.load("m@champion", trust=True) == {"w": 1}
    assert registry.get("m@1").number == 1
    with pytest.raises(Refused, match="can be read, but not written"):
        registry.register("m", {"w": 2}, trust="pickle")
    assert {path: path.read_bytes() for path in before} == before


def test_the_probe_finds_each_promise_and_leaves_nothing(place: Root) -> None:
    """On a filesystem with a proof every promise holds, and what was tried is removed."""
    found = probe(lambda: open_on_trial(*place))

    assert [(p.name, p.seen) for p in found if p.needed and not p.held] == []
    assert [p.name for p in found] == ["created once", "one winner", "listed at once", "large file whole", "clock"]
    store = open_store(*place)
    assert [name for folder in store.names("blobs/incoming") for name in store.names(f"blobs/incoming/{folder}")] == []


@pytest.mark.s3
def test_a_server_that_ignores_the_condition_gets_no_registry(tmp_path: Path) -> None:
    """It says 200 and overwrites: found before the first entry, by creating one file twice."""
    with rclone() as server:
        root = f"{server.new_prefix()}/registry"

        assert "a second time" in (reason_against_first(lambda: open_on_trial(root, server.storage_options)) or "")
        with pytest.raises(Refused, match="takes a file a second time"):
            Registry(root, storage_options=server.storage_options).register("m", {"w": 1}, trust="pickle")
        assert open_store(root, server.storage_options).names("journal") == []


def as_row(proof: Proof) -> str:
    names = ", ".join(f"`{name}://`" for name in (proof.protocol, *proof.also)) if proof.protocol != "file" else "a folder"
    return f"| {names} | {proof.mechanism} | {proof.package} | {proof.raced_on} | {proof.weaker} |"


def test_readme_has_the_table_of_proofs() -> None:
    """Row by row, and no other."""
    section = README.read_text(encoding="utf-8").partition("## Where a registry can lie")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]

    assert rows[2:] == [as_row(proof) for proof in PROOFS.values()]
