"""NDCG: how well each query's documents are ordered. Järvelin and Kekäläinen, ACM TOIS 20 (2002) 422; gains are linear."""

from __future__ import annotations

import numpy as np

from .arrays import Array
from .estimate import Unreliable
from .values import numbers


def ndcg(relevance: Array, score: Array, query: Array, at: int | None) -> Array:
    """For each query (numbered from 0) the gain over the best possible gain; NaN where nothing is relevant. Ties share their gain."""
    gains = numbers(relevance, "y")
    if gains.min() < 0:
        raise Unreliable("y has to be 0 or more for ndcg")
    best = _gain(gains, gains, query, at)
    found = _gain(gains, numbers(score, "score"), query, at)
    return np.asarray(np.divide(found, best, out=np.full(len(best), np.nan), where=best > 0))


def _gain(gains: Array, score: Array, query: Array, at: int | None) -> Array:
    order = np.lexsort((-score, query))
    asked, ordered = query[order], score[order]
    starts = np.flatnonzero(np.diff(asked, prepend=-1))
    place = np.arange(len(asked)) - np.repeat(starts, np.diff(starts, append=len(asked)))
    discount = np.where(place < (len(asked) if at is None else at), 1 / np.log2(place + 2), 0.0)
    run = np.cumsum((np.diff(asked, prepend=-1) != 0) | (np.diff(ordered, prepend=np.nan) != 0)) - 1
    shared = np.bincount(run, gains[order]) / np.bincount(run)
    return np.bincount(asked, shared[run] * discount)
