"""Names and references: what may be called what, and how a version is pointed at.

Rule 1: ``str(parse_ref(text)) == text`` for every reference that parses; there is one spelling of each.
Rule 2: digits and letters are matched by explicit patterns; Unicode look-alike digits never count as numbers.

A reference is ``model@selector``: ``churn@4`` (fixed), ``risk/churn@champion`` (moves), ``churn@champion~1`` (the
holder before), ``churn@newest`` (the highest number), ``churn@sha256:9f2c41`` (by digest, at least six digits).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ..errors import BadInput

MODEL_LIMIT = 200  # bytes of the name as one file name (``/`` as ``%2f``): file systems stop at 255
RESERVED_SEGMENTS = frozenset({"journal", "checkpoints"})  # they name folders inside a model's own folder
RESERVED_ALIASES = frozenset({"newest", "latest", "current", "none", "artifact", "data", "run", "live", "shadow", "env"})

_SEGMENT = re.compile(r"[^\W_][\w.\-]{0,99}")
_ALIAS = re.compile(r"[a-z][a-z0-9_\-]{0,63}")
_NUMBERED = re.compile(r"v[0-9]+")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SELECTOR = re.compile(
    r"(?P<number>[1-9][0-9]{0,8})"
    r"|(?P<newest>newest)"
    r"|sha256:(?P<digest>[0-9a-f]{6,64})"
    r"|(?P<alias>[a-z][a-z0-9_\-]{0,63})(?:~(?P<back>[1-9][0-9]{0,3}))?"
)

MODEL_FORM = "letters, digits, '.', '_' and '-', with '/' between namespaces, for example churn or risk/churn"
REF_FORM = "model@4, model@champion, model@champion~1, model@newest or model@sha256:9f2c41…"


@dataclass(frozen=True, slots=True)
class Number:
    """A fixed version by its number: ``@4``."""

    number: int

    def __str__(self) -> str:
        return str(self.number)


@dataclass(frozen=True, slots=True)
class Alias:
    """The present holder of an alias, or the holder ``back`` steps before it: ``@champion~1``."""

    name: str
    back: int = 0

    def __str__(self) -> str:
        return f"{self.name}~{self.back}" if self.back else self.name


@dataclass(frozen=True, slots=True)
class Newest:
    """The highest number: ``@newest``."""

    def __str__(self) -> str:
        return "newest"


@dataclass(frozen=True, slots=True)
class ByDigest:
    """The version whose manifest digest starts with these hexadecimal digits: ``@sha256:9f2c41``."""

    hex: str

    def __str__(self) -> str:
        return f"sha256:{self.hex}"


Selector = Number | Alias | Newest | ByDigest


@dataclass(frozen=True, slots=True)
class Ref:
    """One way to point at a version of a model."""

    model: str
    selector: Selector

    def __str__(self) -> str:
        return f"{self.model}@{self.selector}"


def parse_ref(text: object) -> Ref:
    """Read ``model@selector``.

    >>> parse_ref("risk/churn@champion~1")
    Ref(model='risk/churn', selector=Alias(name='champion', back=1))
    """
    if not isinstance(text, str):
        raise BadInput(f"a reference is text, not {type(text).__name__}", do=f"write {REF_FORM}", code="bad-reference")
    model, at, rest = text.partition("@")
    if not at:
        raise BadInput(
            f"{shown(text)} names no version", do=f"add which one: {REF_FORM.replace('model', model[:60] or 'model')}", code="bad-reference"
        )
    model_name(model)
    found = _SELECTOR.fullmatch(rest)
    if found is None:
        raise BadInput(
            f"cannot read the reference {shown(text)}", where=f"after '@': {shown(rest)}", do=f"write {REF_FORM}", code="bad-reference"
        )
    if found["number"]:
        return Ref(model, Number(int(found["number"])))
    if found["newest"]:
        return Ref(model, Newest())
    if found["digest"]:
        return Ref(model, ByDigest(found["digest"]))
    alias_name(found["alias"])
    return Ref(model, Alias(found["alias"], int(found["back"] or 0)))


def model_name(name: object) -> str:
    """``name`` if it may name a model, else ``BadInput``."""
    if not isinstance(name, str):
        raise BadInput(f"a model name is text, not {type(name).__name__}", do=f"use {MODEL_FORM}", code="bad-name")
    segments = name.split("/") if len(name) <= MODEL_LIMIT else [""]
    good = all(_SEGMENT.fullmatch(part) and part not in RESERVED_SEGMENTS for part in segments)
    if not good or unicodedata.normalize("NFC", name) != name or len(on_disk(name).replace("/", "%2f")) > MODEL_LIMIT:
        raise BadInput(
            f"{shown(name)} cannot name a model",
            do=f"use {MODEL_FORM}; each part starts with a letter or digit, is not {' or '.join(sorted(RESERVED_SEGMENTS))}, "
            f"Unicode in NFC, at most {MODEL_LIMIT} bytes percent-encoded",
            code="bad-name",
        )
    return name


def alias_name(name: object) -> str:
    """``name`` if it may name an alias, else ``BadInput``."""
    if isinstance(name, str) and _ALIAS.fullmatch(name) and name not in RESERVED_ALIASES and not _NUMBERED.fullmatch(name):
        return name
    hint = "; the highest number is model@newest" if name == "latest" else ""
    raise BadInput(
        f"{shown(name)} cannot name an alias{hint}",
        do="use lower-case letters, digits, '_' and '-', starting with a letter, at most 64, for example champion; "
        f"not v7-like and not one of {', '.join(sorted(RESERVED_ALIASES))}",
        code="bad-name",
    )


def digest(text: object) -> str:
    """``text`` if it is a full digest ``sha256:`` and 64 lower-case hexadecimal digits, else ``BadInput``."""
    if isinstance(text, str) and _DIGEST.fullmatch(text):
        return text
    raise BadInput(f"{shown(text)} is not a digest", do="a digest is sha256: and 64 lower-case hexadecimal digits", code="bad-digest")


def on_disk(name: str) -> str:
    """The spelling of a name in paths: lower-case ASCII, ``/`` kept, everything else as ``%xx`` of its UTF-8 bytes.

    Two different names never meet on a case-insensitive or Unicode-normalising file system, and no part is one that Windows
    would take for a device or cut the dot off: there the first or the last character is ``%xx`` too.
    """
    return "/".join(map(_part_on_disk, name.split("/")))


def names_device(part: str) -> bool:
    """Whether Windows takes a file name for a device, whatever stands behind its first dot."""
    return _DEVICE.fullmatch(part.partition(".")[0].rstrip(" ")) is not None


def from_disk(text: str) -> str | None:
    """The name that ``on_disk`` wrote as ``text``, or None where no name is written like that."""
    try:
        raw = re.sub(rb"%([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode("ascii"))
        name = raw.decode("utf-8")
        return name if on_disk(model_name(name)) == text else None
    except ValueError:
        return None


def shown(value: object, limit: int = 80) -> str:
    """``value`` quoted for a message: escaped, and cut where it is long."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}… ({len(text)} characters)"


def _part_on_disk(part: str) -> str:
    spelled = "".join(c if c in _PLAIN else _percent(c) for c in part)
    if names_device(spelled):
        spelled = _percent(spelled[0]) + spelled[1:]
    return f"{spelled[:-1]}{_percent('.')}" if spelled.endswith(".") else spelled


def _percent(char: str) -> str:
    return "".join(f"%{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")
_DEVICE = re.compile(r"con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]", re.IGNORECASE)
