"""The same commands on a real S3 server, told nothing but the root: credentials come from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.s3 import S3Server

from .conftest import Cli, every_byte

pytestmark = pytest.mark.s3


def test_options_of_the_filesystem_are_typed(cli: Cli, seaweed: S3Server, model_file: Path) -> None:
    """Nothing in the environment: doctor, init, check and the other verbs take ``--storage-option``; what is wrong shows no value."""
    root = seaweed.new_prefix()
    options = [f"--storage-option={name}={value}" for name, value in seaweed.storage_options.items()]
    answers = [
        cli(*argv, *options, root=root)
        for argv in (("doctor", f"{root}/trial"), ("init",), ("register", str(model_file), "--model", "churn"), ("ls",), ("check",))
    ]
    wrong = [cli("ls", f"--storage-option={typed}", root=root) for typed in (seaweed.secret, f"a-b={seaweed.secret}")]

    assert [answer.code for answer in answers] == [0] * len(answers)
    assert "of 8 writers at once one won" in answers[0].out
    assert [(answer.code, "a storage option is NAME=VALUE" in answer.err) for answer in wrong] == [(2, True)] * 2
    assert seaweed.secret not in "".join(answer.out + answer.err for answer in (*answers, *wrong))


def test_the_verbs_work_on_s3_and_show_no_secret(
    cli: Cli, seaweed: S3Server, model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """init proves the conditional put; what is registered is promoted, listed and fetched; no credential is printed."""
    for name, value in seaweed.env.items():
        monkeypatch.setenv(name, value)
    root = seaweed.new_prefix()
    answers = [
        cli(*argv, root=root)
        for argv in (
            ("register", str(model_file), "--model", "churn", "--dry-run"),
            ("init",),
            ("doctor",),
            ("register", str(model_file), "--model", "churn", "--metric", "auc=0.9"),
            ("promote", "churn@1", "--to", "champion"),
            ("ls",),
            ("show", "churn@champion"),
            ("fetch", "churn@champion", "--into", str(tmp_path / "here")),
        )
    ]

    assert [answer.code for answer in answers] == [0] * len(answers)
    assert "Created the registry" in answers[1].out
    assert "yes: a second creation of the same file was refused" in answers[2].out
    assert every_byte(tmp_path / "here") == {"model.bin": model_file.read_bytes()}
    printed = "".join(answer.out + answer.err for answer in answers)
    assert seaweed.secret not in printed
    assert seaweed.key not in printed
