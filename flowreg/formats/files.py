"""Plain files: what was registered by path and is no known format. Nothing is saved or loaded; ``fetch`` gives the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Never

from ..errors import BadInput
from .kinds import described
from .refusals import UNNAMED, refuse_plain_files


class Files:
    """A file or folder as it is."""

    name = "files"
    extensions: tuple[str, ...] = ()
    executes_code = False

    def can_save(self, obj: Any) -> int:
        return 0

    def save(self, obj: Any, folder: Path) -> Never:
        raise BadInput(
            f"plain files are registered by their path, not as an object ({described(obj)})",
            do="give the path of a file or folder, or another loader=",
            code="no-format",
        )

    def load(self, folder: Path, *, trust: bool) -> Never:
        raise refuse_plain_files(UNNAMED)
