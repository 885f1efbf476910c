"""How much memory registering takes above what the import takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .registering import random_file

PROCESS_STATUS = Path("/proc/self/status")  # Linux; its getrusage would tell the peak of the process that started this one
SCRIPT = """
import sys
from flowreg import Registry
import flowreg.formats.choose

def peak_kib():
    return next(int(line.split()[1]) for line in open(sys.argv[3]) if line.startswith("VmHWM"))

before = peak_kib()
Registry(sys.argv[1]).register("churn", sys.argv[2])
print(peak_kib() - before)
"""


def peak_above_import_mib(folder: Path, *, size_bytes: int = 1 << 30) -> float:
    """The highest resident memory of a process that registers one file, less what it was after the import."""
    model = random_file(folder / "model.bin", size_bytes)
    arguments = [str(folder / "registry"), str(model), str(PROCESS_STATUS)]
    ended = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    return int(ended.stdout) / 1024
