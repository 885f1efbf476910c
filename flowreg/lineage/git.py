"""The code a run was made by, as git knows it.

Rule 1: git is only asked, never changed: no lock is taken, no index refreshed, no hook or monitor of the repository started.
Rule 2: every question has the time that is left. What a huge repository cannot answer in time stays unknown.
Rule 3: a remote is recorded without user, password and query.
Rule 4: what is not committed is told apart from the commit, by ``changes``.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..core.events import Git
from .attempts import Attempts
from .changes import Asked, Status, changes, status, untracked
from .masking import without_credentials

_ASK = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false")
# A hook of another repository sets these; the folder shall decide which repository is meant.
_OTHERS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_PREFIX")


@dataclass(frozen=True, slots=True)
class Code:
    """What git says, the folder at the top of the work tree, and the bytes that ``git`` names by digest."""

    git: Git
    top: Path | None
    blobs: tuple[bytes, ...] = ()


def read_git(folder: Path, attempts: Attempts) -> Git | None:
    """The commit, branch, remote and dirtiness of the repository round ``folder``; None where there is none."""
    code = read_code(folder, attempts)
    return code.git if code else None


def read_code(folder: Path, attempts: Attempts) -> Code | None:
    """What git says about the repository round ``folder``, with what is not committed; None where there is none.

    Untracked files count as dirty: the code may be among them. Ignored files do not.
    """
    answer = attempts.get("git", lambda: _answer(folder, attempts, "rev-parse", "--is-inside-work-tree", "--show-toplevel"))
    if answer is None:
        return None
    inside, _, top = os.fsdecode(answer.stdout).rstrip("\n").partition("\n")
    if inside != "true" or not top:
        attempts.warn("git", _why_not(answer.stderr))
        return None
    commit = attempts.get("git commit", lambda: _ask(folder, attempts, "rev-parse", "--verify", "--quiet", "HEAD"))
    branch = attempts.get("git branch", lambda: _ask(folder, attempts, "symbolic-ref", "--quiet", "--short", "HEAD"))
    remote = attempts.get("git remote", lambda: _remote(folder, attempts))
    asked = _asking(Path(top))
    found = attempts.get("git status", lambda: status(asked, _environ(), attempts))
    diff, others = _uncommitted(Path(top), found, asked, attempts, bool(commit)) if found else (None, None)
    seen = Git(
        commit=commit or None, branch=branch or None, remote=remote or None, dirty=None if found is None else bool(found),
        diff=_digest(diff), untracked=_digest(others),
    )  # fmt: skip
    return Code(seen, Path(top), tuple(blob for blob in (diff, others) if blob is not None))


def _uncommitted(top: Path, found: Status, asked: Asked, attempts: Attempts, committed: bool) -> tuple[bytes | None, bytes | None]:
    differs = committed and found.changed
    diff = attempts.get("git diff", lambda: changes(top, found.changed, asked, _environ(), attempts)) if differs else None
    return diff, attempts.get("git untracked", lambda: untracked(top, asked, _environ(), attempts)) if found.others else None


def _asking(folder: Path) -> Asked:
    return lambda question: [*_ASK, "-C", str(folder), *question]


def _digest(blob: bytes | None) -> str | None:
    return None if blob is None else f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _why_not(complaint: bytes) -> str:
    """Why git answers nothing about this folder."""
    if b"dubious ownership" in complaint:
        return "the repository belongs to another user; git config --global --add safe.directory would allow reading it"
    return "no repository was found round the code"


def _remote(folder: Path, attempts: Attempts) -> str:
    lines = _ask(folder, attempts, "config", "--get-regexp", r"^remote\..*\.url$").splitlines()
    urls = dict(line.split(" ", 1) for line in lines if " " in line)
    return shown_remote(urls.get("remote.origin.url") or next(iter(urls.values()), ""))


def shown_remote(url: str) -> str:
    """A remote without credentials: ``https://…`` without its user part, ``git@host:path`` with its user, never a password.

    >>> shown_remote("git@github.com:team/churn.git"), shown_remote("oauth2:glpat-1@host:team/churn.git")
    ('git@github.com:team/churn.git', 'host:team/churn.git')
    """
    if "://" in url:
        return without_credentials(url)
    user, at, rest = url.rpartition("@")
    return rest if at and (":" in user or "/" in user) else url


def _ask(folder: Path, attempts: Attempts, *question: str) -> str:
    """What git answers, or an empty text where it says no."""
    answer = _answer(folder, attempts, *question)
    return answer.stdout.decode("utf-8", "replace").strip() if answer.returncode == 0 else ""


def _answer(folder: Path, attempts: Attempts, *question: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*_ASK, "-C", str(folder), *question],
        env=_environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=max(0.001, attempts.left_s),
        check=False,
    )


def _environ() -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if name not in _OTHERS}
    return {**environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
