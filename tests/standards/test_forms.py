"""Each form is valid by its own standard, says what is known, and nothing else."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from flowreg import BadInput, Registry
from flowreg.core.cards import parts, sections
from flowreg.core.events import Dataset, Git, Run
from flowreg.ids import now
from flowreg.standards.openlineage import MODEL_FACET
from flowreg.standards.sending import _as_event, send

FORMS = ("bom", "provenance", "card", "openlineage")
REFS = ("risk/churn@2", "risk/churn@champion", "bare@1", "base@1")


@pytest.mark.parametrize("ref", REFS)
def test_a_bill_of_materials_is_valid(full: Registry, ref: str) -> None:
    """By the strict validator of CycloneDX 1.6, also where nothing is known but the files."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(full.export(ref, "bom"))) is None


def test_the_validator_would_find_a_fault(full: Registry) -> None:
    """The test above can fail."""
    broken = full.export("bare@1", "bom")
    broken["metadata"]["component"]["modelCard"] = {"quantitativeAnalysis": {"performanceMetrics": [{"kind": "auc"}]}}

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(broken)) is not None


def test_the_bill_of_materials_says_what_is_known(full: Registry) -> None:
    """Model, files, data, parents; metrics with their slices, and what people wrote."""
    found = full.export("risk/churn@2", "bom")

    model = found["metadata"]["component"]
    assert (model["name"], model["version"], model["publisher"], model["description"]) == ("risk/churn", "2", "risk team", "who may leave")
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {"type": "recall", "value": "0.69", "slice": "dataset=holdout,region=*|[x]"} in metrics
    assert {"type": "odd", "value": "NaN", "slice": "dataset=holdout"} in metrics
    assert model["modelCard"]["considerations"]["useCases"][0].startswith("To call people who may leave.")
    parts_ = {part["bom-ref"]: part for part in found["components"]}
    assert parts_["file:model.bin"]["hashes"][0]["content"] == hashlib.sha256(b"the second").hexdigest()
    assert parts_["data:0"]["hashes"][0]["content"] == "d" * 64
    assert parts_["version:base@1"]["hashes"][0]["content"] == full.get("base@1").digest[7:]


def test_provenance_names_its_subjects_and_materials(full: Registry) -> None:
    """in-toto Statement v1 with SLSA provenance v1: required fields, digests by algorithm."""
    said = full.export("risk/churn@2", "provenance")

    assert (said["_type"], said["predicateType"]) == ("https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1")
    assert {subject["name"]: subject["digest"]["sha256"] for subject in said["subject"]} == {
        "risk/churn@2": full.get("risk/churn@2").digest[7:], "model.bin": hashlib.sha256(b"the second").hexdigest(),
    }  # fmt: skip
    build = said["predicate"]["buildDefinition"]
    materials = {each["name"]: each["digest"] for each in build["resolvedDependencies"]}
    assert materials["code"] == {"gitCommit": "a" * 40}
    assert materials["customers.parquet"] == {"sha256": "d" * 64}
    assert materials["image"] == {"sha256": "c" * 64}
    assert build["externalParameters"]["parameters"] == {"day": 3, "token": "********"}
    assert said["predicate"]["runDetails"]["builder"]["id"] == "urn:flowreg:builder:pool"
    assert set(full.export("bare@1", "provenance")["predicate"]) == {"buildDefinition", "runDetails"}


@pytest.mark.parametrize("ref", REFS)
def test_openlineage_events_are_those_of_its_own_client(full: Registry, ref: str) -> None:
    """Its classes take them, and check moments, ids and addresses; every facet has a producer and a schema, ours is valid by it."""
    facet = json.loads(files("flowreg.standards").joinpath("model_facet.schema.json").read_text())
    for said in full.export(ref, "openlineage"):
        _as_event(said)
        assert said["schemaURL"] == _as_event(said).schemaURL
        datetime.fromisoformat(said["eventTime"])
        UUID(said["run"]["runId"])
        for thing in (said["run"], said["job"], *said["inputs"], *said["outputs"]):
            for name in ("facets", "inputFacets", "outputFacets"):
                for each in thing.get(name, {}).values():
                    assert each["_producer"].startswith("urn:flowreg:")
                    assert each["_schemaURL"]
                    if each["_schemaURL"] == MODEL_FACET:
                        jsonschema.validate(each, facet)


def test_the_standard_facets_have_the_schemas_of_the_client(full: Registry) -> None:
    """A facet that its client would write under another address would be another facet."""
    from openlineage.client import facet_v2 as known

    classes: dict[str, Any] = {
        "version": known.dataset_version_dataset.DatasetVersionDatasetFacet, "schema": known.schema_dataset.SchemaDatasetFacet,
        "jobType": known.job_type_job.JobTypeJobFacet, "sourceCodeLocation": known.source_code_location_job.SourceCodeLocationJobFacet,
        "parent": known.parent_run.ParentRunFacet, "inputStatistics": known.input_statistics_input_dataset.InputStatisticsInputDatasetFacet,
        "outputStatistics": known.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    }  # fmt: skip
    seen = set()
    for said in full.export("risk/churn@2", "openlineage"):
        for thing in (said["run"], said["job"], *said["inputs"], *said["outputs"]):
            for group in ("facets", "inputFacets", "outputFacets"):
                for name, each in thing.get(group, {}).items():
                    if name in classes:
                        seen.add(name)
                        assert each["_schemaURL"] == classes[name]._get_schema()
                        assert set(each) - {"_producer", "_schemaURL"} <= set(classes[name].__annotations__)

    assert seen == set(classes)


