"""What a run was computed on: processor, memory, accelerators, and the libraries that decide about numbers.

Rule: nothing is imported or started for this but ``nvidia-smi``, where there is one and nothing else told. What a run has not
imported it has not computed with.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from .attempts import Attempts

_TOLD = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "NUMEXPR_NUM_THREADS", "PYTHONHASHSEED",
    "CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE", "TF_DETERMINISTIC_OPS", "XLA_FLAGS",
)  # fmt: skip
ACCELERATORS_LIMIT = 64
_TEXT_LIMIT = 200
PROGRAM_S = 1.0  # that nvidia-smi may take; the code comes after it


@cache  # as long as the process lives
def processor() -> str | None:
    """The name of the processor, as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model", "Processor") and value.strip():
                return value.strip()[:_TEXT_LIMIT]
    except OSError:
        pass
    return (platform.processor() or platform.machine())[:_TEXT_LIMIT] or None


def processors() -> int | None:
    """How many processors this process may use: not more than a container's quota."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _quota()
    return min(usable or quota, quota) if quota else usable


def memory_bytes() -> int | None:
    """The memory this process may use: the machine's, or a container's limit."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = _cgroup("memory.max")
    return min(whole, int(limit)) if limit and limit.isdigit() else whole


def accelerators(attempts: Attempts) -> tuple[str, ...]:
    """The names of the graphics processors and the like, one for each."""
    found = _of_torch() or _of_driver() or _of_smi(attempts)
    return tuple(name[:_TEXT_LIMIT] for name in found[:ACCELERATORS_LIMIT])


def libraries() -> dict[str, str]:
    """What decides about numbers besides the packages: by name, as text."""
    found = {name: os.environ[name] for name in _TOLD if os.environ.get(name)}
    torch: Any = sys.modules.get("torch")
    for name, read in (("blas", _blas), ("driver", _driver), ("cuda", lambda: getattr(getattr(torch, "version", None), "cuda", None))):
        try:
            if told := read():
                found[name] = str(told)
        except Exception:
            continue  # a library that was built in an unusual way does not tell
    return {name: value[:_TEXT_LIMIT] for name, value in found.items()}


def _quota() -> int | None:
    said = (_cgroup("cpu.max") or "").split()
    if len(said) != 2 or not (said[0].isdigit() and said[1].isdigit()):
        return None
    return max(1, -(-int(said[0]) // max(1, int(said[1]))))


def _cgroup(name: str) -> str | None:
    try:
        return Path("/sys/fs/cgroup", name).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None


def _of_torch() -> list[str]:
    torch: Any = sys.modules.get("torch")
    try:
        if torch is None:
            return []
        if torch.cuda.is_available():
            return [str(torch.cuda.get_device_name(place)) for place in range(torch.cuda.device_count())]
        return ["Apple MPS"] if torch.backends.mps.is_available() else []
    except Exception:
        return []


def _of_driver() -> list[str]:
    """What NVIDIA's driver says on Linux, with no program started."""
    found = []
    for told in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        for line in told.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("Model:"):
                found.append(line.partition(":")[2].strip())
    return found


def _of_smi(attempts: Attempts) -> list[str]:
    program = shutil.which("nvidia-smi")
    return _named_by(program, min(PROGRAM_S, attempts.left_s)) if program else []


_asked: dict[str, list[str]] = {}  # it takes its time, and the machine stays what it is


def _named_by(program: str, timeout_s: float) -> list[str]:
    if program not in _asked:
        _asked[program] = []  # one that hangs is not asked again
        answer = subprocess.run(
            [program, "--query-gpu=name", "--format=csv,noheader"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=max(0.001, timeout_s), check=False,
        )  # fmt: skip
        _asked[program] = answer.stdout.decode("utf-8", "replace").splitlines() if answer.returncode == 0 else []
    return _asked[program]


def _driver() -> str | None:
    path = Path("/proc/driver/nvidia/version")
    if not path.is_file():
        return None
    words = path.read_text(encoding="utf-8", errors="replace").split()
    return next((word for word in words if word[:1].isdigit() and "." in word), None)


def _blas() -> str | None:
    numpy: Any = sys.modules.get("numpy")
    if numpy is None:
        return None
    pools: Any = sys.modules.get("threadpoolctl")
    used = [pool for pool in pools.threadpool_info() if pool.get("user_api") == "blas"] if pools is not None else []
    if used:  # as it was loaded, which need not be as numpy was built
        return ", ".join(dict.fromkeys(f"{pool['internal_api']} {pool.get('version')} ({pool['num_threads']} threads)" for pool in used))
    told = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return " ".join(str(told[name]) for name in ("name", "version") if told.get(name))
