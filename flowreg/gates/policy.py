"""A policy: the gates that protect an alias, as a frozen value. YAML, JSON and Python say the same, field for field."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from ..core.names import alias_name, model_name, shown
from ..errors import BadInput, NotFound
from .durations import duration, seconds
from .gate import Baseline
from .kinds import AnyGate
from .part import Label, Part, TextKeys, Word
from .written import SIZE_LIMIT, Written, read_text


def _glob(pattern: str) -> str:
    try:
        model_name(re.sub(r"[*?]", "x", pattern))
    except BadInput:
        raise BadInput(
            f"{shown(pattern)} cannot name models",
            do="write a name such as churn or risk/churn; * stands for any text and ? for one character",
            code="bad-policy",
        ) from None
    return pattern


class OverrideRule(Part):
    """Who may go over the gates: names of actors, ``*`` and ``?`` allowed."""

    noun: ClassVar[str] = "override"

    by: Annotated[tuple[Word, ...], Field(strict=False, min_length=1)]


class Parent(Part):
    """A policy that another adds gates to; ``digest`` is of the revision whose gates are in it (None: they are not in it yet)."""

    noun: ClassVar[str] = "a parent under extends"

    policy: Label
    digest: Annotated[str | None, Field(pattern=r"^sha256:[0-9a-f]{64}$")] = None


def _parents(value: object) -> object:
    """``base``, ``[base, other]``, and what stands in a recorded policy: ``[{policy: base, digest: …}]``."""
    listed = [value] if isinstance(value, str | Mapping | Parent) else value
    return [{"policy": one} if isinstance(one, str) else one for one in listed] if isinstance(listed, list | tuple) else listed


class Policy(Part):
    """The gates that protect ``alias`` of every model that one of ``models`` matches (``*`` also stands for ``/``).

    ``dataset`` is where the metrics must have been measured (None: wherever they were measured last). ``no_baseline`` says
    what happens to a gate that compares with an alias nobody holds. A decision lives for ``decision_ttl``. ``extends`` names
    policies whose gates are added in front of its own when it is put in force; see ``extending``.

    >>> Policy(policy="basic", models=["churn"], alias="champion", gates=["auc >= 0.85"]).covers("churn", "champion")
    True
    """

    noun: ClassVar[str] = "a policy"

    policy: Label
    extends: Annotated[tuple[Annotated[Parent, TextKeys], ...], BeforeValidator(_parents), Field(strict=False)] = ()
    models: Annotated[
        tuple[Annotated[str, StringConstraints(max_length=200), AfterValidator(_glob)], ...], Field(strict=False, min_length=1)
    ]
    alias: Annotated[str, AfterValidator(alias_name)]
    dataset: Word | None = None
    no_baseline: Baseline = "fail"
    decision_ttl: Annotated[str, AfterValidator(duration)] = "24h"
    override: Annotated[OverrideRule | None, TextKeys] = None
    gates: Annotated[tuple[AnyGate, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if not self.extends and not any(None in gate.owners for gate in self.gates):
            raise BadInput("no gate of this policy looks at the candidate", do="add one, such as auc >= 0.85", code="bad-policy")
        ids = [gate.id for gate in self.gates if gate.id]
        if twice := next((id_ for id_ in ids if ids.count(id_) > 1), None):
            raise BadInput(f"two gates have the id {twice}", do="give each its own", code="bad-policy")
        return self

    @classmethod
    def load(cls, source: str | os.PathLike[str] | IO[str] | IO[bytes]) -> Self:
        """Read a policy from a file: its path, or anything with ``read``. YAML or JSON."""
        name, raw = _bytes_of(source)
        if len(raw) > SIZE_LIMIT:
            raise BadInput(
                "this file is too long for a policy", where=name, do=f"a policy has at most {SIZE_LIMIT // 1024} KiB", code="bad-policy"
            )
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadInput(
                "this file is not UTF-8 text", where=f"{name}, byte {error.start}", do="save it as UTF-8", code="bad-policy"
            ) from None
        try:
            return cls.parse(text)
        except BadInput as error:
            raise _again(error, f"{error.where} of {name}" if error.where else name) from None

    @classmethod
    def parse(cls, source: Mapping[str, Any] | str) -> Self:
        """Read a policy from YAML or JSON text, or from the mapping that such a text says."""
        written = read_text(source) if isinstance(source, str) else Written(source, {})
        if not isinstance(written.content, Mapping) or not all(isinstance(key, str) for key in written.content):
            raise BadInput(
                f"a policy is a mapping, not {shown(written.content)}", do="it has policy, models, alias and gates", code="bad-policy"
            )
        try:
            return cls(**written.content)
        except BadInput as error:
            line = written.line_of(error.facts.get("path", ()))
            where = [error.where, *(["line {}, column {}".format(*line)] if line else [])]
            raise _again(error, ", ".join(filter(None, where))) from None

    def to_json(self) -> dict[str, Any]:
        """The whole policy in plain values for JSON, defaults left out: ``Policy.parse(policy.to_json()) == policy``."""
        return {**super().to_json(), "gates": [gate.to_json() for gate in self.gates]}

    def covers(self, model: str, alias: str) -> bool:
        """Does this policy protect ``alias`` of ``model``?"""
        return alias == self.alias and any(fnmatchcase(model, pattern) for pattern in self.models)

    def mentions(self) -> tuple[frozenset[str], frozenset[int]]:
        """The aliases and the version numbers that its gates compare with, besides ``current``."""
        owners = frozenset[str | int | None]().union(*(gate.owners for gate in self.gates))
        aliases = frozenset(owner for owner in owners if isinstance(owner, str) and owner != "current")
        return aliases, frozenset(owner for owner in owners if isinstance(owner, int))

    @property
    def decision_ttl_s(self) -> int:
        """How many seconds a decision lives."""
        return seconds(self.decision_ttl)


def _bytes_of(source: str | os.PathLike[str] | IO[str] | IO[bytes]) -> tuple[str, bytes]:
    """The name of a file for messages, and its first bytes: one more than is allowed."""
    if not isinstance(source, str | os.PathLike):
        read = source.read(SIZE_LIMIT + 1)
        return shown(getattr(source, "name", "this text"), limit=1000), read.encode("utf-8", "surrogatepass") if isinstance(
            read, str
        ) else read
    name = shown(str(source), limit=1000)
    try:
        with Path(source).open("rb") as file:
            return name, file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise NotFound(f"there is no policy file {name}", do="give the path of a YAML or JSON file; text goes to Policy.parse") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(
            f"the policy file {name} cannot be read: {reason}", do="give the path of a YAML or JSON file", code="bad-policy"
        ) from None


def _again(error: BadInput, where: str) -> BadInput:
    return BadInput(error.what, where=where, do=error.do, code=error.code, **error.facts)
