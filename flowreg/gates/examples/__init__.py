"""Per-example results: what a model gave for each example of a dataset, as a table in an NPZ or Parquet file.

A row is one example. Columns:

=========  ==============================================================================================================
``id``     which example: a whole number or a text, each only once. Candidate and baseline are paired by it
``y``      the truth: 0 or 1, a class, or a number
``score``  what the model gave as a number: a probability, or anything that orders
``pred``   what it decided: 0 or 1, a class, or a predicted number
others     a slice (``region``), what to resample by (``customer``), or a metric of your own that was measured for each example
=========  ==============================================================================================================

``id`` and ``y`` must be there; which others, the metric says: ``roc_auc``, ``log_loss`` and ``brier`` read ``score``; ``accuracy``,
``recall`` and ``f1`` read ``pred``; ``mae`` and ``mse`` read ``pred``, else ``score``. No value is empty, NaN or infinite.

>>> import io, numpy
>>> file = io.BytesIO()
>>> numpy.savez_compressed(file, id=[1, 2, 3], y=[0, 1, 1], score=[0.2, 0.9, 0.4])
>>> len(read(file.getvalue()))
3

Rule 1: nothing in a file is ever run: no pickle, no object arrays. Sizes are checked before anything is unpacked.
Rule 2: numpy, and pyarrow for Parquet, are imported when a table is read.
"""

from .reading import read
from .table import BYTES_LIMIT, ROWS_LIMIT, Table

__all__ = ["BYTES_LIMIT", "ROWS_LIMIT", "Table", "read"]