def test_lineage_is_readable_from_the_events(full: Registry) -> None:
    """Data and parent in, version out; measuring reads the version."""
    register, measure = full.export("risk/churn@2", "openlineage")[1::2]

    assert register["run"]["runId"] == "0199aaaa-0000-7000-8000-000000000001"
    assert register["job"]["name"] == "train/nightly"
    data, parent = register["inputs"]
    assert (data["namespace"], data["name"]) == ("s3://lake", "customers.parquet")
    assert parent["name"] == "base"
    assert [each["name"] for each in register["outputs"]] == ["risk/churn"]
    assert [each["name"] for each in measure["inputs"]] == ["risk/churn", "holdout"]


def test_events_go_where_its_configuration_says(full: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's own file transport; and without a transport nothing is claimed."""
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "file")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", str(tmp_path / "events.json"))
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__APPEND", "true")
    events = full.export("risk/churn@2", "openlineage")

    assert send(events) == "file"
    lines = [json.loads(line) for line in (tmp_path / "events.json").read_text().splitlines()]
    assert [(line["eventType"], line["run"]["runId"]) for line in lines] == [(e["eventType"], e["run"]["runId"]) for e in events]
    assert lines[1]["outputs"][0]["facets"]["flowreg_model"] == events[1]["outputs"][0]["facets"]["flowreg_model"]

    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    with pytest.raises(BadInput, match="switched off"):
        send(events)


def test_a_card_keeps_what_people_wrote_and_adds_what_is_known(full: Registry) -> None:
    """Their front matter and sections; then metrics, gates, data, history. Text of others means nothing to Markdown."""
    text = full.export("risk/churn@2", "card")

    assert text.startswith("---\nlicense: apache-2.0\n")
    assert "Trained on | one [country]." in text
    assert "| holdout | region=\\*\\|\\[x\\] | recall | 0.69 | 12 | ana |" in text
    assert "better \\`by\\` far" in text
    assert "**promote**" in text
    assert full.get("risk/churn@2").digest in text
    assert text.count("# The churn model") == 1


def test_a_bare_version_has_a_card(full: Registry) -> None:
    """Nothing is claimed that nobody recorded."""
    text = full.export("bare@1", "card")

    assert "# bare@1" in text
    assert "## Measured" not in text
    assert "None" not in text


def test_a_template_of_ones_own(full: Registry) -> None:
    """Places and sections; what nothing fills is refused with the list of places."""
    template = "# Model $title\n\n$card_intended_use\n\nCosts $$5\n$identity"

    assert "To call people who may leave." in full.export("risk/churn@2", "card", template=template)
    assert "Costs $5" in full.export("risk/churn@2", "card", template=template)
    for bad in ("$nothing", "$ {x}", "${title.__class__}"):
        with pytest.raises(BadInput, match="template"):
            full.export("risk/churn@2", "card", template=bad)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_state_gives_the_same_bytes(full: Registry, form: str) -> None:
    """Also from another handle; and as of then whatever came later."""
    at = full.history("risk/churn")[-1].at
    before = json.dumps(full.export("risk/churn@2", form), sort_keys=False)
    again = json.dumps(Registry(full.root).export("risk/churn@2", form))
    full.flush()
    while now() == at:
        pass  # what happens in the same millisecond is not later
    full.label("risk/churn@2", {"later": "yes"})

    assert again == before
    assert json.dumps(full.export("risk/churn@2", form, as_of=at)) == before


def test_what_is_no_form_is_refused(full: Registry) -> None:
    """With the names of those there are."""
    with pytest.raises(BadInput, match="is no form"):
        full.export("bare@1", "pdf")
    with pytest.raises(BadInput, match="template is for the card"):
        full.export("bare@1", "bom", template="x")


def test_sections_of_a_card() -> None:
    """By what a policy calls them; a placeholder says nothing; code is no heading; the front matter counts."""
    front = "---\r\nlicense: mit\ntags:\n- a\n---\n"
    text = front + "# T\n\n## Bias, Risks & Limitations ##\n\n[More Information Needed]\n\n### Sub\nx\n\n## N/A\n\n```\n## no\n```\n"

    found = parts(text)
    assert found["license"] == "mit"
    assert found["sub"] == "x"
    assert "no" not in found
    assert sections("## A\nTBD\n## B\nb\n## A\nlater\n") == {"a": "", "b": "b"}


