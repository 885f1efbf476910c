"""Prefect assets: a version is one, made from its data and its parents; what an alias names is one, made from the version.

Rule 1: the keys say where the registry lies: ``flowreg://s3/models/registry/churn@12``, ``…/churn@champion``; data has its own URI. No
key carries credentials, nor a character that Prefect forbids: that is ``~`` and its hexadecimal digits.
Rule 2: events, in the form that Prefect's own ``@materialize`` gives them, since what is registered is only known inside the task.
Prefect's open-source server keeps them and draws no page of them.
Rule 3: assets that come into the task, from a ``@materialize`` task before it, are upstream too; a task that is given the version
has the version upstream.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from prefect.assets import Asset, AssetProperties
from prefect.context import AssetContext, FlowRunContext, TaskRunContext
from pydantic import ValidationError

from ..core.events import Dataset, write_measure
from ..core.pages import artifact_page
from ..core.views import AliasMove, Version
from ..lineage.masking import without_credentials
from .keys import HISTORY, artifact_key
from .sending import tell
from .surroundings import in_run, page_of_run

KEY_LIMIT = 512  # Prefect's
UPSTREAM_LIMIT = 80  # of the 100 related resources that an event may have; Prefect adds the run's

_FORBIDDEN = re.compile(r"[\s\0#?&%\"'<>\[\]{}|\\^`]")
_SCHEME = re.compile(r"[^a-z0-9]")


def materialise_version(version: Version, *, root: str) -> None:
    """Say that this run made the version, of which data and parents."""
    asset = _asset(version.model, f"{version.model}@{version.number}", root)
    metadata = {
        "digest": version.digest, "format": version.loader, "size_bytes": version.size_bytes,
        "metrics": {name: write_measure(value) for name, value in version.metrics.items()},
    }  # fmt: skip
    _materialise(asset, sorted({*_made_of(version, root), *_handed_in()} - {asset.key}), metadata)


def materialise_alias(move: AliasMove, *, root: str) -> None:
    """Say that this run made an alias name the version: for whom the champion is an asset."""
    asset = _asset(move.model, f"{move.model}@{move.alias}", root)
    metadata = {"version": move.version.number, "digest": move.version.digest, "previous": move.previous, "how": move.how}
    _materialise(asset, [asset_key(f"{move.model}@{move.version.number}", root=root)], metadata)


def asset_key(ref: str, *, root: str) -> str:
    """``flowreg://s3/models/registry/churn@12``

    >>> asset_key("churn@12", root="s3://models/registry"), asset_key("churn@champion", root="/srv/our models")
    ('flowreg://s3/models/registry/churn@12', 'flowreg://file/srv/our~20models/churn@champion')
    """
    scheme, _, rest = without_credentials(root).partition("://") if "://" in root else ("file", "", root)
    place = _spelt(f"{scheme}/{rest.strip('/')}")
    key = f"flowreg://{place}/{_spelt(ref)}"
    return key if len(key) <= KEY_LIMIT else f"flowreg://{_short(place)}/{_spelt(ref)}"[:KEY_LIMIT]


def data_key(data: Dataset) -> str | None:
    """The key of data: its URI, without credentials and query; ``dataset://…`` where it has only a name or a digest."""
    if data.uri and "://" in data.uri:
        scheme, _, rest = without_credentials(data.uri).partition("://")
        return _fitting(f"{_SCHEME.sub('', scheme.lower())}://{_spelt(rest)}")
    if data.uri:
        return _fitting(f"file:///{_spelt(data.uri.lstrip('/'))}")
    named = data.name or data.digest
    return _fitting(f"dataset://{_spelt(named)}") if named else None


def _asset(model: str, ref: str, root: str) -> Asset:
    page = artifact_page(page_of_run(), artifact_key(model, HISTORY))
    return Asset(key=asset_key(ref, root=root), properties=AssetProperties(name=ref, **({"url": page} if page else {})))


def _made_of(version: Version, root: str) -> Iterator[str]:
    yield from filter(None, map(data_key, version.data))
    for parent in version.parents:
        yield asset_key(f"{parent.model}@{parent.version}", root=root)


def _handed_in() -> set[str]:
    """What the results of other tasks, that this task was given, were made of or are."""
    context = AssetContext.get()
    return {asset.key for asset in context.upstream_assets | context.direct_asset_dependencies} if context else set()


def _materialise(asset: Asset, upstream: list[str], metadata: dict[str, object]) -> None:
    if not in_run():
        return
    known, what = list(filter(None, map(_valid, upstream))), f"{asset.key} was made"
    for key in known[:UPSTREAM_LIMIT]:
        tell("prefect.asset.referenced", resource={"prefect.resource.id": key}, payload={}, what=what)
    related = [{"prefect.resource.id": key, "prefect.resource.role": "asset"} for key in known[:UPSTREAM_LIMIT]]
    tell(
        "prefect.asset.materialization.succeeded",
        resource=AssetContext.asset_as_resource(asset),
        related=[*related, AssetContext.related_materialized_by("flowreg")],
        payload=metadata | ({"upstream_left_out": len(known) - UPSTREAM_LIMIT} if len(known) > UPSTREAM_LIMIT else {}),
        what=what,
    )
    _hand_on(asset)


def _hand_on(asset: Asset) -> None:
    """Let Prefect know the asset as upstream of the tasks that get this task's result, as after ``@materialize``."""
    flow_context, task_context = FlowRunContext.get(), TaskRunContext.get()
    if flow_context is not None and task_context is not None:
        flow_context.task_run_assets[task_context.task_run.id] = {asset}


def _valid(key: str) -> str | None:
    try:
        return Asset(key=key).key
    except ValidationError:
        return None


def _spelt(text: str) -> str:
    return _FORBIDDEN.sub(lambda found: "".join(f"~{byte:02x}" for byte in found[0].encode()), text)


def _fitting(key: str) -> str:
    scheme, _, rest = key.partition("://")
    return key if len(key) <= KEY_LIMIT else f"{scheme}://{_short(rest)}"


def _short(text: str) -> str:
    return f"{text[:200]}~{hashlib.sha256(text.encode()).hexdigest()[:32]}"
