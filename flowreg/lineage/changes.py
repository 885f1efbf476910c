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
from dataclasses import dataclass
from pathlib import Path

from .attempts import Attempts
from .masking import holds_secret, is_secret_file

DIFF_LIMIT = 5 << 20  # bytes of a diff
NAMES_LIMIT = 1 << 20  # bytes of the names of untracked files
FILES_LIMIT = 1000  # untracked files that are listed
HASHED_LIMIT = 64 << 20  # bytes of untracked files that are hashed, all together
CHANGED_LIMIT = 64 << 20  # bytes of a changed file that git may be asked about: it holds the whole of it
_CHUNK = 1 << 18
_FILE = re.compile(rb"^(?=diff --git )", re.MULTILINE)
_NAMED = re.compile(r'diff --git "?a/(.+?)"? "?b/(.+?)"?$')
# However git is configured, what it prints is what ``git apply`` takes; within a submodule it does not look.
_DIFF = ("diff", "HEAD", "--binary", "--full-index", "--src-prefix=a/", "--dst-prefix=b/", "--no-ext-diff", "--no-textconv", "--no-color",
         "--no-relative", "--submodule=short", "--ignore-submodules=dirty")  # fmt: skip

Asked = Callable[[Sequence[str]], list[str]]  # the command line that asks git this


@dataclass(frozen=True, slots=True)
class Status:
    """The paths of the files that differ from the commit, and whether there are any that git does not know."""

    changed: tuple[bytes, ...]
    others: bool

    def __bool__(self) -> bool:
        return self.others or bool(self.changed)


def status(asked: Asked, environ: dict[str, str], attempts: Attempts) -> Status:
    """What git's status says. What was changed within a submodule is a warning, since only that knows it."""
    said, whole = _output(asked(("status", "--porcelain=v2", "-z", "--untracked-files=normal")), environ, attempts, NAMES_LIMIT)
    if not whole and not said:
        raise OSError("git said no") if attempts.left_s else TimeoutError
    fields = iter(said.split(b"\0")[:-1])
    changed, others = [], not whole
    for field in fields:
        words = field.split(b" ", {b"1": 8, b"2": 9, b"u": 10}.get(field[:1], 1))
        others |= words[0] == b"?"
        if words[0] in (b"1", b"2", b"u"):
            changed.append(words[-1])
            if words[2].startswith(b"S") and words[2][2:] != b"..":
                path = words[-1].decode("utf-8", "replace")
                attempts.warn("git diff", f"what is changed within the submodule {path} is not kept; commit it there")
        if words[0] == b"2":
            next(fields, None)  # what it was called before
    return Status(tuple(changed), others)


def changes(top: Path, changed: Sequence[bytes], asked: Asked, environ: dict[str, str], attempts: Attempts) -> bytes | None:
    """What differs from the commit, as ``git apply`` takes it; None where there is nothing, or too much."""
    large = [name for name in changed if _size(top / os.fsdecode(name)) > CHANGED_LIMIT]
    if large:
        path = large[0].decode("utf-8", "replace")
        attempts.warn("git diff", f"not kept: {path} is changed, and larger than {CHANGED_LIMIT >> 20} MiB")
        return None
    diff, whole = _output(asked(_DIFF), environ, attempts, DIFF_LIMIT)
    if not whole:
        attempts.warn("git diff", f"not kept, it is larger than {DIFF_LIMIT >> 20} MiB or took too long; commit before training")
        return None
    kept = [part for part in _FILE.split(diff) if part and not _is_secret(part, attempts)]
    return b"".join(kept) or None


def untracked(top: Path, asked: Asked, environ: dict[str, str], attempts: Attempts) -> bytes | None:
    """A line ``sha256:… path`` for each file that git neither knows nor ignores, ``- path`` where the content was not looked at."""
    raw, whole = _output(asked(("ls-files", "--others", "--exclude-standard", "-z")), environ, attempts, NAMES_LIMIT)
    names = raw.split(b"\0")[:-1]
    if not whole or len(names) > FILES_LIMIT:
        attempts.warn("git untracked", f"only the first {min(len(names), FILES_LIMIT)} of the files that git does not know are listed")
    left = HASHED_LIMIT
    lines, unread = [], 0
    for name in names[:FILES_LIMIT]:
        path = name.decode("utf-8", "replace")
        digest, size = ("-", 0) if is_secret_file(path) else _digest(top / os.fsdecode(name), left, attempts)
        left -= size
        unread += digest == "-"
        lines.append(f"{digest} {path!r}\n" if any(ord(c) < 32 for c in path) else f"{digest} {path}\n")
    if unread:
        attempts.warn("git untracked", f"{unread} of them {'was' if unread == 1 else 'were'} not read: secret, too large, or no files")
    return "".join(lines).encode() or None


def _is_secret(part: bytes, attempts: Attempts) -> bool:
    head, _, _ = part.partition(b"\n")
    named = _NAMED.match(head.decode("utf-8", "replace"))
    before, path = (named[1], named[2]) if named else ("", "a file")
    if is_secret_file(before) or is_secret_file(path) or holds_secret(part.decode("utf-8", "replace")):
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


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0  # it was removed


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
