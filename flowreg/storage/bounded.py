"""Files read whole, many at once, and none that would not fit: whoever can write to a root could put gigabytes where an entry belongs.

Rule 1: what is larger than ``READ_LIMIT`` reads as no bytes at all, like a link or a pipe: the name is taken, and it says nothing.
Rule 2: an object store tells the size with the answer; of what is too large the bytes are not taken in. The others are asked for no
more than the limit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

READ_LIMIT = 64 << 20  # bytes: the largest manifest, and more than any entry or head
READ_TRIES = 3


def read_whole(fs: Any, paths: Sequence[str]) -> list[bytes | BaseException]:
    """The bytes at each path, or the error."""
    if getattr(fs, "async_impl", False):
        found = _gathered(fs, paths)
    elif hasattr(fs, "attempt_many"):
        found = fs.attempt_many(paths, limit_bytes=READ_LIMIT)
    else:
        found = [_attempt(fs, path) for path in paths]
    return [b"" if isinstance(one, bytes) and len(one) > READ_LIMIT else one for one in found]


def _gathered(fs: Any, paths: Sequence[str]) -> list[bytes | BaseException]:
    import asyncio

    from fsspec.asyn import sync

    read = _s3_reader(fs) if hasattr(fs, "_call_s3") else _reader(fs)

    async def read_all() -> list[bytes | BaseException]:
        return await asyncio.gather(*(read(path) for path in paths), return_exceptions=True)

    return list(sync(fs.loop, read_all))


def _s3_reader(fs: Any) -> Callable[[str], Awaitable[bytes]]:
    """In one request each: s3fs's own read asks for the size first."""

    async def read(path: str) -> bytes:
        bucket, key, _ = fs.split_path(path)
        for tries_left in reversed(range(READ_TRIES)):
            answer = await fs._call_s3("get_object", Bucket=bucket, Key=key)
            try:
                return b"" if answer["ContentLength"] > READ_LIMIT else bytes(await answer["Body"].read())
            except Exception:  # the answer broke off
                if not tries_left:
                    raise
            finally:
                answer["Body"].close()
        raise AssertionError("unreachable")

    return read


def _reader(fs: Any) -> Callable[[str], Awaitable[bytes]]:
    async def read(path: str) -> bytes:
        try:
            return bytes(await fs._cat_file(path, start=0, end=READ_LIMIT + 1))
        except Exception as error:
            if _said(error) == "416":  # an empty file has no range
                return b""
            raise

    return read


def _said(error: Exception) -> str:
    """The HTTP status of an error, by the name that each library gives it."""
    return str(next((vars(error)[name] for name in ("status", "status_code", "code") if vars(error).get(name)), ""))


def _attempt(fs: Any, path: str) -> bytes | BaseException:
    try:
        return bytes(fs.cat_file(path, start=0, end=READ_LIMIT + 1))
    except Exception as error:
        return error
