"""scikit-learn estimators and pipelines with skops, in ``model.skops``.

Rule 1: a file of this format is a list of types and numbers, no program; but the types it names are built. Without trust,
only those are that skops trusts itself or that stand in ``harmless.py``, by exact name; the rest is refused, by name.
Rule 2: so linear models, pipelines, forests and gradient boosting (also XGBoost inside a pipeline) load by default; your
own transformer, LightGBM inside a pipeline, or KDTree need ``load(..., trust=True)``.
Rule 3: trees are checked before the model is handed out (``trees.py``), trusted or not: a bad one would crash the process.
Rule 4: ``types.json`` beside the model says at registration which types will need trust. It is for people; ``load`` asks
the model file itself, since whoever writes the one can write the other.
"""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from ..errors import BadInput
from .canonical import rewrite
from .harmless import not_harmless
from .kinds import described, is_a, root_of
from .reading import model_file, needed, reading
from .refusals import refuse_types
from .trees import check_trees

FILE = "model.skops"
TYPES_FILE = "types.json"


class Skops:
    """Estimators of scikit-learn, and those built on it."""

    name = "skops"
    extensions = (".skops",)
    executes_code = False

    def can_save(self, obj: Any) -> int:
        if not is_a(obj, "sklearn", "BaseEstimator"):
            return 0
        return 100 if root_of(type(obj)) == "sklearn" else 50  # a library's own format goes first for its own estimators

    def save(self, obj: Any, folder: Path) -> None:
        skops = needed("skops.io", by=f"a {_short_name(obj)}", extra="sklearn")
        raw = BytesIO()
        try:
            skops.dump(obj, raw)
        except Exception as error:  # skops raises its own, TypeErrors, and whatever a __reduce__ raises
            raise BadInput(
                f"skops cannot save this {described(obj)}: {error}",
                do='save it another way and register the file, or register(..., loader="pickle", trust="pickle")',
                code="cannot-save",
            ) from error
        with ZipFile(raw) as written, (folder / FILE).open("wb") as file:
            rewrite(written, file)
        _note_types(folder, skops.get_untrusted_types(file=folder / FILE))

    def load(self, folder: Path, *, trust: bool) -> Any:
        path = model_file(folder, FILE, self.extensions)
        skops = needed("skops.io", by="a .skops file", extra="sklearn")
        with reading(path, "skops"):
            named = skops.get_untrusted_types(file=path)
            strangers = not_harmless(named)
            if strangers and not trust:
                raise refuse_types(path.name, strangers)
            model = skops.load(path, trusted=named)
            check_trees(model)
            return model


def _note_types(folder: Path, named: list[str]) -> None:
    strangers = not_harmless(named)
    if named:
        noted = {"harmless": sorted(set(named) - set(strangers)), "need_trust": list(strangers)}
        (folder / TYPES_FILE).write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")


def _short_name(obj: Any) -> str:
    return f"{root_of(type(obj))} {type(obj).__name__}"
