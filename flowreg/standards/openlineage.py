"""OpenLineage run events: the run that registered a version, and those that measured it.

By https://openlineage.io/spec/2-0-2/OpenLineage.json. The model is an output dataset of its run; its version and what it is stand in
facets, one of them our own, whose schema is ``model_facet.schema.json``. When a run began is not recorded: START has the moment of
the entry, as COMPLETE has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..core.events import Dataset, Run, write_measure
from ..core.views import Evaluation
from .names import PRODUCER, dataset_name, run_uuid, uri_of, uuid_of
from .told import Told

EVENT = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
MODEL_FACET = "urn:flowreg:openlineage:model:v1"
METRICS_FACET = "urn:flowreg:openlineage:metrics:v1"
_FACETS = "https://openlineage.io/spec/facets"
_VERSION = f"{_FACETS}/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
_SCHEMA = f"{_FACETS}/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet"
_PARENT = f"{_FACETS}/1-2-0/ParentRunFacet.json#/$defs/ParentRunFacet"
_JOB_TYPE = f"{_FACETS}/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet"
_SOURCE = f"{_FACETS}/1-1-0/SourceCodeLocationJobFacet.json#/$defs/SourceCodeLocationJobFacet"
_INPUT = f"{_FACETS}/1-0-0/InputStatisticsInputDatasetFacet.json#/$defs/InputStatisticsInputDatasetFacet"
_OUTPUT = f"{_FACETS}/1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet"


def events(told: Told) -> list[dict[str, Any]]:
    """START and COMPLETE of the registration, then of each evaluation, the oldest first."""
    found = _both(told.version.registered_at, _run(told), _job(told, told.run, "register"), _inputs(told), [_output(told)])
    for number, evaluation in enumerate(told.version.evaluations):
        found += _both(evaluation.recorded_at, *_measuring(told, number, evaluation))
    return found


def _both(
    at: str, run: dict[str, Any], job: dict[str, Any], inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    common = {"eventTime": at, "producer": PRODUCER, "schemaURL": EVENT, "run": run, "job": job, "inputs": inputs, "outputs": outputs}
    return [{"eventType": kind, **common} for kind in ("START", "COMPLETE")]


def _run(told: Told) -> dict[str, Any]:
    run = told.run
    facets = {}
    if run.parent_flow_run:
        facets["parent"] = _facet(
            _PARENT, run={"runId": run_uuid(run.parent_flow_run)}, job={"namespace": _namespace(told), "name": "flow"}
        )
    return {"runId": run_uuid(run.flow_run, told.registry, told.name), "facets": facets}


def _measuring(told: Told, number: int, evaluation: Evaluation) -> tuple[Any, ...]:
    run = evaluation.run or Run()
    by = {"runId": uuid_of(run.flow_run, told.registry, told.name, "evaluation", str(number)), "facets": {}}
    if run.flow_run:
        parent = {
            "run": {"runId": run_uuid(run.flow_run)},
            "job": {"namespace": _namespace(told), "name": run.deployment or run.flow or "flow"},
        }
        by["facets"] = {"parent": _facet(_PARENT, **parent)}
    on = Dataset(name=evaluation.dataset, digest=evaluation.dataset_digest, rows=evaluation.n)
    inputs = [_version(told, told.version.model, told.version.number, told.version.digest)]
    if evaluation.dataset or evaluation.dataset_digest:
        inputs.append(_input(told, on))
    metrics = {name: write_measure(value) for name, value in evaluation.metrics.items()}
    output = {
        "namespace": _namespace(told),
        "name": f"{told.version.model}/evaluations",
        "facets": {"flowreg_metrics": _facet(METRICS_FACET, metrics=metrics)},
    }
    return by, _job(told, run, "evaluate"), inputs, [output]


def _job(told: Told, run: Run, otherwise: str) -> dict[str, Any]:
    name = run.deployment or run.flow
    integration, kind = ("PREFECT", "FLOW") if run.flow else ("FLOWREG", "COMMAND")
    facets: dict[str, Any] = {"jobType": _facet(_JOB_TYPE, processingType="BATCH", integration=integration, jobType=kind)}
    git = run.git
    remote = uri_of(git.remote) if git else None
    if git and remote and git.commit:
        code = {"type": "git", "url": remote, "repoUrl": remote, "version": git.commit, "branch": git.branch}
        path = (run.entrypoint or "").rpartition(":")[0] or None
        facets["sourceCodeLocation"] = _facet(_SOURCE, **{k: v for k, v in {**code, "path": path}.items() if v})
    suffix = "" if otherwise == "register" else f".{otherwise}"
    return {"namespace": _namespace(told), "name": f"{name}{suffix}" if name else f"{otherwise}.{told.version.model}", "facets": facets}


def _inputs(told: Told) -> list[dict[str, Any]]:
    return [_input(told, data) for data in told.version.data] + [
        _version(told, parent.model, parent.version, parent.manifest) for parent in told.version.parents
    ]


def _input(told: Told, data: Dataset) -> dict[str, Any]:
    namespace, name = _place(told, data)
    facets: dict[str, Any] = {}
    if data.digest:
        facets["version"] = _facet(_VERSION, datasetVersion=data.digest)
    if data.columns:
        facets["schema"] = _facet(_SCHEMA, fields=[{"name": column, "type": type_} for column, type_ in data.columns.items()])
    said = {name: value for name, value in (("rowCount", data.rows), ("size", data.size_bytes)) if value is not None}
    found = {"namespace": namespace, "name": name, "facets": facets}
    return found | {"inputFacets": {"inputStatistics": _facet(_INPUT, **said)}} if said else found


def _version(told: Told, model: str, number: int, digest: str) -> dict[str, Any]:
    return {"namespace": _namespace(told), "name": model, "facets": {"version": _facet(_VERSION, datasetVersion=f"{number}+{digest}")}}


def _output(told: Told) -> dict[str, Any]:
    version = told.version
    found = _version(told, version.model, version.number, version.digest)
    found["facets"]["flowreg_model"] = _facet(
        MODEL_FACET, ref=version.ref, stamp=version.stamp, digest=version.digest, format=version.loader, labels=dict(version.labels),
        params=dict(version.params), metrics={name: write_measure(value) for name, value in version.metrics.items()},
        aliases=list(version.aliases),
    )  # fmt: skip
    if fields := list(_fields(version.signature)):
        found["facets"]["schema"] = _facet(_SCHEMA, fields=fields)
    return found | {"outputFacets": {"outputStatistics": _facet(_OUTPUT, size=version.size_bytes, fileCount=version.file_count)}}


def _fields(signature: Mapping[str, Any] | None) -> Iterator[dict[str, str]]:
    inputs = (signature or {}).get("inputs")
    for field in inputs if isinstance(inputs, list | tuple) else ():
        if isinstance(field, Mapping) and "name" in field:
            yield {"name": str(field["name"]), "type": str(field.get("type", "any"))}


def _place(told: Told, data: Dataset) -> tuple[str, str]:
    """Namespace and name as OpenLineage names datasets: ``s3://lake`` and ``x.parquet``; ``file`` and the path of a local file."""
    if data.uri and "://" in data.uri:
        parts = urlsplit(data.uri)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", parts.path.lstrip("/") or "/"
    if data.uri and ("/" in data.uri or "\\" in data.uri):
        return "file", data.uri
    return _namespace(told), dataset_name(data)


def _namespace(told: Told) -> str:
    """A registry is where its models have names of their own."""
    return told.root if "://" in told.root else f"file:{told.root}"


def _facet(schema: str, **said: Any) -> dict[str, Any]:
    return {"_producer": PRODUCER, "_schemaURL": schema, **said}
