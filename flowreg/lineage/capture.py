"""What the surroundings tell about a run, with nothing passed: ``capture()``.

Rule 1: nothing here raises and nothing is required: what could not be learnt is a sentence in ``Run.warnings``.
Rule 2: it ends within its budget, give or take one system call.
Rule 3: no secret is taken along, see ``masking``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from ..core.events import Run
from .attempts import Attempts
from .environment import installed_packages, read_environment
from .git import read_git
from .masking import masked_text
from .prefect_run import flow_folder, read_run


@dataclass(frozen=True, slots=True)
class Captured:
    """A run, and the list of installed packages (``name==version`` a line) that its environment will refer to by digest."""

    run: Run
    packages: bytes | None


def capture(*, budget_s: float = 2.0) -> Captured:
    """The run, code and environment that this is called in. Call it before starting threads: they do not see the run.

    The code is the repository round the flow's source file, or round the working directory.

    >>> capture().run.environment.python.startswith("3.")
    True
    """
    attempts = Attempts(time.monotonic() + budget_s)
    said = read_run(attempts)
    environment = attempts.get("environment", read_environment)
    packages = attempts.get("packages", installed_packages)
    folder = attempts.get("code", lambda: flow_folder() or Path.cwd())
    git = read_git(folder, attempts) if folder else None
    warnings = tuple(masked_text(warning) for warning in attempts.warnings)
    return Captured(Run(**said, git=git, environment=environment, warnings=warnings), packages)
