"""Secrets go in by every door, and stand nowhere afterwards: no file, object, log line, artifact, repr or exception has one."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.servers.prefect_server import PrefectServer
from tests.servers.s3 import S3Server

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.s3
@pytest.mark.prefect
def test_no_secret_is_written_anywhere(seaweed: S3Server, prefect_server: PrefectServer, tmp_path: Path) -> None:
    """Credentials in a block, a token and a URL with a password in parameters: searched for in every byte that was written."""
    token, root = f"canary-{secrets.token_hex(12)}", seaweed.new_prefix()
    env = {
        **prefect_server.env, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PREFECT_LOGGING_TO_API_ENABLED": "true",
        "PREFECT_LOGGING_LEVEL": "DEBUG", "LIFE_ROOT": root, "LIFE_OPTIONS": json.dumps(seaweed.storage_options), "LIFE_TOKEN": token,
        "LIFE_INTO": str(tmp_path / "fetched"),
    }  # fmt: skip

    ended = subprocess.run(
        [sys.executable, "-m", "tests.secrets.life"], cwd=REPOSITORY, env=env, capture_output=True, text=True, timeout=240
    )

    assert ended.returncode == 0, ended.stderr[-3000:]
    written = {"output": ended.stdout + ended.stderr, **_objects(seaweed, root), **_files(tmp_path), **_told_by_prefect(prefect_server)}
    assert "churn@1" in written["output"]
    assert any("flowreg-churn" in text for name, text in written.items() if name.startswith("prefect")), "artifacts were written"
    for canary in (seaweed.secret, seaweed.secret[:24]):
        assert [name for name, text in written.items() if canary in text] == []
    # A plain text parameter of a flow is kept by Prefect itself, in its table of flow runs; nothing of ours may repeat it.
    ours = {name: text for name, text in written.items() if name != "prefect flow_runs/filter" and "prefect.db" not in name}
    assert [name for name, text in ours.items() if token in text] == []


def _objects(server: S3Server, root: str) -> dict[str, str]:
    files = server.filesystem()
    return {path: files.cat_file(path).decode("utf-8", "replace") for path in files.find(root)}


def _files(folder: Path) -> dict[str, str]:
    return {str(path): path.read_text("utf-8", "replace") for path in folder.rglob("*") if path.is_file()}


def _told_by_prefect(server: PrefectServer) -> dict[str, str]:
    """Everything that Prefect's server tells, and everything that lies in its home: the database as well."""
    asked = ("artifacts/filter", "logs/filter", "flow_runs/filter", "task_runs/filter", "events/filter")
    told = {f"prefect {path}": httpx.post(f"{server.api_url}/{path}", json={}, timeout=60).text for path in asked}
    home = Path(server.env["PREFECT_HOME"])
    files = {f"prefect {path}": path.read_bytes().decode("utf-8", "replace") for path in home.rglob("*") if path.is_file()}
    return {**told, **files}
