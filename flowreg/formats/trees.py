"""Whether the decision trees inside a loaded scikit-learn model can be walked without leaving their memory.

scikit-learn follows the links of a tree in compiled code that checks nothing: a damaged or crafted file would crash the
process at the first prediction, or read what lies beside. So before a model is handed out, for every tree:

Rule 1: each inner node links to two later nodes of the same tree (so every walk ends), and asks for a column that exists.
Rule 2: a tree expects the columns that the estimator around it checks its input for, and so do all trees of one forest.

This bounds the trees; it makes no promise about the other compiled parts of scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from ..errors import Corrupt
from .kinds import is_a

_ONE_SET_OF_COLUMNS = ("BaseForest", "BaseGradientBoosting", "BaseHistGradientBoosting", "BaseDecisionTree")


def check_trees(model: Any) -> None:
    """``Corrupt`` where a tree anywhere inside ``model`` breaks a rule."""
    seen: set[int] = set()
    waiting: list[tuple[Any, int | None]] = [(model, None)]
    while waiting:
        thing, columns = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if any(is_a(thing, "sklearn", name) for name in _ONE_SET_OF_COLUMNS):
            columns = _columns_of(thing, columns)
        if is_a(thing, "sklearn", "Tree"):
            _check_tree(thing, columns)
        elif is_a(thing, "sklearn", "TreePredictor"):
            _check_predictor(thing, columns)
        waiting.extend((part, columns) for part in _parts(thing))


def _parts(thing: Any) -> Iterable[Any]:
    if isinstance(thing, dict):
        return list(thing.values())
    if isinstance(thing, (list, tuple, set, frozenset)):
        return thing
    if isinstance(thing, partial):  # asking for its __dict__ would give it one, and then it is saved differently
        return (*thing.args, *thing.keywords.values())
    if is_a(thing, "numpy", "ndarray"):
        return list(thing.ravel()) if thing.dtype == object else ()
    return list(getattr(thing, "__dict__", {}).values()) if not isinstance(thing, type) else ()


def _columns_of(estimator: Any, outer: int | None) -> int | None:
    own = vars(estimator).get("n_features_in_")
    if own is None:
        return outer  # not fitted; a tree below it is refused, since nothing says how many columns it may ask for
    if outer is not None and own != outer:
        raise _bad(f"a {type(estimator).__name__} of {own} columns inside an ensemble of {outer}")
    return int(own)


def _check_tree(tree: Any, columns: int | None) -> None:
    # node_count is set from the file; the arrays' own length is capacity. The properties of a Tree trust node_count.
    if tree.node_count != tree.capacity or tree.node_count < 1:
        raise _bad(f"a tree of {tree.capacity} nodes that says it has {tree.node_count}")
    nodes = tree.__getstate__()["nodes"]
    if columns is None or tree.n_features != columns:
        raise _bad(f"a tree over {tree.n_features} columns in an estimator of {columns}")
    inner = nodes["left_child"] != -1
    _check_links(inner, nodes["left_child"], nodes["right_child"], nodes["feature"], columns)


def _check_predictor(predictor: Any, columns: int | None) -> None:
    nodes, sets = predictor.nodes, predictor.raw_left_cat_bitsets
    if columns is None or len(nodes) < 1:
        raise _bad("a tree without nodes, or in an estimator without columns")
    inner = nodes["is_leaf"] == 0
    _check_links(inner, nodes["left"], nodes["right"], nodes["feature_idx"], columns)
    categorical = inner & (nodes["is_categorical"] != 0)
    if categorical.any() and (sets.shape[1:] != (8,) or nodes["bitset_idx"][categorical].max() >= len(sets)):
        raise _bad("a tree that asks for a set of categories that is not there")


def _check_links(inner: Any, left: Any, right: Any, feature: Any, columns: int) -> None:
    import numpy

    own = numpy.flatnonzero(inner)
    for child in (left[inner].astype("int64"), right[inner].astype("int64")):
        wrong = (child <= own) | (child >= len(inner))
        if wrong.any():
            at = int(numpy.argmax(wrong))
            raise _bad(f"a tree of {len(inner)} nodes where node {own[at]} leads to node {child[at]}")
    asked = feature[inner].astype("int64")
    if ((asked < 0) | (asked >= columns)).any():
        raise _bad(f"a tree that asks for a column beyond the {columns} there are")


def _bad(found: str) -> Corrupt:
    return Corrupt(
        f"the model holds {found}: predicting with it would read outside its memory",
        where="nothing was handed out",
        do="register the model again from its source; whoever wrote this file did not write it with scikit-learn",
        code="bad-tree",
    )
