"""XGBoost's own UBJ, in ``model.ubj``, for a Booster and for its scikit-learn wrappers.

Rule 1: the class comes back. For a wrapper, ``wrapper.json`` holds its name and parameters beside the model: XGBoost itself
forgets those (``missing`` among them, which changes predictions). Only names in ``WRAPPERS`` are ever looked up.
Rule 2: saving leaves the model as it was (XGBoost's own ``save_model`` sets an attribute on it for a while).
Rule 3: a file runs no code. One that is cut off is an error (``ubj``: XGBoost's own reader would end the process); whether one
crafted with care can crash XGBoost's compiled reader or predictor is not known to us.
Not kept: callbacks and functions given as parameters, and the table of ``evals_result()``. Predictions need none of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.names import shown
from ..errors import BadInput
from .kinds import described, is_a, is_exactly
from .reading import model_file, needed, reading
from .ubj import require_whole

FILE = "model.ubj"
WRAPPER_FILE = "wrapper.json"
FROM_THE_MODEL = frozenset({"base_score", "booster", "enable_categorical", "feature_types", "objective"})  # load_model sets these
WRAPPERS = frozenset({"XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor"})


class XGBoost:
    """Boosters, and XGBClassifier and its kin."""

    name = "xgboost"
    extensions = (".ubj",)
    executes_code = False

    def can_save(self, obj: Any) -> int:
        # A user's subclass is not ours: we could not give the same class back.
        return 100 if is_exactly(obj, "xgboost", WRAPPERS | {"Booster"}) else 0

    def save(self, obj: Any, folder: Path) -> None:
        if not self.can_save(obj):
            raise BadInput(
                f"a {described(obj)} is no XGBoost model", do=f"give a Booster, or one of {', '.join(sorted(WRAPPERS))}", code="cannot-save"
            )
        if is_a(obj, "xgboost", "Booster"):
            booster = obj
        else:
            booster = _fitted(obj)
            wrapper = {"class": type(obj).__name__, "params": _plain(obj.get_params())}
            (folder / WRAPPER_FILE).write_text(json.dumps(wrapper, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
        (folder / FILE).write_bytes(bytes(booster.save_raw(raw_format="ubj")))

    def load(self, folder: Path, *, trust: bool) -> Any:
        path = model_file(folder, FILE, self.extensions)
        xgboost = needed("xgboost", by="a .ubj file", extra="xgboost")
        with reading(path, "xgboost"):
            model = _wrapper(folder, xgboost) if (folder / WRAPPER_FILE).is_file() else xgboost.Booster()
            raw = path.read_bytes()
            require_whole(raw)  # XGBoost 3.2 ends the process on bytes that are cut off
            model.load_model(bytearray(raw))
            return model


def _wrapper(folder: Path, xgboost: Any) -> Any:
    """An empty wrapper of the recorded class."""
    needed("sklearn", by="an XGBoost scikit-learn wrapper", extra="sklearn")
    recorded = json.loads((folder / WRAPPER_FILE).read_text(encoding="utf-8"))
    if recorded["class"] not in WRAPPERS:
        raise ValueError(f"{WRAPPER_FILE} names {shown(recorded['class'])}, not one of {', '.join(sorted(WRAPPERS))}")
    params = dict(recorded["params"])
    if "missing" in params:
        params["missing"] = float(params["missing"])
    return getattr(xgboost, recorded["class"])(**params)


def _fitted(model: Any) -> Any:
    from sklearn.exceptions import NotFittedError

    try:
        return model.get_booster()
    except NotFittedError as error:
        raise BadInput(f"this {type(model).__name__} is not fitted", do="call fit first", code="cannot-save") from error


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that only the wrapper knows, and that JSON can hold.

    ``missing`` is text where it is infinite, and left out where it is NaN, the default.
    """
    plain: dict[str, Any] = {}
    for name, given in params.items():
        value = given.item() if is_a(given, "numpy", "generic") else given
        if name == "missing" and isinstance(value, float) and math.isinf(value):
            value = str(value)
        if value is not None and name not in FROM_THE_MODEL and _fits_json(value):
            plain[name] = value
    return plain


def _fits_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
