"""What the judge may know: values gathered from the registry beforehand, so that judging is pure.

Rule 1: nothing here decides. A fact that is missing is simply not in the mapping; the judge turns that into a block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .examples import Table


@dataclass(frozen=True, slots=True)
class Measured:
    """One measured value: of ``metric``, on ``slice`` (sorted pairs, empty: the whole dataset), from ``n`` examples (None: not said).

    ``order`` is the number of the journal entry that recorded it: of two values for the same thing the later one counts.
    """

    metric: str
    value: float
    dataset: str | None
    dataset_digest: str | None = None
    slice: tuple[tuple[str, str], ...] = ()
    n: int | None = None
    order: int = 0


@dataclass(frozen=True, slots=True)
class PerExample:
    """The per-example results of one evaluation, of the ``n`` examples it says there are (None: not said).

    ``read`` gives the table, and reads it only then; it may raise a ``FlowregError``. ``order`` is as in ``Measured``.
    """

    dataset: str | None
    dataset_digest: str | None
    read: Callable[[], Table] = field(repr=False, compare=False)
    n: int | None = None
    order: int = 0


@dataclass(frozen=True, slots=True)
class PickleSeen:
    """A pickle in a file of an artifact; ``inside`` says where in it ("" if it is the whole).

    ``names`` are the globals it imports. ``trouble`` says why not all of it could be read. ``alarms`` is what a scanner reported.
    """

    inside: str
    names: tuple[str, ...] = ()
    trouble: str | None = None
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What one file of an artifact is by its bytes: its ``format`` (``unknown`` if it is none that is known), those of what is packed
    in it, the pickles in it, what else in it runs code when it is loaded, and why not all of it could be looked into.
    """

    path: str
    format: str
    packed: tuple[str, ...] = ()
    pickles: tuple[PickleSeen, ...] = ()
    runs_code: str | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Drifted:
    """How far each feature has moved over ``window_s`` seconds, as population stability index by name; ``order`` is as in ``Measured``."""

    window_s: int
    psi: Mapping[str, float]
    n: int | None = None
    order: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A function to ask, ``pkg.mod:func``, with its arguments; ``about`` describes what is judged, in plain values."""

    function: str
    args: Mapping[str, Any]
    timeout_s: float
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function said. ``imported`` names the code that said it; ``trouble`` is why there is no answer."""

    holds: bool | None
    reason: str | None = None
    imported: str = ""
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """One version as the judge sees it. ``ref`` is how to show it, for example ``churn@7``.

    ``plain`` has the numbers behind reserved names, by dotted path: ``artifact.size`` (bytes), ``artifact.files`` (count),
    ``data.age`` (seconds), ``data.rows`` (count), ``run.duration`` (seconds).
    ``paths`` has what metadata gates may require, as nested mappings: ``card``, ``owner``, ``dataset``, ``signature``, ``git``, ``run``,
    ``labels``, ``params``. ``examples`` has the per-example results of the evaluations that recorded them. ``contents`` looks at every
    byte of the artifact, with the scanner of this name if one is named, and only then; it may raise a ``FlowregError``.
    """

    ref: str
    number: int
    manifest: str
    measured: tuple[Measured, ...] = ()
    plain: Mapping[str, float] = field(default_factory=dict)
    paths: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[PerExample, ...] = ()
    contents: Callable[[str | None], Sequence[Content]] | None = field(default=None, repr=False, compare=False)
    drifted: tuple[Drifted, ...] = ()


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's word about a promotion, yes or no, with the reason that was given; ``seq`` is the journal entry that has it.

    It was given about these bytes (``manifest``), while ``base`` held the alias after ``generation`` moves (None: nobody), under
    the policy with this digest; about anything else it says nothing. ``at`` is UTC, RFC 3339.
    """

    actor: str
    at: str
    approved: bool
    reason: str
    version: int
    manifest: str
    alias: str
    base: int | None
    generation: int
    policy_digest: str
    seq: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one judgement may look at.

    ``holder`` is who has the alias now (None: nobody), ``generation`` how often it has moved; ``aliases`` has the holders of the
    model's aliases by name and ``versions`` further versions by number, as far as the policy mentions them. Times are UTC, RFC 3339.

    ``approvals`` is what people have said about the candidate and this alias, the oldest first; also what no longer counts since the
    alias or the policy moved on. ``people`` has the members of each group by name, ``authors`` those who had a hand in the
    candidate, with what they did ("registered it"). ``uses`` counts, by name and digest of a dataset, the decisions about this model
    that were taken on it before. ``call`` asks a function; None: this is not the place to run code.
    """

    model: str
    alias: str
    candidate: Subject
    holder: Subject | None
    generation: int
    asked_at: str
    expires_at: str
    asked_by: str
    decision_id: str
    flowreg_version: str
    aliases: Mapping[str, Subject] = field(default_factory=dict)
    versions: Mapping[int, Subject] = field(default_factory=dict)
    flow_run: str | None = None
    approvals: tuple[Approval, ...] = ()
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    authors: Mapping[str, str] = field(default_factory=dict)
    uses: Mapping[tuple[str | None, str | None], int] = field(default_factory=dict)
    call: Callable[[Call], Answer] | None = field(default=None, repr=False, compare=False)
