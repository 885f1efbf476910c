"""What is there now of what a version was made of: its data, and the packages and the machine of this process."""

from __future__ import annotations

import time
from collections.abc import Mapping

from .. import reading
from ..core import decide
from ..core.events import Dataset
from ..core.views import Version, version_view
from ..errors import FlowregError
from ..inside import Inside, VersionRef
from ..lineage.attempts import Attempts
from ..lineage.data import dataset, local_path
from ..lineage.environment import installed_packages, read_environment
from ..standards.told import packages_of
from .plan import DataNow, Plan, data_now, planned

BUDGET_S = 5.0


def plan(inside: Inside, ref: VersionRef) -> Plan:
    """What it would take to make a version again. Reads its data again; runs nothing."""
    version = the_version(inside, ref)
    then = {
        package.name: package.version + (f" @ {package.source}" if package.source else "") for package in packages_of(inside.store, version)
    }
    here = read_environment(Attempts(time.monotonic() + BUDGET_S))
    return planned(version, tuple(_now(data) for data in version.data), then, packages_here(), here)


def the_version(inside: Inside, ref: VersionRef) -> Version:
    parsed = reading.as_ref(ref)
    state = inside.state(parsed.model)
    return version_view(parsed.model, state, decide.resolve(state, parsed))


def packages_here() -> Mapping[str, str]:
    """The packages of this process, by name."""
    lines = installed_packages().decode("utf-8", "replace").splitlines()
    return dict(line.partition("==")[::2] for line in lines)


def _now(said: Dataset) -> DataNow:
    """What lies at the place of a dataset: a local file is read again, of anything else nobody can tell here."""
    path = local_path(said.uri) if said.uri else None
    if path is None or said.digest is None:
        return data_now(said, None, "cannot tell")
    if not path.exists():
        return data_now(said, None, "gone")
    try:
        digest = dataset(path).digest
    except FlowregError:
        return data_now(said, None, "cannot tell")
    if digest is None or digest.rpartition(":")[0] != said.digest.rpartition(":")[0]:
        return data_now(said, None, "cannot tell")
    return data_now(said, digest, "same" if digest == said.digest else "changed")
