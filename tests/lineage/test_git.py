"""Git is asked about the code; whatever it cannot say costs only that field."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from flowreg.lineage.attempts import Attempts
from flowreg.lineage.git import read_git, shown_remote

CANARY = "hunter2-canary"


def git(folder: Path, *command: str) -> str:
    identity = ("-c", "user.name=Ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *identity, "-C", str(folder), *command], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit on ``main``."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init")
    (folder / "train.py").write_text("fit()\n")
    git(folder, "add", "train.py")
    git(folder, "commit", "-m", "Train")
    return folder


@pytest.fixture
def attempts() -> Attempts:
    return Attempts(time.monotonic() + 60)


def test_a_clean_repository(repository: Path, attempts: Attempts) -> None:
    """Commit and branch are recorded, also from a folder inside; it is not dirty and has no remote."""
    inside = repository / "flows"
    inside.mkdir()

    seen = read_git(inside, attempts)

    assert seen is not None
    assert (seen.commit, seen.branch, seen.remote, seen.dirty) == (git(repository, "rev-parse", "HEAD"), "main", None, False)
    assert attempts.warnings == []


def test_a_detached_head_has_no_branch(repository: Path, attempts: Attempts) -> None:
    """The commit is still known."""
    commit = git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "--detach")

    seen = read_git(repository, attempts)

    assert seen is not None
    assert (seen.commit, seen.branch) == (commit, None)


@pytest.mark.parametrize("file", ["train.py", "new.py"])
def test_a_changed_or_untracked_file_makes_it_dirty(repository: Path, attempts: Attempts, file: str) -> None:
    """The code that ran may be in either."""
    (repository / file).write_text("fit(twice)\n")

    seen = read_git(repository, attempts)

    assert seen is not None
    assert seen.dirty is True


def test_an_ignored_file_does_not_make_it_dirty(repository: Path, attempts: Attempts) -> None:
    """What the project itself calls no code is no code."""
    (repository / ".git" / "info" / "exclude").write_text("*.csv\n")
    (repository / "data.csv").write_text("1,2\n")

    seen = read_git(repository, attempts)

    assert seen is not None
    assert seen.dirty is False


def test_a_repository_without_a_commit(tmp_path: Path, attempts: Attempts) -> None:
    """The branch is known, the commit is not."""
    git(tmp_path, "init")

    seen = read_git(tmp_path, attempts)

    assert seen is not None
    assert (seen.commit, seen.branch) == (None, "main")


def test_no_repository_is_a_warning(tmp_path: Path, attempts: Attempts) -> None:
    """And nothing else."""
    assert read_git(tmp_path, attempts) is None
    assert attempts.warnings == ["git: no repository was found round the code"]


def test_no_git_is_a_warning(repository: Path, attempts: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Serving images often have none."""
    monkeypatch.setenv("PATH", "")

    assert read_git(repository, attempts) is None
    assert attempts.warnings == ["git: could not be read (FileNotFoundError)"]


def test_a_hook_of_another_repository_does_not_mislead(repository: Path, attempts: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git sets these variables for its hooks; the folder decides all the same."""
    monkeypatch.setenv("GIT_DIR", str(repository / "elsewhere"))

    seen = read_git(repository, attempts)

    assert seen is not None
    assert seen.branch == "main"


def test_a_remote_is_recorded_without_credentials(repository: Path, attempts: Attempts) -> None:
    """``origin`` is meant where there are several."""
    git(repository, "remote", "add", "backup", "https://example.org/backup.git")
    git(repository, "remote", "add", "origin", f"https://x-access-token:{CANARY}@github.com/team/churn.git?token={CANARY}")

    seen = read_git(repository, attempts)

    assert seen is not None
    assert seen.remote == "https://github.com/team/churn.git"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("git@github.com:team/churn.git", "git@github.com:team/churn.git"),
        (f"oauth2:{CANARY}@host:team/churn.git", "host:team/churn.git"),
        ("ssh://git@host:22/team/churn.git", "ssh://host:22/team/churn.git"),
        ("/srv/git/churn.git", "/srv/git/churn.git"),
    ],
)
def test_each_spelling_of_a_remote(url: str, shown: str) -> None:
    """A user alone is no secret where ssh needs it; a password never stays."""
    assert shown_remote(url) == shown


def test_asking_changes_nothing(repository: Path, attempts: Attempts) -> None:
    """The index is not refreshed, and a monitor that the repository names is not started."""
    started = repository.parent / "started"
    monitor = repository / ".git" / "monitor"
    monitor.write_text(f"#!/bin/sh\ntouch {started}\n")
    monitor.chmod(0o755)
    git(repository, "config", "core.fsmonitor", str(monitor))
    os.utime(repository / "train.py", (1e9, 1e9))  # git would note that the file is unchanged all the same
    before = (repository / ".git" / "index").read_bytes()

    read_git(repository, attempts)

    assert ((repository / ".git" / "index").read_bytes(), started.exists()) == (before, False)


def test_a_git_that_hangs_is_stopped(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was learnt before stays; what hangs is unknown and said so, and nothing is asked after the time is up."""
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text('#!/bin/sh\ncase "$*" in *status*) exec sleep 600;; *) PATH="${PATH#*:}" exec git "$@";; esac\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:/usr/local/bin:/usr/bin:/bin")
    attempts = Attempts(time.monotonic() + 3)

    seen = read_git(repository, attempts)

    assert seen is not None
    assert (seen.branch, seen.dirty) == ("main", None)
    assert attempts.warnings == ["git status: could not be read (TimeoutError)"]
    assert attempts.get("more", lambda: 1) is None
