"""Pickle and joblib: for everything else, and only when asked for twice.

Rule 1: a pickle is a program. Saving needs ``trust="pickle"``, loading needs ``trust=True``; without it no byte is unpickled.
Rule 2: the same object in the same process gives the same bytes. A set of strings may be written in another order by
another process; pickle has no way to say otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .kinds import described
from .reading import model_file, needed, reading
from .refusals import UNNAMED, refuse_untrusted

PROTOCOL = 5  # fixed, so that a newer Python does not write other bytes


class Pickle:
    """Anything the standard library can pickle, as ``model.pkl``."""

    name = "pickle"
    extensions = (".pkl", ".pickle")
    executes_code = True

    def can_save(self, obj: Any) -> int:
        return 1

    def save(self, obj: Any, folder: Path) -> None:
        import pickle

        with _saying_why(obj), (folder / "model.pkl").open("wb") as file:
            pickle.dump(obj, file, protocol=PROTOCOL)

    def load(self, folder: Path, *, trust: bool) -> Any:
        if not trust:
            raise refuse_untrusted(UNNAMED, self.name)
        import pickle

        path = model_file(folder, "model.pkl", self.extensions)
        with reading(path, "pickle"), path.open("rb") as file:
            return pickle.load(file)


class Joblib:
    """The same with joblib, as ``model.joblib``: faster for large arrays. Only on ``loader="joblib"``."""

    name = "joblib"
    extensions = (".joblib",)
    executes_code = True

    def can_save(self, obj: Any) -> int:
        return 0

    def save(self, obj: Any, folder: Path) -> None:
        joblib = needed("joblib", by='loader="joblib"', extra="joblib")
        with _saying_why(obj):
            joblib.dump(obj, folder / "model.joblib", compress=0, protocol=PROTOCOL)

    def load(self, folder: Path, *, trust: bool) -> Any:
        if not trust:
            raise refuse_untrusted(UNNAMED, self.name)
        joblib = needed("joblib", by="a joblib file", extra="joblib")
        path = model_file(folder, "model.joblib", self.extensions)
        with reading(path, "joblib"):
            return joblib.load(path)


@contextmanager
def _saying_why(obj: Any) -> Iterator[None]:
    import pickle

    try:
        yield
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(
            f"a {described(obj)} cannot be pickled: {error}",
            do="define its classes and functions in a module that can be imported where it is loaded: no lambda, nothing local",
            code="cannot-save",
        ) from error
