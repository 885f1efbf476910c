"""Where a version is made again: a work tree at its commit with what was not committed, and an environment with its packages.

Rule 1: the repository that is asked is left as it is, but for a work tree that is taken away again.
Rule 2: packages come from the index that pip is set up for. One that was installed from a local folder cannot be had: if the work tree is
that package it is installed from there, flowreg itself comes from here; others are told.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.names import shown
from ..errors import BadInput, Unavailable
from ..standards.told import Package
from ..version import VERSION

GIT_S, INSTALL_S = 600, 3600


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python to run the flow with, what it must find before all else, and what could not be installed."""

    python: str
    path: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder for all of it, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="flowreg-reproduce-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def work_tree(folder: Path, commit: str, remote: str | None, diff: bytes | None, *, repository: Path | None = None) -> Iterator[Path]:
    """The code as it was, from the repository round ``repository`` (else the working directory) if it has the commit, else cloned."""
    place = folder / "code"
    home = _home(repository or Path.cwd(), commit)
    if home is None and remote is None:
        raise BadInput(
            f"commit {commit[:12]} is not in the repository here, and no remote was recorded", where=str(repository or Path.cwd()),
            do="run it in a clone that has the commit", code="no-commit",
        )  # fmt: skip
    if home is not None:
        _git(home, "worktree", "add", "--detach", "--quiet", str(place), commit)
    else:
        _git(folder, "clone", "--quiet", "--no-checkout", str(remote), str(place))
        _git(place, "checkout", "--quiet", "--detach", commit)
    try:
        if diff is not None:
            _git(place, "apply", "--binary", "-", given=diff)
        yield place
    finally:
        if home is not None:
            with contextlib.suppress(Unavailable):
                _git(home, "worktree", "remove", "--force", str(place))
                _git(home, "worktree", "prune")


def here() -> Interpreter:
    """This Python, with what is installed in it."""
    return Interpreter(sys.executable, (str(Path(__file__).parents[2]),))


def fresh(folder: Path, packages: Sequence[Package], code: Path) -> Interpreter:
    """A new environment with exactly the recorded packages. ``Unavailable`` where one cannot be installed."""
    place = folder / "environment"
    uv = shutil.which("uv")
    _run([uv, "venv", "--quiet", "--python", sys.executable, str(place)] if uv else [sys.executable, "-m", "venv", str(place)], INSTALL_S)
    python = str(place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
    install = (
        [uv, "pip", "install", "--quiet", "--python", python]
        if uv
        else [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    )
    wanted, local = _split(packages)
    listed = folder / "requirements.txt"
    listed.write_text("".join(f"{line}\n" for line in wanted), encoding="utf-8")
    if wanted:
        _run([*install, "--no-deps", "-r", str(listed)], INSTALL_S)
    notes, path = [], []
    own = _project_name(code)
    for package in local:
        if package.name == own and package.name != "flowreg":
            _run([*install, "--no-deps", str(code)], INSTALL_S)
        elif package.name == "flowreg":
            path.append(str(_flowreg(folder)))
        else:
            notes.append(f"{package.name} {package.version} was installed from a folder, and cannot be had again")
    return Interpreter(python, tuple(path), tuple(notes))


def _split(packages: Sequence[Package]) -> tuple[list[str], list[Package]]:
    """What an index or a URL has, as pip takes it, and what came from a folder."""
    wanted = [
        f"{package.name}=={package.version}" if package.source is None else f"{package.name} @ {package.source}"
        for package in packages
        if package.source != "local" and package.name not in ("pip", "setuptools")
    ]
    return wanted, [package for package in packages if package.source == "local"]


def _project_name(code: Path) -> str | None:
    try:
        name = tomllib.loads((code / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(name).lower().replace("_", "-").replace(".", "-")


def _flowreg(folder: Path) -> Path:
    """flowreg as it is here, with the note by which Python tells that it is installed."""
    place = folder / "flowreg-here"
    shutil.copytree(Path(__file__).parents[1], place / "flowreg", ignore=shutil.ignore_patterns("__pycache__"))
    noted = place / f"flowreg-{VERSION}.dist-info"
    noted.mkdir()
    (noted / "METADATA").write_text(f"Metadata-Version: 2.1\nName: flowreg\nVersion: {VERSION}\n", encoding="utf-8")
    (noted / "direct_url.json").write_text('{"url": "file:///", "dir_info": {}}', encoding="utf-8")
    formats = "\n".join(f"{name} = {target}" for name, target in _formats().items())
    (noted / "entry_points.txt").write_text(f"[flowreg.formats]\n{formats}\n", encoding="utf-8")
    return place


def _formats() -> dict[str, str]:
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group="flowreg.formats") if point.value.startswith("flowreg.")}


def _home(folder: Path, commit: str) -> Path | None:
    try:
        _git(folder, "cat-file", "-e", f"{commit}^{{commit}}")
    except (Unavailable, OSError):
        return None
    return folder


def _git(folder: Path, *command: str, given: bytes | None = None) -> None:
    _run(["git", "-C", str(folder), "-c", "core.hooksPath=/dev/null", *command], GIT_S, given=given)


def _run(command: Sequence[str | None], timeout_s: float, *, given: bytes | None = None) -> None:
    words = [word for word in command if word is not None]
    try:
        ended = subprocess.run(
            words, input=given, stdin=None if given is not None else subprocess.DEVNULL, capture_output=True, timeout=timeout_s
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(
            f"{shown(Path(words[0]).name)} did not end ({type(error).__name__})", do="look at what it does", code="no-environment"
        ) from None
    if ended.returncode:
        from ..lineage.masking import masked_text

        lines = ended.stderr.decode("utf-8", "replace").strip().splitlines()
        said = masked_text(" ".join(lines[-3:]))
        raise Unavailable(
            f"{Path(words[0]).name} {words[1]} failed: {said}",
            where="nothing was registered",
            do="mend that, or try --here",
            code="no-environment",
        )
