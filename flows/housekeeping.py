"""Checks the registry, and collects what nothing refers to. Deployed as ``housekeeping/weekly``."""

from __future__ import annotations

from datetime import timedelta

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flowreg import Corrupt
from flowreg.check.report import Report
from flowreg.collected import Collection
from flowreg.prefect import ModelRegistry, notify
from flowreg.prefect.markdown import escaped
from flowreg.prefect.resolve import resolve

SHOWN = 50


@flow(name="housekeeping")
def housekeeping(
    read_data: bool = False,
    grace_days: float = 7,
    retired: bool = False,
    to: list[str] | None = None,
    registry: ModelRegistry | str | None = None,
) -> Collection:
    """Check every file of the registry; if nothing is wrong, remove blobs that nothing refers to.

    Faults fail the run, are told to the notification blocks ``to``, and nothing is removed.

    Args:
        read_data: Read every byte of every blob, too.
        grace_days: How old a blob must be before it is removed.
        retired: Remove the files of versions that were retired longer ago than the grace, too.
        to: Notification blocks as type/name, such as slack-webhook/ops.
    """
    report = check(read_data, registry)
    if not report.ok:
        faults = [f"{each.where}: {each.what}; {each.meaning}" for each in report.faults]
        notify(to, f"{len(faults)} faults in the registry {report.root}", "\n".join(faults[:SHOWN]))
        raise Corrupt(f"the registry has {len(faults)} faults", where=faults[0], do="see all of them with flowreg check", code="faults")
    return collect(grace_days, retired, registry)


@task(cache_policy=NO_CACHE)
def check(read_data: bool, registry: ModelRegistry | str | None) -> Report:
    """What ``flowreg check`` finds, as a Prefect artifact too."""
    report = resolve(registry).check(read_data=read_data)
    lines = [f"- **{each.severity}** `{each.code}` {escaped(each.where)}: {escaped(each.what)}" for each in report.findings[:SHOWN]]
    seen = report.checked
    told = f"{seen.models} models, {seen.entries} entries, {seen.blobs} blobs: {len(report.faults)} faults, {len(report.notes)} notes"
    create_markdown_artifact("\n".join([told, "", *lines]), key="flowreg-check", description="What flowreg check found", _sync=True)
    return report


@task(cache_policy=NO_CACHE)
def collect(grace_days: float, retired: bool, registry: ModelRegistry | str | None) -> Collection:
    """What ``flowreg collect --now`` does."""
    return resolve(registry).collect(dry_run=False, grace=timedelta(days=grace_days), retired=retired)


if __name__ == "__main__":
    housekeeping()
