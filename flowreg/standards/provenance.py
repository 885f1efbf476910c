"""An in-toto Statement (v1) with SLSA provenance (v1): from what, by what and where a version was made.

https://in-toto.io/Statement/v1, https://slsa.dev/spec/v1.0/provenance. It is a statement, not an attestation: nobody has signed it,
and what it says is as true as the journal that it was made from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from .names import dataset_name, sha256_of, uri_of
from .told import Told

BUILD_TYPE = "urn:flowreg:build:registration:v1"  # FORMAT.md 11: a run registered these files as a version
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"


def statement(told: Told) -> dict[str, Any]:
    """The statement about the manifest of a version, which is its identity, and each of its files."""
    return {"_type": STATEMENT, "subject": list(_subjects(told)), "predicateType": PREDICATE, "predicate": _predicate(told)}


def _subjects(told: Told) -> Iterator[dict[str, Any]]:
    yield {"name": told.name, "digest": {"sha256": sha256_of(told.version.digest)}}
    for file in told.files:
        yield {"name": file.path, "digest": {"sha256": sha256_of(file.digest)}}


def _predicate(told: Told) -> dict[str, Any]:
    run, version = told.run, told.version
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": _known(
                {
                    "flow": run.flow, "deployment": run.deployment, "deploymentVersion": run.deployment_version,
                    "entrypoint": run.entrypoint, "parameters": dict(run.parameters), "params": dict(version.params),
                }
            ),
            "internalParameters": _known({"seeds": dict(run.seeds), "environment": _environment(told)}),
            "resolvedDependencies": [_known(each) for each in _dependencies(told)],
        },
        "runDetails": _known(
            {
                "builder": {"id": f"urn:flowreg:builder:{quote(run.work_pool or 'local', safe='')}"},
                "metadata": _known({"invocationId": run.url or run.flow_run, "finishedOn": version.registered_at}),
                "byproducts": [_known(each) for each in _byproducts(told)],
            }
        ),
    }  # fmt: skip


def _environment(told: Told) -> dict[str, Any]:
    environment = told.run.environment
    return environment.model_dump(mode="json", exclude_none=True, exclude={"packages", "lockfile"}) if environment else {}


def _dependencies(told: Told) -> Iterator[dict[str, Any]]:
    run, environment = told.run, told.run.environment
    if run.git and run.git.commit:
        remote = uri_of(run.git.remote)
        yield {
            "name": "code", "uri": f"git+{remote}" if remote else None, "digest": {"gitCommit": run.git.commit},
            "annotations": _known({"branch": run.git.branch, "dirty": run.git.dirty, "place": None if remote else run.git.remote}),
        }  # fmt: skip
    if run.image or run.image_digest:
        yield {"name": "image", "uri": uri_of(f"oci://{run.image}") if run.image else None, "digest": _sha256(run.image_digest)}
    if environment and environment.lockfile:
        yield {"name": environment.lockfile.path, "digest": _sha256(environment.lockfile.digest)}
    for data in told.version.data:
        yield {
            "name": dataset_name(data), "uri": uri_of(data.uri), "digest": _digest(data.digest),
            "annotations": _known(
                {"role": data.role, "rows": data.rows, "kind": "dataset", "place": None if uri_of(data.uri) else data.uri}
            ),
        }  # fmt: skip
    for parent in told.version.parents:
        yield {"name": f"{parent.model}@{parent.version}", "digest": _sha256(parent.manifest), "annotations": {"kind": "parent version"}}


def _byproducts(told: Told) -> Iterator[dict[str, Any]]:
    git, environment = told.run.git, told.run.environment
    if environment and environment.packages:
        yield {"name": "packages", "digest": _sha256(environment.packages)}
    if git and git.diff:
        yield {"name": "uncommitted changes", "digest": _sha256(git.diff)}
    if git and git.untracked:
        yield {"name": "untracked files", "digest": _sha256(git.untracked)}


def _sha256(digest: str | None) -> dict[str, str]:
    digits = sha256_of(digest)
    return {"sha256": digits} if digits else {}


def _digest(digest: str | None) -> dict[str, str]:
    """A digest of another kind keeps its own name: in-toto allows algorithms of one's own."""
    if digest is None or (found := _sha256(digest)):
        return found if digest else {}
    algorithm, _, value = digest.rpartition(":")
    return {algorithm.replace(":", "-") or "other": value}


def _known(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None and value != {} and value != []}
