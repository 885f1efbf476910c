"""What the surroundings tell about a run, with nothing passed: ``capture()``.

Rule 1: nothing here raises and nothing is required: what could not be learnt is a sentence in ``Run.warnings``.
Rule 2: it ends within its budget, give or take one system call.
Rule 3: no secret is taken along, see ``masking``.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from ..core.events import Environment, Run
from .attempts import Attempts
from .environment import installed_packages, read_environment
from .git import read_code
from .image import read_image
from .lockfiles import read_lockfile
from .masking import masked_text
from .prefect_run import entrypoint, flow_folder, job_variables, read_run
from .seeds import seeds_of_run


@dataclass(frozen=True, slots=True)
class Captured:
    """A run, and the bytes that it names by digest: the list of packages, the lockfile, what is not committed."""

    run: Run
    blobs: tuple[bytes, ...] = ()


def capture(*, budget_s: float = 2.0) -> Captured:
    """The run, code and environment that this is called in. Call it before starting threads: they do not see the run.

    The code is the repository round the flow's source file, or round the working directory.

    >>> capture().run.environment.python.startswith("3.")
    True
    """
    attempts = Attempts(time.monotonic() + budget_s)
    said = attempts.get("run", lambda: read_run(attempts)) or {}
    said["seeds"] = attempts.get("seeds", seeds_of_run) or {}
    environment = attempts.get("environment", lambda: read_environment(attempts))
    packages = attempts.get("packages", installed_packages)
    folder = attempts.get("code", lambda: flow_folder() or Path.cwd())
    code = attempts.get("git", lambda: read_code(folder, attempts)) if folder else None
    top = code.top if code else None
    locked = attempts.get("lockfile", lambda: read_lockfile(folder, top, attempts)) if folder else None
    if environment is not None:
        environment = _with(environment, packages, locked[0] if locked else None)
    said |= (attempts.get("image", lambda: read_image(job_variables(), attempts)) if folder else None) or {}
    said["entrypoint"] = attempts.get("entrypoint", lambda: entrypoint(top)) if folder else None
    warnings = tuple(dict.fromkeys(masked_text(warning) for warning in attempts.warnings))
    run = Run(
        **said, git=code.git if code else None, environment=environment,
        warnings=warnings,
    )  # fmt: skip
    blobs = (packages if environment else None, locked[1] if locked and environment else None, *(code.blobs if code else ()))
    return Captured(run, tuple(blob for blob in blobs if blob is not None))


def _with(environment: Environment, packages: bytes | None, lockfile: object) -> Environment:
    digest = None if packages is None else f"sha256:{hashlib.sha256(packages).hexdigest()}"
    return environment.model_copy(update={"packages": digest, "lockfile": lockfile})
