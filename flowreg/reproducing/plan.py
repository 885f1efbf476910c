"""What it would take to make a version again, here and now: the record against what is there. Pure but for ``looking``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..core.events import Dataset, Environment, Run
from ..core.views import Version
from ..lineage.masking import MASK
from ..standards.names import dataset_name

Now = Literal["same", "changed", "gone", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was: ``what`` it is, ``then`` and ``now``."""

    what: str
    then: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class DataNow:
    """A dataset of the record, and what lies there now."""

    name: str
    uri: str | None
    role: str | None
    then: str | None
    now: str | None
    found: Now


@dataclass(frozen=True, slots=True)
class Plan:
    """What ``flowreg reproduce`` would do.

    ``secrets`` are parameters whose values were not kept and must be given, ``obstacles`` what stands in the way of running it,
    ``extra_packages`` how many are here that were not there.
    """

    ref: str
    digest: str
    run: Run
    data: tuple[DataNow, ...]
    packages: tuple[Change, ...]
    extra_packages: int
    environment: tuple[Change, ...]
    secrets: tuple[str, ...]
    obstacles: tuple[str, ...]
    golden: bool

    @property
    def ready(self) -> bool:
        """Whether it could be run, as far as anybody knows."""
        return not self.obstacles


def planned(version: Version, data: tuple[DataNow, ...], then: Mapping[str, str], now: Mapping[str, str], here: Environment) -> Plan:
    """The plan, of the record and of what was found here."""
    run = version.run or Run()
    changes = tuple(Change(name, then[name], now.get(name)) for name in sorted(then) if now.get(name) != then[name]) if then else ()
    secrets = tuple(name for name, value in run.parameters.items() if _hides(value))
    return Plan(
        ref=version.ref, digest=version.digest, run=run, data=data, packages=changes,
        extra_packages=len(set(now) - set(then)) if then else 0,
        environment=tuple(_environment(run.environment, here)), secrets=secrets, obstacles=tuple(_obstacles(version, run)),
        golden=version.golden is not None,
    )  # fmt: skip


def data_now(data: Dataset, digest: str | None, found: Now) -> DataNow:
    return DataNow(dataset_name(data), data.uri, data.role, data.digest, digest, found)


def _hides(value: Any) -> bool:
    match value:
        case str():
            return MASK in value
        case Mapping():
            return any(map(_hides, value.values()))
        case list() | tuple():
            return any(map(_hides, value))
    return False


def _environment(then: Environment | None, now: Environment) -> list[Change]:
    if then is None:
        return []
    pairs: list[tuple[str, Any, Any]] = [
        ("Python", then.python, now.python), ("platform", then.platform, now.platform), ("processor", then.cpu, now.cpu),
        ("accelerators", ", ".join(then.accelerators) or None, ", ".join(now.accelerators) or None),
    ]  # fmt: skip
    pairs += [(name, then.libraries.get(name), now.libraries.get(name)) for name in sorted({*then.libraries, *now.libraries} - {"blas"})]
    return [
        Change(name, a, b) for name, a, b in pairs if a != b and not (a is None and name not in then.libraries and name != "accelerators")
    ]


def _obstacles(version: Version, run: Run) -> list[str]:
    found = []
    if run.git is None or run.git.commit is None:
        found.append("the commit it was made from was not recorded")
    if run.entrypoint is None:
        found.append("the flow that made it was not recorded: it was not registered inside a flow")
    if run.git and run.git.dirty and run.git.diff is None and run.git.untracked is None:
        found.append("the code had changes that were not committed, and they were not kept")
    if version.dropped is not None:
        found.append("its files are kept no more, so there is nothing to compare with")
    return found
