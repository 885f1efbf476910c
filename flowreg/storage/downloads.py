"""Large files from S3: many ranges at once straight into place, hashed in order behind them while the rest still arrives.

Rule 1: memory is bounded by what the sockets hold; nothing is put together in memory, and nothing is read from the disk again that
the page cache still has.
Rule 2: a range that breaks off is gone on with where it stopped. An object of another size than the record says is damaged.
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

from .hashing import CHUNK
from .uploads import code_of, status_of

RANGE_BYTES = 16 << 20
RANGES_AT_ONCE = 8
PIECE_BYTES = 1 << 18
TRIES = 5

_Arrivals = queue.SimpleQueue[tuple[int, int] | None]  # number of the range and bytes of it; None: nothing more comes


class WrongSize(Exception):
    """The object has not the size that the record says."""


def download(fs: Any, path: str, target: int, size_bytes: int, *, progress: Callable[[int], None]) -> str:
    """The object at ``path``, of ``size_bytes`` bytes, into the empty descriptor ``target``; the digest of what ``target`` now holds."""
    arrivals: _Arrivals = queue.SimpleQueue()
    ended = threading.Event()

    async def receive() -> None:
        try:
            await _receive(fs, path, target, size_bytes, arrivals)
        finally:
            arrivals.put(None)
            ended.set()

    receiving = asyncio.run_coroutine_threadsafe(receive(), fs.loop)
    try:
        digest = _hash_behind(target, arrivals, progress)
        receiving.result()
    except BaseException as error:
        receiving.cancel()
        ended.wait()  # the caller closes the descriptor, and its number may be given to another file
        raise (error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error) from None
    return digest


async def _receive(fs: Any, path: str, target: int, size_bytes: int, arrivals: _Arrivals) -> None:
    starts = iter(range(0, size_bytes, RANGE_BYTES))

    async def receive_in_turn(starts: Iterator[int]) -> None:
        for start in starts:
            await _receive_range(fs, path, target, start, min(start + RANGE_BYTES, size_bytes), size_bytes, arrivals)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(RANGES_AT_ONCE):
            tasks.create_task(receive_in_turn(starts))


async def _receive_range(fs: Any, path: str, target: int, start: int, stop: int, size_bytes: int, arrivals: _Arrivals) -> None:
    at, tries = start, 0
    while at < stop:
        before = at
        try:
            async for piece in _pieces(fs, path, at, stop, size_bytes):
                _write(target, piece, at)
                at += len(piece)
                arrivals.put((start // RANGE_BYTES, len(piece)))
        except (WrongSize, FileNotFoundError, PermissionError):
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


def _write(target: int, piece: bytes, at: int) -> None:
    view = memoryview(piece)
    while view:
        count = os.pwrite(target, view, at)
        view, at = view[count:], at + count


def _hash_behind(target: int, arrivals: _Arrivals, progress: Callable[[int], None]) -> str:
    """Hash from front to back as far as everything before has arrived."""
    digest, at, buffer = hashlib.sha256(), 0, memoryview(bytearray(CHUNK))
    arrived: dict[int, int] = {}
    while (came := arrivals.get()) is not None:
        number, count = came
        arrived[number] = arrived.get(number, 0) + count
        progress(count)
        while (ready := arrived.get(at // RANGE_BYTES, 0) - at % RANGE_BYTES) > 0:
            count = os.preadv(target, [buffer[: min(CHUNK, ready)]], at)
            if not count:
                raise OSError(errno.EIO, "the file is shorter than what was written to it")
            digest.update(buffer[:count])
            at += count
    return "sha256:" + digest.hexdigest()
