"""Making a version again, and finding what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..core.names import shown
from ..core.views import Version
from ..errors import BadInput, Unavailable
from ..inside import REPRODUCES, Inside
from ..lineage.masking import masked_text
from ..standards.told import packages_of
from ..storage import blobs
from .looking import plan, the_version
from .places import Interpreter, fresh, here, scratch, work_tree
from .plan import Plan

Said = Callable[[str], None]  # told what is done now


def make_again(
    inside: Inside, version: Version, *, params: Mapping[str, Any], in_place: bool, deployment: bool, timeout_s: float,
    repository: Path | None, said: Said,
) -> tuple[Version, tuple[str, ...]]:  # fmt: skip
    """Run what made a version, and the version that it registered; with what could not be had as it was."""
    found = plan(inside, version)
    parameters = _parameters(found, params)
    before = inside.state(version.model).newest
    environ = {**os.environ, REPRODUCES: version.ref, "FLOWREG_ROOT": inside.store.root}
    if deployment:
        notes: tuple[str, ...] = ()
        _by_deployment(found, parameters, version, inside, timeout_s, said)
    else:
        notes = _by_source(inside, found, version, parameters, environ, in_place, timeout_s, repository, said)
    made = [v for v in inside.state(version.model).versions[before:] if v.said.reproduces and v.said.reproduces.version == version.number]
    if not made:
        raise Unavailable(
            f"the flow ended, and registered no version of {version.model}", where=f"in {inside.store.root}",
            do="see whether it registers another model, or in another registry", code="nothing-registered",
        )  # fmt: skip
    return the_version(inside, f"{version.model}@{made[-1].number}"), notes


def _parameters(found: Plan, params: Mapping[str, Any]) -> dict[str, Any]:
    if missing := [name for name in found.secrets if name not in params]:
        raise BadInput(
            f"the values of {', '.join(missing)} were not kept, as they are secret", where="nothing was run",
            do=f"give them: --param {missing[0]}=VALUE, or leave VALUE out to have it read from the environment", code="secret-param",
        )  # fmt: skip
    if unknown := [name for name in params if name not in found.run.parameters]:
        raise BadInput(f"the flow had no parameter {shown(unknown[0])}", do="see flowreg reproduce REF", code="bad-param")
    return {**found.run.parameters, **params}


def _by_source(
    inside: Inside, found: Plan, version: Version, parameters: Mapping[str, Any], environ: Mapping[str, str], in_place: bool,
    timeout_s: float, repository: Path | None, said: Said,
) -> tuple[str, ...]:  # fmt: skip
    git = found.run.git
    if not found.ready or git is None or git.commit is None or found.run.entrypoint is None:
        raise BadInput(
            f"{found.ref} cannot be made again: {found.obstacles[0]}",
            where="nothing was run",
            do="see flowreg reproduce REF",
            code="not-ready",
        )
    diff = None if git.diff is None else blobs.get(inside.store, git.diff, what=f"the changes of {found.ref}")
    with scratch() as folder, work_tree(folder, git.commit, git.remote, diff, repository=repository) as code:
        said(f"the code of {git.commit[:12]} is laid out")
        python: Interpreter = here() if in_place else fresh(folder, packages_of(inside.store, version), code)
        said("the environment is ready" if not in_place else "in the environment of this process")
        path = os.pathsep.join([*python.path, *([environ["PYTHONPATH"]] if environ.get("PYTHONPATH") and in_place else [])])
        _ended(
            [python.python, "-m", "flowreg.prefect.rerun", "here", found.run.entrypoint], {"parameters": dict(parameters)},
            {**environ, "PYTHONPATH": path} if path else {k: v for k, v in environ.items() if k != "PYTHONPATH"}, code, timeout_s,
        )  # fmt: skip
    return python.notes


def _by_deployment(found: Plan, parameters: Mapping[str, Any], version: Version, inside: Inside, timeout_s: float, said: Said) -> None:
    run = found.run
    if run.deployment is None:
        raise BadInput(f"{found.ref} was made by no deployment", where="nothing was run", do="leave --deployment out", code="no-deployment")
    image = f"{run.image.partition('@')[0]}@{run.image_digest}" if run.image and run.image_digest else run.image
    asked = {
        "parameters": dict(parameters), "env": {REPRODUCES: version.ref, "FLOWREG_ROOT": inside.store.root}, "image": image,
        "tag": f"flowreg:reproduce:{version.ref}", "timeout_s": timeout_s,
    }  # fmt: skip
    said(f"{run.deployment} is run")
    _ended(
        [sys.executable, "-m", "flowreg.prefect.rerun", "deployment", run.deployment], asked, dict(os.environ), Path.cwd(), timeout_s + 120
    )


def _ended(command: list[str], given: Mapping[str, Any], environ: Mapping[str, str], folder: Path, timeout_s: float) -> None:
    try:
        ended = subprocess.run(
            command, input=json.dumps(given).encode(), capture_output=True, env=dict(environ), cwd=folder, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(
            f"the flow has not ended in {timeout_s:g} s", where="it was ended", do="give --timeout", code="not-ended"
        ) from None
    if ended.returncode:
        lines = [line for line in ended.stderr.decode("utf-8", "replace").strip().splitlines() if line.strip()]
        raise Unavailable(
            f"the flow did not end well: {masked_text(' '.join(lines[-2:]))}", where="what it registered before that stands",
            do="try --here, or run it yourself to see more", code="flow-failed",
        )  # fmt: skip
