"""Large files to S3: many parts at once, each proved as it is sent, and gone on with where an earlier attempt stopped.

Rule 1: what is completed is exactly what was hashed: a part goes with the checksum that was made of it then, and the server refuses
other bytes. Where a server does not answer with that checksum, the part is hashed again here. One that changed ends the upload.
Rule 2: the object appears by one conditional request at the end; who comes second changes nothing.
Rule 3: an attempt that fails leaves its parts. The next one, of whatever process, asks which are there, believes those that have the
checksum, or whose ETag is the MD5 of its own bytes, and sends the rest. Two processes may feed one upload: they send the same bytes.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from .hashing import Told
from .in_flight import InFlight
from .parallel import parallel_map
from .parts import Parts

PARTS_AT_ONCE = 8
TRIES = 3  # of a whole upload that somebody else ended
_GONE = frozenset({"NoSuchUpload", "InvalidPart", "ConditionalRequestConflict"})  # begin again: somebody ended or changed this upload


class SourceChanged(Exception):
    """The file has other bytes than those that were hashed. Nothing was completed."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An upload that was begun and neither completed nor given up; its parts take up room until it is.

    ``key`` is the path that it was to have: in its bucket, or from the root on where a store hands it out.
    """

    key: str
    upload: str
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class _Part:
    """A part that the server has. ``checksum`` is None where it does not say."""

    etag: str
    checksum: str | None


def upload(fs: Any, target: str, source: int, parts: Parts, *, in_flight: InFlight, progress: Callable[[int], None]) -> None:
    """The file behind descriptor ``source`` to the new object ``target``. Any error but ``SourceChanged`` leaves the outcome unknown."""
    for tries_left in reversed(range(TRIES)):
        told = Told(progress)
        try:
            return _attempt(fs, target, source, parts, in_flight, told.add)
        except SourceChanged:
            raise
        except Exception as error:
            if not tries_left or code_of(error) not in _GONE or _is_there(fs, target):
                raise
            told.take_back()
    return None


def _attempt(fs: Any, target: str, source: int, parts: Parts, in_flight: InFlight, progress: Callable[[int], None]) -> None:
    bucket, key, _ = fs.split_path(target)
    call = partial(fs.call_s3, Bucket=bucket, Key=key)
    began, there = _begun_before(fs, bucket, key, parts) or (_begun(call), {})

    def send(part: int) -> dict[str, Any]:
        checksum = base64_of(parts.checksums[part])
        with in_flight.holding(parts.size_of(part)):
            etag = _already(there.get(part + 1), checksum, source, parts, part)
            if etag is None:
                etag = _send(partial(call, "upload_part", UploadId=began, PartNumber=part + 1), checksum, source, parts, part)
        progress(parts.size_of(part))
        return {"PartNumber": part + 1, "ETag": etag, "ChecksumSHA256": checksum}

    try:
        sent = parallel_map(send, range(len(parts)), threads=PARTS_AT_ONCE)
        call("complete_multipart_upload", UploadId=began, MultipartUpload={"Parts": sent}, IfNoneMatch="*")
    except Exception as error:
        if isinstance(error, SourceChanged) or code_of(error) in _GONE or status_of(error) == 412:
            with contextlib.suppress(Exception):  # where that fails its parts stay, as after a crash
                give_up(fs, bucket, key, began)
        raise


def _begun(call: Callable[..., Mapping[str, Any]]) -> str:
    return str(call("create_multipart_upload", ChecksumAlgorithm="SHA256")["UploadId"])


def _already(there: _Part | None, checksum: str, source: int, parts: Parts, part: int) -> str | None:
    """The ETag of a part that is there already, if it is this one."""
    if there is None:
        return None
    if there.checksum == checksum:
        return there.etag
    data = parts.read(source, part)
    same = there.etag.strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest() and parts.has(part, data)
    return there.etag if same else None


def _send(upload_part: Callable[..., Mapping[str, Any]], checksum: str, source: int, parts: Parts, part: int) -> str:
    data = parts.read(source, part)
    try:
        answer = upload_part(Body=data, ChecksumSHA256=checksum)
    except Exception:
        if not parts.has(part, data):  # whatever the server calls it
            raise SourceChanged from None
        raise
    if answer.get("ChecksumSHA256") != checksum and not parts.has(part, data):
        raise SourceChanged
    return str(answer["ETag"])


def base64_of(digest: bytes) -> str:
    """A digest as S3 writes it."""
    return base64.b64encode(digest).decode()


def is_s3(fs: Any) -> bool:
    """Whether this is s3fs, or one of its children, with S3's own calls."""
    return hasattr(fs, "_call_s3")


def size_on_s3(fs: Any, path: str) -> int:
    """One request, where s3fs's own ``info`` lists as well when there is nothing."""
    bucket, key, _ = fs.split_path(path)
    return int(fs.call_s3("head_object", Bucket=bucket, Key=key)["ContentLength"])


def give_up(fs: Any, bucket: str, key: str, began: str) -> None:
    """Have the server forget the upload of this id, and its parts; one that it does not know any more is as good."""
    with contextlib.suppress(FileNotFoundError):
        fs.call_s3("abort_multipart_upload", Bucket=bucket, Key=key, UploadId=began)


def unfinished(fs: Any, bucket: str, prefix: str) -> Iterator[Unfinished]:
    """The uploads under a prefix that were begun and not ended."""
    marker: dict[str, str] = {}
    while True:
        page = fs.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix, **marker)
        for found in page.get("Uploads") or ():
            yield Unfinished(found["Key"], found["UploadId"], found["Initiated"])
        if not page.get("IsTruncated") or not page.get("NextKeyMarker"):
            return
        marker = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page.get("NextUploadIdMarker", "")}


def _is_there(fs: Any, target: str) -> bool:
    try:
        return size_on_s3(fs, target) >= 0
    except FileNotFoundError:
        return False


def code_of(error: BaseException) -> str:
    """S3's own word for what went wrong, "" where it said none."""
    return str(_response(error).get("Error", {}).get("Code", ""))


def status_of(error: BaseException) -> int:
    return int(_response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _response(error: BaseException) -> Mapping[str, Any]:
    found = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    return found if isinstance(found, Mapping) else {}


def _begun_before(fs: Any, bucket: str, key: str, parts: Parts) -> tuple[str, dict[int, _Part]] | None:
    """The unfinished upload of this key that has the most of our parts, and these by part number."""
    try:
        found = [(one.upload, _parts_there(fs, bucket, one, parts)) for one in unfinished(fs, bucket, key) if one.key == key]
    except OSError:  # not allowed to list, or not implemented: then everything is sent
        return None
    return max(((began, there) for began, there in found if there), key=lambda one: len(one[1]), default=None)


def _parts_there(fs: Any, bucket: str, found: Unfinished, parts: Parts) -> dict[int, _Part]:
    there: dict[int, _Part] = {}
    marker: dict[str, int] = {}
    while True:
        page = fs.call_s3("list_parts", Bucket=bucket, Key=found.key, UploadId=found.upload, **marker)
        for part in page.get("Parts") or ():
            number = int(part["PartNumber"])
            if number > len(parts) or int(part["Size"]) != parts.size_of(number - 1):
                return {}  # cut in another way
            there[number] = _Part(str(part["ETag"]), part.get("ChecksumSHA256"))
        if not page.get("IsTruncated") or not page.get("NextPartNumberMarker"):
            return there
        marker = {"PartNumberMarker": int(page["NextPartNumberMarker"])}
