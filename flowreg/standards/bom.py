"""A CycloneDX 1.6 bill of materials of one version, with its model card (https://cyclonedx.org/docs/1.6/json/).

Written by hand, since cyclonedx-python-lib drops ``modelCard`` when it writes; tests validate it with that library's strict validator.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.cards import sections
from ..core.events import Dataset, write_measure
from ..version import VERSION
from .names import dataset_name, purl_of, sha256_of, uri_of, uuid_of
from .told import Told

MODEL = "version"
_USES = ("intended_use", "intended_uses", "uses", "direct_use")
_LIMITS = ("limitations", "bias_risks_and_limitations", "out_of_scope_use")
_ETHICS = ("ethical_considerations", "risks")
_TEXT_LIMIT = 20_000


def bom(told: Told) -> dict[str, Any]:
    """The bill of materials: the version, its files, its data, the versions it was made of, and the packages of its run."""
    parts = [*_files(told), *_datasets(told), *_parents(told), *_packages(told)]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid_of(told.registry, told.name, told.version.digest, told.known_at)}",
        "version": 1,
        "metadata": {
            "timestamp": told.known_at,
            "tools": {"components": [{"type": "application", "name": "flowreg", "version": VERSION}]},
            "component": _model(told),
        },
        "components": parts,
        "dependencies": [{"ref": MODEL, "dependsOn": [part["bom-ref"] for part in parts if not part["bom-ref"].startswith("file:")]}],
    }


def _model(told: Told) -> dict[str, Any]:
    version, labels = told.version, told.version.labels
    return _known(
        {
            "type": "machine-learning-model",
            "bom-ref": MODEL,
            "name": version.model,
            "version": str(version.number),
            "description": labels.get("purpose"),
            "authors": [{"name": version.by.actor}],
            "publisher": labels.get("owner"),
            "hashes": _hashes(version.digest),
            "modelCard": _card(told),
            "properties": list(_properties(told)),
        }
    )


def _card(told: Told) -> dict[str, Any]:
    written = sections(told.card or "")
    signature = told.version.signature or {}
    inputs = signature.get("inputs") if isinstance(signature.get("inputs"), list | tuple) else ()
    return _known(
        {
            "modelParameters": _known(
                {
                    "modelArchitecture": str(told.version.params["family"]) if "family" in told.version.params else None,
                    "datasets": [{"ref": f"data:{place}"} for place, _ in enumerate(told.version.data)],
                    "inputs": [{"format": f"{field['name']}: {field['type']}"} for field in inputs or () if _is_field(field)],
                }
            ),
            "quantitativeAnalysis": _known({"performanceMetrics": list(_metrics(told))}),
            "considerations": _known(
                {
                    "useCases": _texts(written, _USES),
                    "technicalLimitations": _texts(written, _LIMITS),
                    "ethicalConsiderations": [{"name": text} for text in _texts(written, _ETHICS)],
                }
            ),
        }
    )


def _metrics(told: Told) -> Iterator[dict[str, Any]]:
    for evaluation, rows in zip(told.version.evaluations, told.slices, strict=True):
        on = {"slice": f"dataset={evaluation.dataset}"} if evaluation.dataset else {}
        for name, value in evaluation.metrics.items():
            yield {"type": name, "value": str(write_measure(value)), **on}
        for row in rows:
            where = ",".join(f"{name}={value}" for name, value in sorted(row["slice"].items()))
            named = f"dataset={evaluation.dataset},{where}" if evaluation.dataset else where
            yield {"type": row["metric"], "value": str(write_measure(row["value"])), "slice": named}


def _files(told: Told) -> Iterator[dict[str, Any]]:
    for file in told.files:
        size = [{"name": "flowreg:size_bytes", "value": str(file.size_bytes)}]
        yield {"type": "file", "bom-ref": f"file:{file.path}", "name": file.path, "hashes": _hashes(file.digest), "properties": size}


def _datasets(told: Told) -> Iterator[dict[str, Any]]:
    for place, data in enumerate(told.version.data):
        name = dataset_name(data)
        contents = _known({"url": _iri(data.uri)})
        yield _known(
            {
                "type": "data", "bom-ref": f"data:{place}", "name": name, "hashes": _hashes(data.digest),
                "data": [_known({"type": "dataset", "name": name, "contents": contents})],
                "properties": list(_about_data(data)),
            }
        )  # fmt: skip


def _iri(place: str | None) -> str | None:
    """Without addresses of IPv6, which common validators of CycloneDX take for no IRI; the property ``flowreg:uri`` has them."""
    uri = uri_of(place)
    return None if uri is None or "[" in uri else uri


def _about_data(data: Dataset) -> Iterator[dict[str, str]]:
    for name, value in (
        ("role", data.role),
        ("rows", data.rows),
        ("size_bytes", data.size_bytes),
        ("digest", data.digest),
        ("uri", data.uri),
    ):
        if value is not None:
            yield {"name": f"flowreg:{name}", "value": str(value)}


def _parents(told: Told) -> Iterator[dict[str, Any]]:
    for parent in told.version.parents:
        yield {
            "type": "machine-learning-model", "bom-ref": f"version:{parent.model}@{parent.version}", "name": parent.model,
            "version": str(parent.version), "hashes": _hashes(parent.manifest),
        }  # fmt: skip


def _packages(told: Told) -> Iterator[dict[str, Any]]:
    for package in told.packages:
        purl = purl_of(package.name, package.version)
        part = {"type": "library", "bom-ref": purl, "name": package.name, "version": package.version, "purl": purl}
        if package.source:
            part["properties"] = [{"name": "flowreg:installed-from", "value": package.source}]  # type: ignore[assignment]
        yield part


def _properties(told: Told) -> Iterator[dict[str, str]]:
    version, run = told.version, told.run
    said = {
        "digest": version.digest, "stamp": version.stamp, "registry": told.registry, "root": told.root, "format": version.loader,
        "registered_at": version.registered_at, "flow_run": run.flow_run, "deployment": run.deployment, "retired": version.retired,
        "git_commit": run.git.commit if run.git else None, "image": run.image, "image_digest": run.image_digest,
    }  # fmt: skip
    yield from ({"name": f"flowreg:{name}", "value": str(value)} for name, value in said.items() if value is not None)
    yield from ({"name": f"flowreg:label:{name}", "value": value} for name, value in sorted(version.labels.items()))
    yield from ({"name": f"flowreg:alias:{name}", "value": "held"} for name in version.aliases)


def _hashes(digest: str | None) -> list[dict[str, str]]:
    digits = sha256_of(digest)
    return [{"alg": "SHA-256", "content": digits}] if digits else []


def _texts(written: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    return [written[name][:_TEXT_LIMIT] for name in names if written.get(name, "").strip()]


def _is_field(field: Any) -> bool:
    return isinstance(field, Mapping) and "name" in field and "type" in field


def _known(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None and value != [] and value != {}}
