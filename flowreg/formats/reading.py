"""Reading a format's one file, so that every failure is a sentence.

Rule: a parser that meets damaged bytes raises whatever it likes; here, and only here, that becomes an error of flowreg.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from ..core.names import shown
from ..errors import BadInput, Corrupt, FlowregError


def needed(module: str, *, by: str, extra: str) -> Any:
    """The imported ``module``, or ``BadInput`` with the line that installs it. ``by`` starts the sentence: ``a sklearn Pipeline``."""
    try:
        return importlib.import_module(module)
    except ImportError as missing:
        library = module.partition(".")[0]
        raise BadInput(
            f"{by} needs {library}", where=str(missing), do=f'pip install "flowreg[{extra}]"', code="missing-extra", extra=extra
        ) from missing


def model_file(folder: Path, standard_name: str, extensions: tuple[str, ...]) -> Path:
    """The file to load: the one ``save`` wrote, else (a file registered as it was) the only one with this ending."""
    if (folder / standard_name).is_file():
        return folder / standard_name
    found = [path for path in folder.iterdir() if path.suffix.lower() in extensions and path.is_file()]
    if len(found) == 1:
        return found[0]
    raise BadInput(
        f"expected {standard_name}, or one file ending in {' or '.join(extensions)}; there are {len(found)}",
        where="in the files of this version; nothing was loaded",
        do="fetch the files instead: flowreg fetch REF",
        code="no-model-file",
    )


@contextmanager
def reading(file: Path, library: str) -> Iterator[None]:
    """Whatever goes wrong inside leaves as an error of flowreg that names ``file``; the cause stays attached."""
    try:
        yield
    except (FlowregError, MemoryError):
        raise
    except Exception as error:
        # Broad on purpose: the libraries document no exceptions for bytes they cannot read, and raise a dozen kinds.
        raise _unreadable(file, library, error) from error


def _unreadable(file: Path, library: str, error: Exception) -> FlowregError:
    first_line = str(error).partition("\n")[0]  # compiled libraries add stack traces
    said = f"{type(error).__name__}: {shown(first_line, 200)}"
    if _is_missing_code(error):
        return BadInput(
            f"{file.name} needs code that is not here: {said}",
            where="nothing was loaded",
            do="install the packages the model was made with, in those versions: the version's environment is recorded",
            code="missing-code",
        )
    return Corrupt(
        f"{file.name} cannot be read by {library}: {said}",
        where="nothing was loaded",
        do=f"if flowreg check finds its bytes unchanged, then another version of {library} wrote it, or it never was such a file",
        code="unreadable",
    )


def _is_missing_code(error: Exception) -> bool:
    if isinstance(error, AttributeError):
        # The C pickler leaves .obj empty and only says so.
        return isinstance(error.obj, ModuleType) or str(error).startswith("Can't get attribute")
    return isinstance(error, ImportError)
