"""A process that is killed while it registers leaves the old state or the new one, and the same command completes."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flowreg import Registry

CODE = """
import sys
from flowreg import Registry
registry = Registry(sys.argv[1])
print("ready", flush=True)
for n in range(40):
    registry.register("churn", sys.argv[2], key=f"key-{n}", metrics={"auc": n / 40}, slices={"a=b": {"auc": n / 40}}, card=f"# {n}")
    print(n, flush=True)
registry.flush()
"""


def kill_after(lines: int, command: list[str]) -> list[int]:
    """Run until ``lines`` registrations were acknowledged, then kill -9; the acknowledged ones."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    seen = [int(process.stdout.readline()) for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    rest = [int(line) for line in process.stdout.read().split("\n") if line.isdigit()]
    process.wait()
    return seen + rest


@pytest.mark.parametrize("rounds", [4, pytest.param(40, marks=pytest.mark.slow)])
def test_a_killed_registration_is_whole_or_was_never(tmp_path: Path, rounds: int) -> None:
    """Killed again and again: it opens, every version has all its bytes, nothing acknowledged is lost, and there is no twin."""
    (tmp_path / "artifact" / "sub").mkdir(parents=True)
    for name in ("a", "sub/b", "sub/c"):
        (tmp_path / "artifact" / name).write_bytes(random.Random(name).randbytes(200_000))
    root, chance = tmp_path / "registry", random.Random(7)
    command = [sys.executable, "-c", CODE, str(root), str(tmp_path / "artifact")]
    acknowledged: set[int] = set()

    for n in range(rounds):
        acknowledged |= set(kill_after(chance.randrange(0, 12), command))
        registry = Registry(root)
        versions = registry.versions("churn") if registry.models() else ()

        assert [v.number for v in versions] == list(range(1, len(versions) + 1))
        assert {f"key-{k}" for k in acknowledged} <= {v.key for v in versions}
        for version in versions[-3:]:
            fetched = registry.fetch(version, tmp_path / f"out-{n}-{version.number}")
            assert (fetched / "sub" / "b").read_bytes() == (tmp_path / "artifact" / "sub" / "b").read_bytes()
            assert registry.slices(version.evaluations[0])
            assert registry.card(version)

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)

    assert done.stdout.split()[-1] == "39"
    versions = Registry(root).versions("churn")
    assert sorted(v.key or "" for v in versions) == sorted(f"key-{n}" for n in range(40))
    assert all(line.void is None for line in Registry(root).history("churn"))
