"""However large a file is, what is in memory at once is bounded: by the parts in flight, on their way out and on the way to the socket."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowreg.storage.fsspec_store import IN_FLIGHT_BYTES
from tests.servers.s3 import S3Server

from .test_large import written

MIB = 1 << 20
STATUS = Path("/proc/self/status")  # getrusage would tell the peak of the process that started this one
CODE = """
import sys
from flowreg import Registry

def peak_kib():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

registry = Registry(sys.argv[1])
registry.register("small", sys.argv[2])
registry.fetch("small@1", sys.argv[4] + "-small")
before = peak_kib()
registry.register("churn", sys.argv[3])
registered = peak_kib()
registry.fetch("churn@1", sys.argv[4])
print(registered - before, peak_kib() - before)
"""

pytestmark = pytest.mark.skipif(not STATUS.exists(), reason="the peak of a process is read from /proc")


def peaks_mib(root: str, folder: Path, size_bytes: int, env: dict[str, str]) -> list[float]:
    """The peak of a new process above what it had after a small file: when the file is registered, and when it is fetched as well."""
    (folder / "small").write_bytes(b"small")
    model = written(folder / "model.bin", size_bytes)
    arguments = [root, str(folder / "small"), str(model), str(folder / "out")]
    ended = subprocess.run(
        [sys.executable, "-c", CODE, *arguments], check=True, capture_output=True, env={**os.environ, **env}, timeout=900
    )
    assert (folder / "out" / "model.bin").stat().st_size == size_bytes
    return [int(kib) / 1024 for kib in ended.stdout.split()]


@pytest.mark.parametrize("size_bytes", [128 * MIB, pytest.param(4096 * MIB, marks=pytest.mark.slow)])
def test_on_a_disk_a_file_passes_through_a_few_buffers(size_bytes: int, tmp_path: Path) -> None:
    """Far less than the file, and less than a part."""
    found = peaks_mib(str(tmp_path / "root"), tmp_path, size_bytes, {})
    assert max(found) < 32


@pytest.mark.s3
@pytest.mark.parametrize("size_bytes", [512 * MIB, pytest.param(4096 * MIB, marks=pytest.mark.slow)])
def test_on_s3_no_more_than_the_parts_in_flight_are_in_memory(size_bytes: int, seaweed: S3Server, tmp_path: Path) -> None:
    """The bytes of the parts in flight, once more where they wait for the socket, and some room."""
    found = peaks_mib(seaweed.new_prefix(), tmp_path, size_bytes, dict(seaweed.env))
    assert max(found) < 2 * IN_FLIGHT_BYTES / MIB + 64
