"""What the code was besides its commit: changes that nobody committed, and files that git does not know.

Rule 1: everything is read up to a limit, as it streams; what is larger is left out with a warning, and costs no more than the limit.
Rule 2: what looks like a secret is left out by the file: its changes are in no diff, and not even its digest is told.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .attempts import Attempts
from .masking import holds_secret, is_secret_file

DIFF_LIMIT = 5 << 20  # bytes of a diff
NAMES_LIMIT = 1 << 20  # bytes of the names of untracked files
FILES_LIMIT = 1000  # untracked files that are listed
HASHED_LIMIT = 64 << 20  # bytes of untracked files that are hashed, all together
_CHUNK = 1 << 18
_FILE = re.compile(rb"^diff --git ", re.MULTILINE)
_NAMED = re.compile(r'diff --git "?a/(.+?)"? "?b/')

Asked = Callable[[Sequence[str]], list[str]]  # the command line that asks git this


def changes(asked: Asked, environ: dict[str, str], attempts: Attempts) -> bytes | None:
    """What differs from the commit, as ``git apply`` takes it; None where there is nothing, or too much."""
    diff, whole = _output(
        asked(("diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv", "--no-color")), environ, attempts, DIFF_LIMIT
    )
    if not whole:
        attempts.warn("git diff", f"not kept, it is larger than {DIFF_LIMIT >> 20} MiB or took too long; commit before training")
        return None
    starts = [found.start() for found in _FILE.finditer(diff)]
    parts = [diff[start:end] for start, end in zip(starts, [*starts[1:], len(diff)], strict=True)]
    kept = [part for part in parts if not _is_secret(part, attempts)]
    return b"".join(kept) or None


def untracked(top: Path, asked: Asked, environ: dict[str, str], attempts: Attempts) -> bytes | None:
    """A line ``sha256:… path`` for each file that git neither knows nor ignores, ``- path`` where the content was not looked at."""
    raw, whole = _output(asked(("ls-files", "--others", "--exclude-standard", "-z")), environ, attempts, NAMES_LIMIT)
    names = raw.split(b"\0")[:-1]
    if not whole or len(names) > FILES_LIMIT:
        attempts.warn("git untracked", f"only the first {min(len(names), FILES_LIMIT)} of the files that git does not know are listed")
    left = HASHED_LIMIT
    lines = []
    for name in names[:FILES_LIMIT]:
        path = name.decode("utf-8", "replace")
        digest, size = ("-", 0) if is_secret_file(path) else _digest(top / os.fsdecode(name), left, attempts)
        left -= size
        lines.append(f"{digest} {path!r}\n" if any(ord(c) < 32 for c in path) else f"{digest} {path}\n")
    return "".join(lines).encode() or None


def _is_secret(part: bytes, attempts: Attempts) -> bool:
    head, _, _ = part.partition(b"\n")
    named = _NAMED.match(head.decode("utf-8", "replace"))
    path = named[1] if named else "a file"
    if is_secret_file(path) or holds_secret(part.decode("utf-8", "replace")):
        attempts.warn("git diff", f"the changes of {path} were left out: they look as if they held a secret")
        return True
    return False


def _digest(path: Path, limit: int, attempts: Attempts) -> tuple[str, int]:
    """The digest of a regular file and its size; ``-`` for what is none, too large, or was not finished in time."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            seen = os.fstat(descriptor)
            if not stat.S_ISREG(seen.st_mode) or seen.st_size > limit:
                return "-", 0
            digest, size = hashlib.sha256(), 0
            while attempts.left_s and size <= limit and (chunk := file.read(_CHUNK)):
                digest.update(chunk)
                size += len(chunk)
            if attempts.left_s and size <= limit:
                return f"sha256:{digest.hexdigest()}", size
            return "-", size
    return "-", 0


def _output(command: list[str], environ: dict[str, str], attempts: Attempts, limit: int) -> tuple[bytes, bool]:
    """What git prints, up to the limit, and whether that is all of it. Git is ended where it prints more, or takes too long."""
    with _running(command, environ) as process:
        os.set_blocking(process.stdout.fileno(), False)  # type: ignore[union-attr]
        chunks, size = [], 0
        for chunk in _chunks(process, attempts):
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                return b"".join(chunks)[:limit], False
        return b"".join(chunks), process.poll() == 0


@contextlib.contextmanager
def _running(command: list[str], environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _chunks(process: subprocess.Popen[bytes], attempts: Attempts) -> Iterator[bytes]:
    import select

    descriptor = process.stdout.fileno()  # type: ignore[union-attr]
    while left := attempts.left_s:
        if not select.select([descriptor], [], [], left)[0]:
            return
        if not (chunk := os.read(descriptor, _CHUNK)):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.001, attempts.left_s))
            return
        yield chunk
