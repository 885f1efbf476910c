"""How many requests S3 is asked, counted by a proxy before a real server.

Requests are what an object store costs in time and money. Unlike seconds they are the same on every machine, so they are asserted.
Heads are written behind the writer's back and may fall into any block: they are counted in a test of their own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from flowreg import Registry
from flowreg.serving import Reader
from tests.servers.counting_proxy import CountingProxy, Request
from tests.servers.s3 import S3Server

pytestmark = pytest.mark.s3

JOURNAL = "models/churn/journal"
HEAD = "heads/churn.json"


class Warm(NamedTuple):
    """A registry on S3 with two versions of ``churn``, the first of which is ``champion``: entries 1 to 3 are written, and the head."""

    registry: Registry
    root: str
    server: S3Server
    proxy: CountingProxy

    def reader(self) -> Reader:
        return Reader(self.root, storage_options=self.server.storage_options)


@pytest.fixture
def warm(counted_s3: tuple[S3Server, CountingProxy], tmp_path: Path) -> Iterator[Warm]:
    server, proxy = counted_s3
    root = f"{server.new_prefix()}/registry"
    registry = Registry(root, storage_options=server.storage_options)
    registry.register("churn", _model(tmp_path))
    registry.register("churn", _model(tmp_path))
    registry.promote("churn@1", to="champion")
    registry.flush()
    yield Warm(registry, root, server, proxy)
    registry.flush()  # nothing is left to be written when the proxy goes away


def test_a_warm_registration_is_three_writes_and_no_read(warm: Warm, tmp_path: Path) -> None:
    """Blob, manifest and entry, each put once; what is known of the model is not asked for again."""
    with warm.proxy.counting() as seen:
        warm.registry.register("churn", _model(tmp_path), metrics={"auc": 0.9}, on="holdout", labels={"team": "risk"})

    assert sorted(_requests(seen)) == ["PUT blob 200", "PUT blob 200", f"PUT {_entry(4)} 200"]


def test_the_entry_is_written_after_the_bytes(warm: Warm, tmp_path: Path) -> None:
    """Whoever sees the entry can fetch what it names: it is the last request of the registration."""
    with warm.proxy.counting() as seen:
        warm.registry.register("churn", _model(tmp_path))

    assert _requests(seen)[-1] == f"PUT {_entry(4)} 200"


def test_a_writer_that_was_overtaken_sends_its_bytes_once(warm: Warm, tmp_path: Path) -> None:
    """Only the entry is put again, at the next free number; the blobs are there already."""
    other = Registry(warm.root, storage_options=warm.server.storage_options)
    other.register("churn", _model(tmp_path))
    other.flush()
    with warm.proxy.counting() as seen:
        warm.registry.register("churn", _model(tmp_path))

    writes = sorted(request for request in _requests(seen) if request.startswith("PUT"))
    assert writes == ["PUT blob 200", "PUT blob 200", f"PUT {_entry(4)} 412", f"PUT {_entry(5)} 200"]


def test_a_registration_writes_the_head_once_and_nothing_else_behind(warm: Warm, tmp_path: Path) -> None:
    """A registration and all that is written for it afterwards are four requests."""
    with warm.proxy.counting() as seen:
        warm.registry.register("churn", _model(tmp_path))
        warm.registry.flush()

    assert sorted(_said(request) for request in seen) == ["PUT blob 200", "PUT blob 200", f"PUT {HEAD} 200", f"PUT {_entry(4)} 200"]


def test_resolving_an_alias_is_the_head_and_one_look_ahead(warm: Warm) -> None:
    """Two round trips, in a cold reader and in a warm one: the head, then its entry and the next two numbers asked for together."""
    reader = warm.reader()
    with warm.proxy.counting() as cold:
        assert reader.resolve("churn@champion").number == 1
    with warm.proxy.counting() as again:
        assert reader.resolve("churn@champion").number == 1

    for seen in (_requests(cold), _requests(again)):
        assert seen[0] == f"GET {HEAD} 200"
        assert sorted(seen[1:]) == [f"GET {_entry(3)} 200", f"GET {_entry(4)} 404", f"GET {_entry(5)} 404"]


def test_resolving_without_looking_ahead_is_one_read(warm: Warm) -> None:
    """``fresh=False`` reads the head and believes it."""
    reader = warm.reader()
    with warm.proxy.counting() as seen:
        assert reader.resolve("churn@champion", fresh=False).number == 1

    assert _requests(seen) == [f"GET {HEAD} 200"]


def test_getting_a_version_warm_is_one_look_ahead(warm: Warm) -> None:
    """One round trip: is there anything newer than what is known?"""
    with warm.proxy.counting() as seen:
        assert warm.registry.get("churn@champion").number == 1

    assert sorted(_requests(seen)) == [f"GET {_entry(4)} 404", f"GET {_entry(5)} 404"]


def _requests(seen: Iterable[Request]) -> list[str]:
    """What was asked, in order, without the writing of heads."""
    return [said for said in map(_said, seen) if not said.startswith(f"PUT {HEAD}")]


def _said(request: Request) -> str:
    place = request.path.partition("/registry/")[2] or f"{request.path}?{request.query}"
    return f"{request.method} {'blob' if place.startswith('blobs/') else place} {request.status}"


def _entry(seq: int) -> str:
    return f"{JOURNAL}/{seq:020d}.json"


def _model(folder: Path) -> Path:
    """A new file of 1 MiB that nobody has registered before."""
    path = folder / f"{os.urandom(6).hex()}.bin"
    path.write_bytes(os.urandom(1 << 20))
    return path


def test_a_warm_append_is_one_write_and_no_read(warm: Warm) -> None:
    """A label, metrics, an alias without a policy: the entry is put, and nothing else is asked."""
    with warm.proxy.counting() as seen:
        warm.registry.label("churn@1", {"team": "risk"})
        warm.registry.evaluate("churn@2", {"auc": 0.9}, on="holdout")

    assert _requests(seen) == [f"PUT {_entry(4)} 200", f"PUT {_entry(5)} 200"]


def test_a_writer_that_was_overtaken_reads_what_is_new_at_once_and_writes_again(warm: Warm) -> None:
    """The refused put, one look at who was first, one batch of the unseen entries and their end, the put."""
    other = Registry(warm.root, storage_options=warm.server.storage_options)
    other.label("churn@1", {"team": "risk"})
    other.flush()
    with warm.proxy.counting() as seen:
        warm.registry.label("churn@1", {"size": "big"})

    asked = _requests(seen)
    assert asked[:2] == [f"PUT {_entry(4)} 412", f"GET {_entry(4)} 200"]
    news = [f"GET {_entry(4)} 200", f"GET {_entry(5)} 404", f"GET {_entry(6)} 404"]
    assert sorted(asked[2:-2]) == news
    assert asked[-2] == news[0], "over plain HTTP what is built on is read once more"
    assert asked[-1] == f"PUT {_entry(5)} 200"
