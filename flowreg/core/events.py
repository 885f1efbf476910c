"""What can happen: the frozen events of a registry, and the values they are made of.

Rule 1: an event is an immutable fact in the past tense; the journal keeps it for ever and nothing edits it.
Rule 2: a change of meaning is a new kind. A new optional field may be ignored by an older reader, and is kept by it.
Rule 3: an unknown kind is kept and shown as ``Unknown``; who meets one reads on, and refuses to write.

Numbers that JSON cannot carry (a diverged model is worth keeping) are written as "NaN", "Infinity" and "-Infinity".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, PlainSerializer, Tag

_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def read_measure(value: object) -> object:
    """A stored measure as a number; what is neither is left for the type check to refuse."""
    return _NOT_FINITE.get(value, value) if isinstance(value, str) else value


def write_measure(value: float) -> float | str:
    """A measure as JSON can carry it."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


Measure = Annotated[float, BeforeValidator(read_measure), PlainSerializer(write_measure)]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Ordinal = Annotated[int, Field(ge=1)]


class Value(BaseModel):
    """A frozen value that checks types strictly and keeps fields it does not know."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow", allow_inf_nan=True)


class By(Value):
    """Who or what caused an entry."""

    actor: str
    flow_run: str | None = None
    deployment: str | None = None
    host: str | None = None


class Git(Value):
    """The code a run was made by. ``remote`` never carries credentials.

    ``diff`` is the digest of a blob with what differed from ``commit``, as ``git apply`` takes it; ``untracked`` of one with a line
    ``sha256:… path`` for each file that git did not know.
    """

    commit: str | None = None
    branch: str | None = None
    remote: str | None = None
    dirty: bool | None = None
    diff: Digest | None = None
    untracked: Digest | None = None


class Lockfile(Value):
    """A file that pins packages, kept as a blob: ``path`` within the repository."""

    path: str
    digest: Digest


class Environment(Value):
    """Where a run was made. ``packages`` is the digest of a blob with one ``name==version`` a line.

    ``libraries`` are what decides about numbers besides packages: ``blas``, ``cuda``, ``driver``, ``OMP_NUM_THREADS`` …
    """

    python: str | None = None
    platform: str | None = None
    packages: Digest | None = None
    lockfile: Lockfile | None = None
    cpu: str | None = None
    cpu_count: Count | None = None
    memory_bytes: Count | None = None
    accelerators: tuple[str, ...] = Field(default=(), strict=False)
    libraries: Mapping[str, str] = Field(default_factory=dict)


class Run(Value):
    """One execution that made or measured something: what the surroundings told, with nothing passed.

    ``flow_run`` is the id; ``parameters`` have secrets masked; ``warnings`` say what could not be learnt. ``entrypoint`` is the flow's
    source, ``flows/retrain.py:retrain`` within the repository; ``image_digest`` names the exact container image; ``seeds`` are those
    that ``flowreg.seed_all`` set, by what they seed.
    """

    flow: str | None = None
    flow_version: str | None = None
    flow_run: str | None = None
    flow_run_name: str | None = None
    task_run: str | None = None
    task_run_name: str | None = None
    deployment: str | None = None
    deployment_id: str | None = None
    deployment_version: str | None = None
    work_pool: str | None = None
    parent_flow_run: str | None = None
    started_by: str | None = None
    run_count: int | None = None
    url: str | None = None
    entrypoint: str | None = None
    image: str | None = None
    image_digest: str | None = None
    seeds: Mapping[str, int] = Field(default_factory=dict)
    parameters: Mapping[str, Any] = Field(default_factory=dict)
    git: Git | None = None
    environment: Environment | None = None
    warnings: tuple[str, ...] = Field(default=(), strict=False)


class Parent(Value):
    """A version this one was made from: loaded by the same run, or named."""

    model: str
    version: Ordinal
    manifest: Digest


class Dataset(Value):
    """Data that a version was trained or measured on. ``rows`` is a count, ``digest`` covers the whole content.

    ``columns`` is its schema: the type by the name of each column.
    """

    uri: str | None = None
    name: str | None = None
    role: str | None = None
    digest: str | None = None
    rows: Count | None = None
    size_bytes: Count | None = None
    columns: Mapping[str, str] | None = None

    def __init__(self, uri: str | None = None, /, **fields: Any) -> None:
        super().__init__(**({"uri": uri} if uri is not None else {}), **fields)


class VersionRegistered(Value):
    """A new version. ``manifest`` is its identity, ``loader`` names the format that can load it ("files": none).

    ``golden`` is the digest of a blob with a few inputs and what the model answered to them; ``reproduces`` is the version that this one
    was made again from the record of.
    """

    kind: Literal["version_registered"] = "version_registered"
    version: Ordinal
    manifest: Digest
    loader: str
    size_bytes: Count
    file_count: Count
    key: str | None = None
    params: Mapping[str, Any] = Field(default_factory=dict)
    labels: Mapping[str, str] = Field(default_factory=dict)
    data: tuple[Dataset, ...] = Field(default=(), strict=False)
    parents: tuple[Parent, ...] = Field(default=(), strict=False)
    signature: Mapping[str, Any] | None = None
    card: Digest | None = None
    golden: Digest | None = None
    reproduces: Parent | None = None
    run: Run | None = None


class Evaluated(Value):
    """Measured facts about a version, on one dataset.

    ``metrics`` are over the whole dataset, ``n`` is its number of examples. ``table`` is the digest of a blob with the
    sliced values, ``examples`` of one with a row for each example. ``key`` makes a retry the same evaluation.
    """

    kind: Literal["evaluated"] = "evaluated"
    version: Ordinal
    dataset: str | None = None
    dataset_digest: str | None = None
    metrics: Mapping[str, Measure] = Field(default_factory=dict)
    n: Count | None = None
    table: Digest | None = None
    examples: Digest | None = None
    evaluator: str | None = None
    key: str | None = None
    run: Run | None = None


class Labelled(Value):
    """Labels were set; a label with the value None was taken away."""

    kind: Literal["labelled"] = "labelled"
    version: Ordinal
    labels: Mapping[str, str | None]


class Decided(Value):
    """A policy's gates were judged. The full record is the blob ``decision``; the fields bind it to what it judged.

    After ``expires_at`` (as ``Envelope.at``) it moves no alias any more.
    """

    kind: Literal["decided"] = "decided"
    decision: Digest
    outcome: Literal["promote", "blocked", "waiting"]
    alias: str
    version: Ordinal
    manifest: Digest
    base: int | None = None
    generation: Count = 0
    policy: str
    policy_digest: Digest
    dataset: str | None = None
    dataset_digest: str | None = None
    expires_at: str | None = None


class Approved(Value):
    """A person's word about a promotion: yes or no, the envelope's ``because`` says why.

    It is about these bytes, as ``alias`` of which ``base`` is the holder after ``generation`` moves, under the policy of this digest; about
    anything later it says nothing. ``person`` is the name that was given where the envelope's actor is a program that passes the
    word on, and ``via`` how it came (``prefect``: a form of the flow run in the envelope). ``key`` makes a retry the same word.
    """

    kind: Literal["approved"] = "approved"
    version: Ordinal
    manifest: Digest
    alias: str
    verdict: Literal["approved", "rejected"]
    base: int | None = None
    generation: Count = 0
    policy: str
    policy_digest: Digest
    person: str | None = None
    via: str | None = None
    key: str | None = None


class AliasMoved(Value):
    """An alias now names ``version`` (None: nobody). ``base`` is the holder it was moved from.

    ``how``: ``promotion`` (its gates passed; ``decision`` says so), ``rollback`` (back along its own history),
    ``override`` (a person went over the gates where the policy allows it), ``set`` (no policy protects the alias),
    ``removal``. ``undoes`` is the number of the entry whose rollback this one takes back.
    """

    kind: Literal["alias_moved"] = "alias_moved"
    alias: str
    version: int | None = None
    base: int | None = None
    how: Literal["promotion", "rollback", "override", "set", "removal"]
    decision: Digest | None = None
    undoes: int | None = None


class Retired(Value):
    """The version is barred from every alias; with ``manifest``, which is its own, so are these bytes under any number, also later ones."""

    kind: Literal["retired"] = "retired"
    version: Ordinal
    manifest: Digest | None = None


class Restored(Value):
    """The bar of ``retired`` was lifted, from the version and, if they were barred, from its bytes."""

    kind: Literal["restored"] = "restored"
    version: Ordinal


class BytesDropped(Value):
    """The files of a retired version are kept no more, also not for others with this ``manifest``; all that was recorded of it stays.

    A later registration of the same bytes brings them back for all of them.
    """

    kind: Literal["bytes_dropped"] = "bytes_dropped"
    version: Ordinal
    manifest: Digest


class Held(Value):
    """A legal hold: the version (None: the whole model) may not be retired, nor lose a byte."""

    kind: Literal["held"] = "held"
    version: int | None = None


class Released(Value):
    """The hold of ``held`` was lifted."""

    kind: Literal["released"] = "released"
    version: int | None = None


class Fenced(Value):
    """Nothing happened, but whoever writes next must know the registry's journal as far as this entry's ``under`` says."""

    kind: Literal["fenced"] = "fenced"


class RegistryCreated(Value):
    """The first entry of a registry; the digest of its file is the registry's identity."""

    kind: Literal["registry_created"] = "registry_created"
    nonce: str


