"""Large files from S3: many ranges at once straight into place, hashed in order behind them while the rest still arrives.

Rule 1: memory is bounded by what the sockets hold; nothing is put together in memory, and nothing is read from the disk again that
the page cache still has.
Rule 2: a range that breaks off is gone on with where it stopped. An object of another size than the record says is damaged.
Rule 3: the digest is of what stands in the last place of all: where the bytes are copied on as they come, of the copy.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

from .arriving import RANGE_BYTES, Arriving, DiskFailed
from .hashing import CHUNK, copy_some
from .uploads import code_of, status_of

RANGES_AT_ONCE = 8
PIECE_BYTES = 1 << 18
TRIES = 5

_Arrivals = queue.SimpleQueue[tuple[int, int] | None]  # number of the range and bytes of it; None: nothing more comes


class WrongSize(Exception):
    """The object has not the size that the record says."""


def download(fs: Any, path: str, file: Arriving, *, copy: int | None = None, progress: Callable[[int], None]) -> str:
    """The object at ``path`` into ``file``, and on into descriptor ``copy`` if given; the digest of what the last now holds.

    ``WrongSize`` or ``FileNotFoundError`` where it is not the object that was meant, ``DiskFailed`` where a disk does not take it.
    """
    if copy is not None:
        os.lseek(file.target, 0, os.SEEK_SET)
        os.lseek(copy, 0, os.SEEK_SET)
        os.ftruncate(copy, 0)
    arrivals: _Arrivals = queue.SimpleQueue()
    ended = threading.Event()

    async def receive() -> None:
        try:
            await _receive(fs, path, file, arrivals)
        finally:
            arrivals.put(None)
            ended.set()

    receiving = asyncio.run_coroutine_threadsafe(receive(), fs.loop)
    try:
        digest = _hash_behind(file.target, copy, arrivals, progress)
        receiving.result()
    except BaseException as error:
        receiving.cancel()
        ended.wait()  # the caller closes the descriptor, and its number may be given to another file
        raise (error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error) from None
    return digest


async def _receive(fs: Any, path: str, file: Arriving, arrivals: _Arrivals) -> None:
    numbers = iter(range(len(file)))

    async def receive_in_turn(numbers: Iterator[int]) -> None:
        for number in numbers:
            await _receive_range(fs, path, file, number, arrivals)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(RANGES_AT_ONCE):
            tasks.create_task(receive_in_turn(numbers))


async def _receive_range(fs: Any, path: str, file: Arriving, number: int, arrivals: _Arrivals) -> None:
    (start, stop), tries = file.span(number), 0
    at = start + file.so_far(number)
    if at > start:
        arrivals.put((number, at - start))
    while at < stop:
        before = at
        try:
            async for piece in _pieces(fs, path, at, stop, file.size_bytes):
                file.take(number, at, piece)
                at += len(piece)
                arrivals.put((number, len(piece)))
        except (WrongSize, DiskFailed, FileNotFoundError, PermissionError):
            raise
        except Exception as error:
            if code_of(error) == "InvalidRange" or status_of(error) == 416:
                raise WrongSize from error
            tries = tries + 1 if at == before else 1
            if tries >= TRIES:
                raise
            await asyncio.sleep(0.1 * 2**tries)


async def _pieces(fs: Any, path: str, start: int, stop: int, size_bytes: int) -> Any:
    bucket, key, _ = fs.split_path(path)
    answer = await fs._call_s3("get_object", **fs.req_kw, Bucket=bucket, Key=key, Range=f"bytes={start}-{stop - 1}")
    body, left = answer["Body"], stop - start
    try:
        if not str(answer.get("ContentRange", "")).endswith(f"/{size_bytes}"):
            raise WrongSize
        while left and (piece := await body.read(PIECE_BYTES)):
            if len(piece) > left:
                raise OSError("more bytes came than were asked for")
            left -= len(piece)
            yield piece
        if left:
            raise OSError("the answer broke off")
    finally:
        body.close()


def _hash_behind(source: int, copy: int | None, arrivals: _Arrivals, progress: Callable[[int], None]) -> str:
    """Copy and hash from front to back as far as everything before has arrived."""
    digest, at, buffer = hashlib.sha256(), 0, memoryview(bytearray(CHUNK))
    arrived: dict[int, int] = {}
    while (came := arrivals.get()) is not None:
        number, count = came
        arrived[number] = arrived.get(number, 0) + count
        progress(count)
        while (ready := arrived.get(at // RANGE_BYTES, 0) - at % RANGE_BYTES) > 0:
            moved = ready if copy is None else _move_on(source, copy, ready)
            _hash(digest, source if copy is None else copy, at, at + moved, buffer)
            at += moved
    return "sha256:" + digest.hexdigest()


def _move_on(source: int, copy: int, ready: int) -> int:
    try:
        return copy_some(source, copy, ready)
    except OSError as error:
        raise DiskFailed from error


def _hash(digest: Any, file: int, start: int, stop: int, buffer: memoryview) -> None:
    while start < stop:
        count = os.preadv(file, [buffer[: min(CHUNK, stop - start)]], start)
        if not count:
            raise OSError(errno.EIO, "the file is shorter than what was written to it")
        digest.update(buffer[:count])
        start += count
