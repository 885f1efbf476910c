"""What is not committed is kept beside the commit, within limits, and never a secret."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from flowreg.lineage import changes as changes_module
from flowreg.lineage.attempts import Attempts
from flowreg.lineage.git import Code, read_code

from .test_git import attempts, git, repository

__all__ = ["attempts", "repository"]
CANARY = "hunter2-canary-9"


def code_of(folder: Path, attempts: Attempts) -> Code:
    code = read_code(folder, attempts)
    assert code is not None
    return code


def blob(code: Code, digest: str | None) -> bytes:
    return {f"sha256:{hashlib.sha256(raw).hexdigest()}": raw for raw in code.blobs}[str(digest)]


def test_the_diff_makes_the_changed_tree_out_of_the_commit(repository: Path, attempts: Attempts, tmp_path: Path) -> None:
    """Text, binary, new in the index, deleted: applied to a clone of the commit it gives the same files."""
    (repository / "gone.py").write_text("x\n")
    (repository / "bytes.bin").write_bytes(bytes(range(256)))
    git(repository, "add", ".")
    git(repository, "commit", "-m", "More")
    (repository / "train.py").write_text("fit(twice)\n")
    (repository / "bytes.bin").write_bytes(bytes(range(255, -1, -1)))
    (repository / "gone.py").unlink()
    (repository / "added.py").write_text("new\n")
    git(repository, "add", "added.py")

    code = code_of(repository, attempts)

    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(repository), str(clone)], check=True)
    subprocess.run(["git", "-C", str(clone), "apply"], input=blob(code, code.git.diff), check=True)
    assert {path.name: path.read_bytes() for path in clone.iterdir() if path.is_file()} == {
        path.name: path.read_bytes() for path in repository.iterdir() if path.is_file()
    }
    assert code.git.untracked is None


def test_untracked_files_are_listed_with_their_digests(repository: Path, attempts: Attempts) -> None:
    """Also from a folder below; links, pipes and secrets by name only; ignored ones not at all."""
    (repository / "new").mkdir()
    (repository / "new" / "ünïcode.py").write_bytes(b"abc")
    (repository / ".env").write_text(f"PASSWORD={CANARY}")
    (repository / "link").symlink_to("/etc/passwd")
    os.mkfifo(repository / "pipe")
    (repository / ".git" / "info" / "exclude").write_text("*.csv\n")
    (repository / "data.csv").write_text("1,2\n")

    code = code_of(repository / "new", attempts)

    lines = blob(code, code.git.untracked).decode().splitlines()
    assert attempts.warnings == ["git untracked: 2 of them were not read: secret, too large, or no files"]
    assert sorted(lines) == sorted(["- .env", "- link", f"sha256:{hashlib.sha256(b'abc').hexdigest()} new/ünïcode.py"])
    assert code.git.diff is None


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".env", f"X={CANARY}\n"),
        ("settings.py", f"API_KEY = '{CANARY}'\n"),
        ("settings.py", f"url = 'postgres://ana:{CANARY}@db/x'\n"),
        ("deploy.yaml", "token: ghp_0123456789abcdefABCDEF01\n"),
        ("k", "-----BEGIN PRIVATE KEY-----\nhunter2-canary-9\n"),
    ],
)
def test_changes_that_look_secret_are_left_out_and_said(repository: Path, attempts: Attempts, file: str, text: str) -> None:
    """The other changes are still there; the warning names the file, and nothing of its content."""
    (repository / file).write_text("a\n")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "Settings")
    (repository / file).write_text(text)
    (repository / "train.py").write_text("fit(twice)\n")

    code = code_of(repository, attempts)

    diff = blob(code, code.git.diff)
    assert b"fit(twice)" in diff
    assert b"canary" not in diff
    assert b"ghp_" not in diff
    (warning,) = attempts.warnings
    assert file in warning
    assert "canary" not in warning


def test_ordinary_code_about_tokens_is_no_secret(repository: Path, attempts: Attempts) -> None:
    """A diff that is left out helps nobody."""
    (repository / "train.py").write_text('token = fetch_token(user)\npassword: str = Field("")\nTOKENS = 512\napi_key=os.environ["KEY"]\n')

    code = code_of(repository, attempts)

    assert b"fetch_token" in blob(code, code.git.diff)


def test_a_huge_diff_is_left_out_at_the_limit(repository: Path, attempts: Attempts) -> None:
    """It costs no more than the limit, and the record says so."""
    (repository / "train.py").write_text("x = 1\n" * 2_000_000)

    code = code_of(repository, attempts)

    assert code.git.dirty
    assert code.git.diff is None
    assert any("larger than 5 MiB" in warning for warning in attempts.warnings)


def test_untracked_gigabytes_cost_nothing(repository: Path, attempts: Attempts) -> None:
    """A sparse file of 10 GB and two thousand small ones: names, as far as the limits go."""
    with (repository / "huge.bin").open("wb") as file:
        file.truncate(10 << 30)
    for number in range(2000):
        (repository / f"f{number:04d}").touch()

    code = code_of(repository, attempts)

    lines = blob(code, code.git.untracked).decode().splitlines()
    assert len(lines) == changes_module.FILES_LIMIT
    assert not any(line.startswith("sha256:") and line.endswith("huge.bin") for line in lines)
    assert any("only the first 1000" in warning for warning in attempts.warnings)


def test_a_repository_without_a_commit_has_only_untracked_files(tmp_path: Path, attempts: Attempts) -> None:
    """There is nothing to differ from."""
    git(tmp_path, "init")
    (tmp_path / "train.py").write_text("fit()\n")

    code = code_of(tmp_path, attempts)

    assert (code.git.commit, code.git.diff, code.git.dirty) == (None, None, True)
    assert blob(code, code.git.untracked).decode().endswith("train.py\n")


def test_a_git_that_hangs_ends_with_the_budget(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question fails by itself, and all of them together take no longer than was given."""
    (repository / "train.py").write_text("fit(twice)\n")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "git").write_text('#!/bin/sh\ncase "$*" in *diff*) exec sleep 100;; esac\nexec /usr/bin/git "$@"\n')
    (tools / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    attempts = Attempts(time.monotonic() + 1.5)

    code = code_of(repository, attempts)

    assert code.git.commit
    assert code.git.diff is None
    assert any(warning.startswith("git diff:") for warning in attempts.warnings)


def test_without_git_there_is_a_warning(repository: Path, attempts: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slim container has none."""
    monkeypatch.setenv("PATH", "/nowhere")

    assert read_code(repository, attempts) is None
    assert attempts.warnings == ["git: could not be read (FileNotFoundError)"]


def test_the_diff_can_be_applied_however_git_is_configured(repository: Path, attempts: Attempts, tmp_path: Path) -> None:
    """Prefixes, colours, and a program of the user's own for showing differences."""
    for name, value in {"diff.noprefix": "true", "color.diff": "always", "diff.external": "false", "diff.mnemonicPrefix": "true"}.items():
        git(repository, "config", name, value)
    (repository / "train.py").write_text("fit(twice)\n")

    code = code_of(repository, attempts)

    git(tmp_path, "clone", "--quiet", str(repository), "clone")
    subprocess.run(["git", "-C", str(tmp_path / "clone"), "apply"], input=blob(code, code.git.diff), check=True)
    assert (tmp_path / "clone" / "train.py").read_text() == "fit(twice)\n"


def test_git_is_not_asked_about_a_huge_changed_file(repository: Path, attempts: Attempts) -> None:
    """It would hold the whole of it."""
    with (repository / "train.py").open("r+b") as file:
        file.truncate(10 << 30)

    code = code_of(repository, attempts)

    assert (code.git.dirty, code.git.diff) == (True, None)
    assert attempts.warnings == ["git diff: not kept: train.py is changed, and larger than 64 MiB"]


def test_a_change_within_a_submodule_is_said(repository: Path, attempts: Attempts) -> None:
    """Only the submodule itself knows it; the difference here would not carry it."""
    inner = repository.parent / "inner"
    inner.mkdir()
    git(inner, "init")
    (inner / "lib.py").write_text("one\n")
    git(inner, "add", ".")
    git(inner, "commit", "-m", "One")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "lib")
    git(repository, "commit", "-m", "With a submodule")
    (repository / "lib" / "lib.py").write_text("two\n")

    code = code_of(repository, attempts)

    assert (code.git.dirty, code.git.diff) == (True, None)
    assert attempts.warnings == ["git diff: what is changed within the submodule lib is not kept; commit it there"]


def test_a_worktree_is_a_repository(repository: Path, attempts: Attempts) -> None:
    """With a branch and changes of its own."""
    git(repository, "worktree", "add", "--quiet", "-b", "trial", "../trial")
    (repository.parent / "trial" / "train.py").write_text("fit(twice)\n")

    code = code_of(repository.parent / "trial", attempts)

    assert (code.git.branch, code.git.dirty) == ("trial", True)
    assert b"fit(twice)" in blob(code, code.git.diff)


def test_a_repository_of_somebody_else_is_a_warning(repository: Path, attempts: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git does not read it, and what would allow that is said."""
    for name, value in {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GIT_CONFIG_COUNT", raising=False)

    assert read_code(repository, attempts) is None
    assert ["belongs to another user" in warning for warning in attempts.warnings] == [True]


def test_code_about_tokenizers_is_kept(repository: Path, attempts: Attempts) -> None:
    """What only sounds like a secret is ordinary in this trade."""
    code = 'tokenizer = "bert-base-uncased"\nmask_token = "[MASK]"\ntoken_type = "whole-word"\nTOKENIZER = "bert-base"\n'
    (repository / "train.py").write_text(code)

    seen = code_of(repository, attempts)

    assert b"bert-base-uncased" in blob(seen, seen.git.diff)


def test_a_renamed_secret_stays_out(repository: Path, attempts: Attempts) -> None:
    """Whatever it is called now."""
    lines = "".join(f"NAME_{number}=value\n" for number in range(50))
    (repository / ".env").write_text(lines)
    git(repository, "add", ".")
    git(repository, "commit", "-m", "Settings")
    git(repository, "mv", ".env", "settings.txt")
    (repository / "settings.txt").write_text(f"{lines}D={CANARY}\n")

    code = code_of(repository, attempts)

    assert code.git.diff is None
    assert attempts.warnings == ["git diff: the changes of settings.txt were left out: they look as if they held a secret"]