class PolicySet(Value):
    """A policy is in force from here on. ``policy`` is its whole text, ``digest`` the digest of its canonical bytes."""

    kind: Literal["policy_set"] = "policy_set"
    name: str
    models: tuple[str, ...] = Field(strict=False)
    alias: str
    digest: Digest
    policy: Mapping[str, Any]


class PolicyRemoved(Value):
    """The policy of this name protects nothing any more."""

    kind: Literal["policy_removed"] = "policy_removed"
    name: str


class PeopleSet(Value):
    """Who is in which group, from here on: the actors by group, all groups there are."""

    kind: Literal["people_set"] = "people_set"
    groups: Mapping[str, Annotated[tuple[str, ...], Field(strict=False)]]


class ModelCreated(Value):
    """A model's first entry may follow. Births and dooms stand in one journal, so that each knows of the other."""

    kind: Literal["model_created"] = "model_created"
    model: str


class BlobsDoomed(Value):
    """Blobs that nothing referred to: from here on each is stored under its next incarnation, and the one before may be removed."""

    kind: Literal["blobs_doomed"] = "blobs_doomed"
    digests: Annotated[tuple[Digest, ...], Field(min_length=1, strict=False)]


class Unknown(Value):
    """An event of a kind that this version of flowreg does not know: kept as it is, shown, and never written upon."""

    kind: str


