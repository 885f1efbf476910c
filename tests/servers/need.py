"""What a test needs and does not find: skipped with the line that installs it, or failed when everything is required.

``FLOWREG_REQUIRE_ALL=1`` turns every such skip into a failure, so that a pipeline cannot pass by testing nothing.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest


def need(what: str, install: str) -> NoReturn:
    """Stop this test: ``what`` is not here, ``install`` is the line that brings it."""
    message = f"needs {what}: {install}"
    if os.environ.get("FLOWREG_REQUIRE_ALL") == "1":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def need_module(name: str, install: str) -> ModuleType:
    """The imported module, or the end of this test."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        need(f"the Python module {name}", install)


def need_program(name: str, install: str, *, or_else: Sequence[str] = ()) -> str:
    """The path of a program beside this Python or on the PATH, under one of its names, or the end of this test."""
    beside = [Path(sys.executable).parent, Path(sys.prefix, "node_modules", ".bin")]
    places = os.pathsep.join([*map(str, beside), os.environ.get("PATH", os.defpath), "/usr/sbin"])
    found = next(filter(None, (shutil.which(each, path=places) for each in (name, *or_else))), None)
    return found or need(f"the program {name}", install)
