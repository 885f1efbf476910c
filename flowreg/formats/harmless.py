"""The types beyond skops' own list that a file may name and still be loaded without ``trust=True``.

Rule 1: exact names, never a package. numpy and scikit-learn hold functions that run text as code or unpickle files, and a
skops file may have any name it lists *called* with arguments of its choice. What a file says about itself counts for nothing.
Rule 2: a name gets in only if calling it, building an empty one of it, and setting any attributes on it, run no code from
the file: plain holders of numbers, and pure functions of numbers.
Rule 3: ``Tree`` and ``TreePredictor`` are in because ``trees.py`` checks them; skops leaves them out since a damaged one
makes compiled code read outside its memory.

Left out though common: nearest-neighbour trees (KDTree, BallTree) and splines hold raw memory that nobody checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HARMLESS = frozenset(
    {
        "builtins.frozenset",
        "functools.partial",
        "numpy.dtype",
        "numpy.number",
        "scipy.sparse._csc.csc_array",
        "scipy.sparse._csc.csc_matrix",
        "scipy.sparse._csr.csr_array",
        "scipy.sparse._csr.csr_matrix",
        "sklearn._loss.loss.HalfTweedieLoss",
        "sklearn._loss.loss.HalfTweedieLossIdentity",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.compose._column_transformer.make_column_selector",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.feature_selection._mutual_info.mutual_info_classif",
        "sklearn.feature_selection._mutual_info.mutual_info_regression",
        "sklearn.feature_selection._univariate_selection.chi2",
        "sklearn.feature_selection._univariate_selection.f_classif",
        "sklearn.feature_selection._univariate_selection.f_regression",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.metrics._scorer._Scorer",
        "sklearn.multiclass._ConstantPredictor",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        "sklearn.utils._metadata_requests.MetadataRequest",
        "sklearn.utils._metadata_requests.MethodMetadataRequest",
        "sklearn.utils.validation.check_array",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRFClassifier",
        "xgboost.sklearn.XGBRFRegressor",
        "xgboost.sklearn.XGBRanker",
        "xgboost.sklearn.XGBRegressor",
    }
)

# Families of pure functions and plain holders, each within one module that holds nothing else of that form.
_FAMILIES = re.compile(
    r"sklearn\.metrics\._(classification|ranking|regression)\.[a-z0-9_]+_(score|loss|error|deviance)"
    r"|sklearn\.model_selection\._split\.[A-Za-z]*(KFold|ShuffleSplit|LeaveOneOut|TimeSeriesSplit)"
    r"|sklearn\.gaussian_process\.kernels\.(ConstantKernel|Product|Sum|RBF|Matern|WhiteKernel|RationalQuadratic|DotProduct)"
)


def not_harmless(types: Iterable[str]) -> tuple[str, ...]:
    """Those of ``types`` (dotted names) that need ``trust=True``, sorted."""
    return tuple(sorted(name for name in types if name not in HARMLESS and not _FAMILIES.fullmatch(name)))