KINDS: tuple[type[Value], ...] = (
    VersionRegistered, Evaluated, Labelled, Decided, Approved, AliasMoved, Retired, Restored, BytesDropped, Held, Released, Fenced,
    RegistryCreated, PolicySet, PolicyRemoved, PeopleSet, ModelCreated, BlobsDoomed,
)  # fmt: skip
_KNOWN = frozenset(kind.model_fields["kind"].default for kind in KINDS)


def _tag(event: Any) -> str:
    kind = event.get("kind") if isinstance(event, Mapping) else getattr(event, "kind", None)
    return kind if isinstance(kind, str) and kind in _KNOWN else "unknown"


ModelEvent = (
    VersionRegistered
    | Evaluated
    | Labelled
    | Decided
    | Approved
    | AliasMoved
    | Retired
    | Restored
    | BytesDropped
    | Held
    | Released
    | Fenced
)
RegistryEvent = RegistryCreated | PolicySet | PolicyRemoved | PeopleSet | ModelCreated | BlobsDoomed
AnyEvent = Annotated[
    Annotated[VersionRegistered, Tag("version_registered")]
    | Annotated[Evaluated, Tag("evaluated")]
    | Annotated[Labelled, Tag("labelled")]
    | Annotated[Decided, Tag("decided")]
    | Annotated[Approved, Tag("approved")]
    | Annotated[AliasMoved, Tag("alias_moved")]
    | Annotated[Retired, Tag("retired")]
    | Annotated[Restored, Tag("restored")]
    | Annotated[BytesDropped, Tag("bytes_dropped")]
    | Annotated[Held, Tag("held")]
    | Annotated[Released, Tag("released")]
    | Annotated[Fenced, Tag("fenced")]
    | Annotated[RegistryCreated, Tag("registry_created")]
    | Annotated[PolicySet, Tag("policy_set")]
    | Annotated[PolicyRemoved, Tag("policy_removed")]
    | Annotated[PeopleSet, Tag("people_set")]
    | Annotated[ModelCreated, Tag("model_created")]
    | Annotated[BlobsDoomed, Tag("blobs_doomed")]
    | Annotated[Unknown, Tag("unknown")],
    Discriminator(_tag),
]
Event = ModelEvent | RegistryEvent | Unknown


class Envelope(Value):
    """What one journal file says: who, when, why and under which policies, round events that happen together.

    ``registry`` is None only in the genesis, ``model`` only in the registry's own journal. ``at`` is UTC, RFC 3339 with
    milliseconds. ``under`` is the number of the registry entry whose policies were in force for the writer.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="allow", arbitrary_types_allowed=True)

    format: Literal[1] = 1
    registry: Digest | None = None
    model: str | None = None
    seq: Ordinal
    parent: Digest | None = None
    id: str
    at: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$")]
    by: By
    because: str | None = None
    under: Count = 0
    events: Annotated[tuple[AnyEvent, ...], Field(min_length=1, strict=False)]