def test_a_policy_requires_sections_of_the_card(full: Registry, tmp_path: Path) -> None:
    """Without the section the promotion is blocked, and the sentence names it."""
    (tmp_path / "m").write_bytes(b"third")
    full.register(
        "risk/churn", tmp_path / "m", metrics={"auc": 0.95}, on="holdout", card="## Intended use\n\nx\n\n## Limitations\n\nTODO\n"
    )

    decision = full.judge("risk/churn@3", to="champion")

    assert decision.outcome == "blocked"
    assert "card.limitations, card.license" in decision.failing()[0].sentence


@pytest.mark.parametrize("form", FORMS)
def test_what_opens_something_does_not_go_out(full: Registry, tmp_path: Path, form: str) -> None:
    """Users, passwords and signatures in addresses, wherever somebody wrote them, and values that are called like a secret."""
    url = "https://ana:hunter2@host/x"
    run = Run(
        url=url,
        parameters={"password": "hunter2", "deep": {"api_key": "hunter2"}},
        git=Git(commit="a" * 40, remote=url),
    )
    (tmp_path / "m").write_bytes(b"open")
    full.register(
        "open", tmp_path / "m", run=run, card=f"# C\n\nsee {url} and s3://b/k?X-Amz-Signature=hunter2\n", because=f"from {url}",
        labels={"source": url, "db_password": "hunter2"}, params={"password": "hunter2", "at": url}, data=[Dataset(url, role="train")],
        metrics={"auc": 1.0}, on="h",
    )  # fmt: skip
    full.label("open@1", {"again": "1"}, because=f"for {url}")

    text = json.dumps(full.export("open@1", form))
    report = (full.evidence("open@1", tmp_path / "bundle") / "report.html").read_text()

    assert "ana:hunter2" not in text
    for said in (text, report):
        assert "hunter2@host/x" not in said
        assert "Signature=hunter2" not in said
        assert '"hunter2"' not in said


PLACES = [
    "s3://lake/my file.parquet", "s3://lake/ü[1].parquet", "data/x.csv", "C:\\data\\x.csv", "://", "lake.schema.table", "s3://", "http://[::1]/x",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_odd_places_of_data_stay_valid(full: Registry, tmp_path: Path, place: str) -> None:
    """Escaped where they are URIs, left out of what must be one where they are none."""
    (tmp_path / "m").write_bytes(place.encode())
    ref = full.register("odd", tmp_path / "m", data=[Dataset(place, role="train", digest="sha256:" + "d" * 64)]).ref

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(full.export(ref, "bom"))) is None
    uri = jsonschema.Draft202012Validator({"format": "uri"}, format_checker=jsonschema.FormatChecker(["uri"]))
    for each in full.export(ref, "provenance")["predicate"]["buildDefinition"]["resolvedDependencies"]:
        assert "uri" not in each or uri.is_valid(each["uri"])
        assert "uri" in each or each["annotations"]["place"] == place


@pytest.mark.parametrize(
    ("remote", "uri"),
    [
        ("git@github.com:team/churn.git", "ssh://git@github.com/team/churn.git"), ("/srv/git/churn", None),
        ("https://host/team/my repo.git", "https://host/team/my%20repo.git"), ("C:\\git\\churn", None),
    ],
)  # fmt: skip
def test_a_remote_is_a_uri_or_is_told_apart(full: Registry, tmp_path: Path, remote: str, uri: str | None) -> None:
    """As git takes it, scp's form too."""
    (tmp_path / "m").write_bytes(remote.encode())
    run = Run(git=Git(commit="a" * 40, remote=remote), work_pool="my pool")
    ref = full.register("odd", tmp_path / "m", run=run).ref

    said = full.export(ref, "provenance")["predicate"]
    code = said["buildDefinition"]["resolvedDependencies"][0]
    facet = full.export(ref, "openlineage")[0]["job"]["facets"].get("sourceCodeLocation")

    assert said["runDetails"]["builder"]["id"] == "urn:flowreg:builder:my%20pool"
    if uri is None:
        assert ("uri" in code, code["annotations"]["place"], facet) == (False, remote, None)
    else:
        assert facet is not None
        assert (code["uri"].removeprefix("git+"), facet["url"]) == (uri, uri)


@pytest.mark.parametrize(
    "front", ["{license: mit}", "- a\n- b", "a: [", "license: mit\n\ntags:\n  - x", "license: mit\nlibrary_name: own", ""]
)
def test_the_front_matter_of_a_card_is_always_yaml(full: Registry, tmp_path: Path, front: str) -> None:
    """What nothing can be added to stays as it was written, and what is none stands below."""
    import yaml

    (tmp_path / "m").write_bytes(front.encode())
    ref = full.register("card", tmp_path / "m", card=f"---\n{front}\n---\n# C\n\n```\na\n\n\n\nb\n```\n").ref

    text = full.export(ref, "card")
    head = text.removeprefix("---\n").partition("\n---\n")[0] + "\n"

    assert isinstance(yaml.safe_load(head), dict)
    assert all(line in text for line in front.splitlines())
    assert "```\na\n\n\n\nb\n```" in text
    assert yaml.safe_load(head).get("library_name") in ("files", "own", None)
