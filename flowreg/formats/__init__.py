"""Savers and loaders: how an object becomes files, and files an object again. One format, one module.

The contract of a format (``Format``), found by its name in the entry point group ``flowreg.formats``:

Rule 1: importing the module, and ``can_save``, import no heavy library; only ``save`` and ``load`` do.
Rule 2: ``save`` writes the same bytes for the same object: the digest of the files decides whether a retry is a twin.
Rule 3: ``load`` sees only files whose digests were checked before, and runs no code out of them, unless ``trust`` is true.
Rule 4: a format whose files *are* code says so by ``executes_code``; it saves only when asked for by ``trust="pickle"``.
Rule 5: whatever a library throws at unreadable bytes leaves as an error of ``flowreg.errors``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol


class Format(Protocol):
    """One way to write objects down. A third-party format is a class like this, made without arguments."""

    @property
    def name(self) -> str:
        """The name in the entry point group and in the journal, for example ``skops``."""
        ...

    @property
    def extensions(self) -> tuple[str, ...]:
        """Lower-case endings of this format's files, with the dot. A registered single file is recognised by them."""
        ...

    @property
    def executes_code(self) -> bool:
        """Whether loading a file of this format can run whatever its author liked."""
        ...

    def can_save(self, obj: Any) -> int:
        """How well this format fits ``obj``: 0 is not at all, 100 is made for it. The highest score saves; a tie is an error."""
        ...

    def save(self, obj: Any, folder: Path) -> None:
        """Write ``obj`` into the existing, empty ``folder``. ``BadInput`` where it cannot be written."""
        ...

    def load(self, folder: Path, *, trust: bool) -> Any:
        """The object that was saved into ``folder``. ``Refused`` where that needs trust, ``Corrupt`` where bytes cannot be read."""
        ...
