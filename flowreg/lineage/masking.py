"""Parameters as they may be kept for ever: plain JSON, short, and without secrets.

Rule 1: a secret is hidden by its name (``db_password``), by its type (``SecretStr``), and by its looks (a URL's user part and
query, ``token=…``, a bearer token, a private key). Hiding too much is harmless.
Rule 2: nothing of unknown type is printed: its ``repr`` may be huge, slow, or tell a secret. Its type name stands for it.
Rule 3: the work is bounded by the limits below, not by what is passed in.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import PurePath
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

MASK = "********"
TEXT_LIMIT = 500  # characters that are kept of a text
ITEM_LIMIT = 50  # items that are kept of a container
DEPTH_LIMIT = 6
VALUE_LIMIT = 1000  # values that are looked at in one call, all containers together
TOTAL_LIMIT = 32_000  # characters that are kept in one call, all texts together
_LOOKED_AT = 4000  # characters of a text that are searched for secrets; what is kept is far shorter
_SAFE_INTEGER = 2**53 - 1  # beyond it not every reader of JSON gets the same number

_STRONG = re.compile(
    r"passw|passphrase|dbpass|secret|credential|api_?key|access_?key|private_?key|auth_?token|connection_?string", re.IGNORECASE
)
_WORDS = frozenset(("auth", "authorization", "bearer", "cookie", "creds", "dsn", "jwt", "key", "pass", "pat", "pwd", "sas", "token"))
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# Every repetition has an end, so that no text makes a search slow.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{0,20}://[^\s\"'<>]+")
_USER_PART = re.compile(r"\b[^\s:@/]{1,200}:[^\s:@/]{1,400}@(?=\w)")  # of an address without a scheme
_ASSIGNED = re.compile(
    r"""((?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|account[_-]?key|credentials?)"""
    r"""[\w-]{0,40}["']?\s{0,3}[:=]\s{0,3}["']?)[^\s"'&;,}]+""",
    re.IGNORECASE,
)
_SIGNS = re.compile(
    r"(?:x-(?:amz|goog|ms)-|sig$|signature|expires$|awsaccesskeyid|googleaccessid|s[vpretkds]{1,2}$|st$|sip$)", re.IGNORECASE
)
_LOOKS_SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*"
    r"|\b(?:[Bb]earer|[Bb]asic)\s+[\w.~+/=-]{8,}"
    r"|\beyJ[\w-]{8,2000}\.[\w.-]+"  # a JSON web token
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\b(?:gh[opsu]|github_pat|glpat|xox[abp]|sk|hf)[-_][A-Za-z0-9_-]{16,}",
    re.DOTALL,
)


_LITERAL = re.compile(  # a name of a secret, and a value spelled out: what is set from elsewhere, or is no word by itself, is none
    r"""(?:passw(?:or)?d|passphrase|secret(?!storage)|token(?!i[zs]|s?_?(?:per|type|id|count|limit|len))|api[_-]?key|access[_-]?key"""
    r"""|account[_-]?key|private[_-]?key)[\w-]{0,40}["']?\]?"""
    r"""\s{0,3}(?::\s{0,3}[\w.\[\]]{1,40}\s{0,3}=|[:=])\s{0,3}"""
    r"""(?:["'](?![\[<>=~^!$])[^"'\s{}$<]{6,500}["']|(?=[^\s"'({\[]{0,200}\d)[A-Za-z0-9+/_\-]{16,500}(?:\s|$))""",
    re.IGNORECASE,
)
_SET = re.compile(  # PASSWORD=hunter2, as in a shell or an .env file
    r"^[+ -]?\s{0,20}(?:export\s{1,3}|-\s{1,3})?[A-Z0-9_]{0,60}"
    r"(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN(?!I[ZS]|S)|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)"
    r"[A-Z0-9_]{0,40}=(?![$<{%\"'])[^\s()\[\]]{6,}",
    re.MULTILINE,
)
_WITH_USER = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]{0,20}://)(?P<user>[^\s/@\"'<>${}]{1,400})@")
_HINTS = (b"-----begin", b"passw", b"passphrase", b"secret", b"token", b"key", b"bearer", b"basic", b"eyj", b"akia", b"asia", b"ghp",
          b"gho", b"ghu", b"ghs", b"github_pat", b"glpat", b"xox", b"sk-", b"sk_", b"hf-", b"hf_", b"://")  # fmt: skip
_SECRET_FILE = re.compile(
    r"(?:^|/)(?:\.env(?!\.(?:example|sample|template|dist)$)(?:\.[\w.-]+)?|[\w.-]+\.env|\.netrc|_netrc|\.pypirc|\.pgpass|\.npmrc|\.htpasswd"
    r"|\.git-credentials|\.dockercfg|\.s3cfg|\.boto|id_(?:rsa|dsa|ecdsa|ed25519)|kube_?config|credentials|secrets?"
    r"|[^/]*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|tfvars|tfstate)"
    r"|[^/]*(?:credential|secret|service[_-]?account)[^/]*\.(?:json|ya?ml|toml|ini|cfg|txt|env))$",
    re.IGNORECASE,
)

