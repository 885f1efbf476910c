"""The gate that looks at what the files are: ``{check: scan, pickle: forbid, formats: [onnx]}``.

Rule 1: a file is what its bytes are, whatever it is called.
Rule 2: what is not known is not allowed, unless the policy lists ``unknown``.
Rule 3: a scan finds what it knows. It says what it looked for and what it found, and never that an artifact could do no harm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ..core.decision import GateResult
from ..errors import BadInput, FlowregError
from .contents.allowed import ALLOWED
from .evidence import Evidence, Unmeasurable, listed, plainly
from .facts import Content, PickleSeen
from .gate import Gate

Format = Literal[
    "safetensors", "onnx", "json", "ubj", "npy", "npz", "skops", "parquet", "text", "empty", "hdf5", "keras", "pickle", "torch", "zip",
    "tar", "gzip", "bz2", "xz", "zlib", "unknown",
]  # fmt: skip
PLAIN: tuple[Format, ...] = ("safetensors", "onnx", "json", "ubj", "npy", "npz", "skops", "parquet", "text", "empty")
_PICKLED: tuple[Format, ...] = ("pickle", "torch", "gzip", "bz2", "xz", "zlib")  # what pickles come in, joblib's among them
_CONTAINERS = ("zip", "tar", "gzip", "bz2", "xz", "zlib")  # what is in them must be allowed too; other formats say what is in them
_SHOWN = 5
DottedName = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$", max_length=200)]


class Scan(Gate):
    """Only ``formats`` may be in the artifact (left out: those that hold nothing but data), and pickles as ``pickle`` says.

    ``forbid``: none, wherever it is packed. ``scan``: only pickles that can be followed to their end and import nothing but a short list
    of names, and those of ``names``. ``trust``: any, named in the report. ``scanner: picklescan`` must have nothing to report either.
    """

    kind: ClassVar[str] = "scan"
    noun: ClassVar[str] = "a scan gate"

    check: Literal["scan"] = "scan"
    pickle: Literal["forbid", "scan", "trust"] = "forbid"
    formats: Annotated[tuple[Format, ...] | None, Field(strict=False, min_length=1)] = None
    names: Annotated[tuple[DottedName, ...], Field(strict=False)] = ()
    scanner: Literal["picklescan"] | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.pickle != "scan" and (self.names or self.scanner):
            unused = "names" if self.names else "scanner"
            raise BadInput(
                f"{unused} is for pickle: scan, and here is pickle: {self.pickle}", do=f"leave {unused} out", code="bad-policy"
            )  # fmt: skip
        return self

    @property
    def allowed(self) -> frozenset[str]:
        """The formats that may be there."""
        if self.formats is not None:
            return frozenset(self.formats)
        return frozenset((*PLAIN, *_PICKLED) if self.pickle != "forbid" else PLAIN)

    def judge(self, evidence: Evidence) -> GateResult:
        contents = self._contents(evidence)
        found = [said for content in contents for said in self._against(content)]
        if found:
            more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            return self.found("fail", "; ".join(found[:_SHOWN]) + more)
        return self.found("pass", self._told(contents))

    def _contents(self, evidence: Evidence) -> Sequence[Content]:
        subject = evidence.facts.candidate
        if subject.contents is None:
            raise Unmeasurable(f"the files of {subject.ref} cannot be looked at here")
        try:
            contents = subject.contents(self.scanner)
        except FlowregError as error:
            raise Unmeasurable(
                f"the files of {subject.ref} cannot be looked at: {error.what}; {error.do}. Until then this gate blocks"
            ) from None
        if not contents:
            raise Unmeasurable(f"{subject.ref} has no files to look at")
        return contents

    def _against(self, content: Content) -> Iterator[str]:
        """What speaks against one file."""
        path = plainly(content.path)
        if content.trouble:
            yield f"{path}: {plainly(content.trouble)}"
        if content.runs_code and self.pickle != "trust":
            yield f"{path} has {plainly(content.runs_code)}"
        for pickle in content.pickles:
            yield from self._against_pickle(path, pickle)
        packed = content.packed if content.format in _CONTAINERS else ()
        others = sorted({content.format, *packed} - self.allowed)
        if others and not (content.pickles and self.pickle == "forbid"):  # that is said already
            yield f"{path} is {_formats(content, others)}, and the policy allows {listed(self.allowed)}"

    def _against_pickle(self, path: str, pickle: PickleSeen) -> Iterator[str]:
        where = f"{path}, in it {plainly(pickle.inside)}," if pickle.inside else path
        if self.pickle == "forbid":
            yield f"{where} is a pickle: loading it runs code from whoever wrote it"
        elif self.pickle == "scan":
            yield from (f"{where} {said}" for said in self._heard(pickle))

    def _heard(self, pickle: PickleSeen) -> Iterator[str]:
        others = [name for name in pickle.names if name not in ALLOWED and name not in self.names]
        if others:
            yield f"imports {listed(others)}, which is not on the list"
        if pickle.trouble:
            yield f"cannot be followed: {plainly(pickle.trouble)}"
        elif not pickle.names:
            yield "is a pickle that imports nothing, so nothing is known of it"
        if pickle.alarms:
            yield f"rings {self.scanner}: {listed(pickle.alarms)}"

    def _told(self, contents: Sequence[Content]) -> str:
        count = f"{_count(len(contents), 'file')} by their bytes: {_counted(c.format for c in contents)}"
        pickles = [pickle for content in contents for pickle in content.pickles]
        names = {name for pickle in pickles for name in pickle.names}
        if not pickles:
            return f"{count}; no pickle among them"
        if self.pickle == "trust":
            return f"{count}; {_count(len(pickles), 'pickle')} among them, whose code the policy trusts"
        return f"{count}; no known bad call found in {_count(len(pickles), 'pickle')}, importing {listed(names, 5)}"

    def to_json(self) -> dict[str, Any]:
        return {"check": self.check, **super().to_json()}


def _formats(content: Content, others: Sequence[str]) -> str:
    if content.format in others:
        return "of no format that is known" if content.format == "unknown" else content.format
    return f"{content.format} with {', '.join('something unknown' if name == 'unknown' else name for name in others)} in it"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _counted(formats: Iterable[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(Counter(formats).items()))