_CHAIN = re.compile(r"::(?=[A-Za-z0-9+.-]{1,20}://)")


def holds_secret(text: str) -> bool:
    """Whether a text (a diff, a file of settings) looks as if a secret stood in it. Sooner yes than no.

    >>> holds_secret("api_key = 'k3y-of-a-c4r'"), holds_secret("token = fetch_token(user)"), holds_secret("tokenizer='bert-base'")
    (True, False, False)
    """
    seen = _suspicious(text)
    return holds_address_secret(seen) or bool(_LITERAL.search(seen) or _SET.search(seen))


def holds_address_secret(text: str) -> bool:
    """The same for a text that sets nothing, such as a lockfile: keys and tokens by their looks, and addresses with a user in them."""
    return bool(_LOOKS_SECRET.search(text)) or any(
        ":" in found["user"] or found["scheme"].lower().startswith("http") for found in _WITH_USER.finditer(text)
    )


def without_users(text: str) -> str:
    """A text whose addresses have neither user nor password; ``ssh://git@host`` stays.

    >>> without_users("--index-url https://ana:hunter2@packages/simple")
    '--index-url https://packages/simple'
    """
    return _WITH_USER.sub(
        lambda found: found[0] if found["scheme"].lower().endswith("ssh://") and ":" not in found["user"] else found["scheme"], text
    )


def _suspicious(text: str) -> str:
    """The lines in which a secret may stand: looking for words is far faster than the patterns, which most lines never need."""
    raw = text.encode("utf-8", "surrogatepass")
    lowered, found = raw.lower(), set()  # of bytes: what is lowered has the same length
    for hint in _HINTS:
        place = lowered.find(hint)
        while place >= 0:
            start, end = lowered.rfind(b"\n", 0, place) + 1, lowered.find(b"\n", place)
            end = len(raw) if end < 0 else end
            found.add((start, end))
            place = lowered.find(hint, end)
    return b"\n".join(raw[start:end] for start, end in sorted(found)).decode("utf-8", "replace")


def is_secret_file(path: str) -> bool:
    """Whether a file of this name usually holds secrets: ``.env``, a private key, ``credentials.json``."""
    return bool(_SECRET_FILE.search(path))


def masked(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A copy that may be shown and stored.

    >>> masked({"day": 3, "db_password": "hunter2", "source": "https://ana:pw@lake/x?sig=abc"})
    {'day': 3, 'db_password': '********', 'source': 'https://lake/x'}
    """
    plain: dict[str, Any] = _Masking().mapping(parameters, DEPTH_LIMIT)
    return plain


def masked_text(text: str) -> str:
    """A text without credentials, cut where it is long."""
    seen = text[:_LOOKED_AT]
    seen = _URL.sub(lambda found: without_credentials(found[0]), seen)
    seen = _USER_PART.sub("", _LOOKS_SECRET.sub(MASK, seen))
    seen = _ASSIGNED.sub(rf"\g<1>{MASK}", seen)
    seen = seen.encode("utf-8", "replace").decode()  # a lone surrogate is no JSON
    return seen if len(seen) <= TEXT_LIMIT and len(text) <= _LOOKED_AT else f"{seen[:TEXT_LIMIT]}… ({len(text)} characters)"


def without_credentials(url: str) -> str:
    """A URL without user, password, query and fragment.

    >>> without_credentials("https://x-access-token:ghp_1@github.com/team/churn.git?a=b")
    'https://github.com/team/churn.git'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{url.partition('://')[0]}://{MASK}"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def public_url(url: str) -> str:
    """A URL of data: without user and password, and without the parts of its query that sign or open it. Also a chained one.

    >>> public_url("https://ana:pw@lake/x.csv?version=3&X-Amz-Signature=abc"), public_url("abfs://box@account/x")
    ('https://lake/x.csv?version=3', 'abfs://box@account/x')
    """
    return "::".join(map(_public, _CHAIN.split(url)))


def _public(url: str) -> str:
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query)  # a query that is no list of names and values may be anything: it goes
    except ValueError:
        return f"{url.partition('://')[0]}://{MASK}"
    if not {"@", "?", "#"} & set(url):
        return url
    user, at, host = parts.netloc.rpartition("@")
    box = bool(at) and ":" not in user and parts.scheme in ("az", "abfs", "abfss")  # container@account: no person
    query = urlencode([(name, value) for name, value in pairs if not (is_secret_name(name) or _SIGNS.match(name))])
    fragment = "" if parts.scheme in ("http", "https") else parts.fragment  # of a key in a bucket it is a part
    return urlunsplit((parts.scheme, parts.netloc if box else host, parts.path, query, fragment))


def public_text(text: str) -> str:
    """A text whose addresses have no user (but ``ssh://git@host``), no password and nothing that signs them; all else is as it was.

    >>> public_text("from postgres://ana:pw@db/x, see https://x.org/a?b=c#d")
    'from postgres://db/x, see https://x.org/a?b=c#d'
    """
    return _URL.sub(lambda found: found[0] if _is_public(found[0]) else public_url(found[0]), text)


def _is_public(url: str) -> bool:
    scheme, _, rest = url.partition("://")
    place, _, query = rest.partition("?")
    user, at, _ = place.partition("/")[0].rpartition("@")
    nobody = not at or (":" not in user and scheme.lower().endswith("ssh"))  # git@host is part of the place
    named = {part.partition("=")[0] for part in query.partition("#")[0].split("&")}
    return nobody and not any(is_secret_name(name) or _SIGNS.match(name) for name in named if name)


def is_secret_name(name: str) -> bool:
    """Whether something of this name is hidden whatever it is."""
    return bool(_STRONG.search(name)) or any(word.lower() in _WORDS for word in _WORD.findall(name))


class _Masking:
    """One walk; ``left`` counts down the values that may still be looked at, ``room`` the characters that may still be kept."""

    def __init__(self) -> None:
        self.left = VALUE_LIMIT
        self.room = TOTAL_LIMIT

    def text(self, given: str) -> str:
        shown = masked_text(given) if self.room > 0 else "…"
        self.room -= len(shown)
        return shown

    def mapping(self, given: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for name, value in islice(given.items(), ITEM_LIMIT):
            shown = self.text(str.__str__(name)) if isinstance(name, str) else str(self.value(name, 0))
            hidden = is_secret_name(shown) and not (value is None or isinstance(value, bool))
            plain[shown] = MASK if hidden else self.value(value, depth)
        if len(given) > ITEM_LIMIT:
            plain["…"] = f"{len(given)} items"
        return plain

    def items(self, given: Iterable[Any], size: int, depth: int) -> list[Any]:
        plain = [self.value(value, depth) for value in islice(given, ITEM_LIMIT)]
        return [*plain, f"… ({size} items)"] if size > ITEM_LIMIT else plain

    def value(self, given: Any, depth: int) -> Any:
        self.left -= 1
        if self.left < 0:
            return "…"
        match given:
            case None | bool():
                return given
            case Enum():
                return self.value(given.value, depth)
            case int():
                return int(given) if abs(given) <= _SAFE_INTEGER else _long(given)
            case float():
                return float(given) if math.isfinite(given) else str(float(given))
            case str():
                return self.text(str.__str__(given))
            case datetime.date() | datetime.time():
                return given.isoformat()
            case datetime.timedelta() | UUID() | Decimal() | PurePath():
                return self.text(str(given))
        try:
            return self.object(given, depth)
        except Exception:  # its own code runs when its fields are read, and that code may fail in any way
            return f"<{type(given).__name__}>"

    def object(self, given: Any, depth: int) -> Any:
        if hasattr(type(given), "get_secret_value"):
            return MASK
        if slug := getattr(type(given), "get_block_type_slug", None):
            return _block(slug(), getattr(given, "_block_document_name", None))
        if not depth:
            return _typed(given)
        match given:
            case Mapping():
                return self.mapping(given, depth - 1)
            case list() | tuple() | set() | frozenset():
                return self.items(given, len(given), depth - 1)
        if getattr(given, "shape", None) == () and hasattr(given, "item"):
            return self.value(given.item(), 0)
        fields = _fields(given)
        return _typed(given) if fields is None else self.mapping(fields, depth - 1)


def _fields(given: Any) -> dict[str, Any] | None:
    """The fields of a dataclass or pydantic model by name, or None."""
    names = getattr(type(given), "model_fields", None)
    if names is None and dataclasses.is_dataclass(given):
        names = [each.name for each in dataclasses.fields(given)]
    return None if names is None else {name: getattr(given, name, None) for name in names}


def _block(slug: str, name: str | None) -> str:
    return f"block {slug}/{name}" if name else f"block {slug}"


def _long(number: int) -> str:
    bits = number.bit_length()
    return str(number) if bits <= 512 else f"<int of {bits} bits>"


def _typed(given: Any) -> str:
    """The type of a value, with its size where that is cheap: ``<DataFrame (1000, 5)>``."""
    name, shape = type(given).__name__, getattr(given, "shape", None)
    if isinstance(shape, tuple) and all(type(length) is int for length in shape):  # a lazy table would compute its length
        return f"<{name} {shape}>"
    return f"<{name} of {len(given)} bytes>" if isinstance(given, bytes | bytearray | memoryview) else f"<{name}>"
